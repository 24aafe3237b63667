package source

import (
	"bytes"
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Where the fields of a directory's records are on this system.
const (
	direntReclen = unsafe.Offsetof(unix.Dirent{}.Reclen)
	direntType   = unsafe.Offsetof(unix.Dirent{}.Type)
	direntName   = unsafe.Offsetof(unix.Dirent{}.Name)
)

// dirent takes the first record off buf. A name that is empty is to be passed over; rest is nil where buf can't be parsed.
func dirent(buf []byte) (name []byte, typ uint8, rest []byte) {
	if len(buf) <= int(direntName) {
		return nil, 0, nil
	}
	length := int(binary.NativeEndian.Uint16(buf[direntReclen:]))
	if length <= int(direntName) || length > len(buf) {
		return nil, 0, nil
	}
	record, rest := buf[:length], buf[length:]
	name = record[direntName:]
	if end := bytes.IndexByte(name, 0); end >= 0 {
		name = name[:end]
	}
	inode := binary.NativeEndian.Uint64(record) // the first field everywhere
	if !zeroInodes && inode == 0 || string(name) == "." || string(name) == ".." {
		name = nil
	}
	return name, record[direntType], rest
}

// readDirent fills buf with records of the directory at fd; 0 bytes at its end.
func readDirent(fd int, buf []byte) (int, error) {
	for {
		n, err := unix.ReadDirent(fd, buf)
		if err != unix.EINTR {
			return max(n, 0), failed("getdents", err)
		}
	}
}
