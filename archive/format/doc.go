// Package format is the archive format: FORMAT.md specifies it to the byte, dura.proto holds the schema of what programs
// read, and the code here encodes and decodes each kind of object as pure functions, without I/O, clock or randomness.
// It stands on protobuf and zstd alone.
package format

import _ "embed"

// Version is the number of the format this package reads and writes.
const Version = 1

// Schema is dura.proto, as every archive holds a copy of it.
//
//go:embed dura.proto
var Schema []byte

//go:generate protoc --go_out=../.. --go_opt=module=dura --proto_path=../.. archive/format/dura.proto
