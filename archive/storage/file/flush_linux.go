package file

import "golang.org/x/sys/unix"

func flushToDisk(fd int) error { return unix.Fsync(fd) }

// startWriting sets the disk to work on part of a file, and does not wait for it, so that the flush at the end has less to do.
func startWriting(fd int, offset, length int64) {
	_ = unix.SyncFileRange(fd, offset, length, unix.SYNC_FILE_RANGE_WRITE)
}
