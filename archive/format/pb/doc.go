// Package pb is the code that protoc makes of dura.proto, for package format alone, which checks what it decodes. It stands on
// google.golang.org/protobuf.
package pb
