package file

import "golang.org/x/sys/unix"

func flushToDisk(fd int) error { return unix.Fsync(fd) }

func startWriting(fd int, offset, length int64) {}
