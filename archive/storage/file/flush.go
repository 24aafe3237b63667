package file

import "golang.org/x/sys/unix"

// flush returns once what fd refers to, file or folder, is on the disk. A file system that says it cannot flush such a thing
// is taken at its word: there is nothing more to be done.
func flush(fd int) error {
	err := retry0(func() error { return flushToDisk(fd) })
	if err == unix.EINVAL || err == unix.ENOTSUP || err == unix.EOPNOTSUPP {
		return nil
	}
	return err
}
