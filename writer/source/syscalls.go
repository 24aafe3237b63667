package source

import "golang.org/x/sys/unix"

// openNoAtime opens a file without a trace in its access time, where that is permitted. The error is bare.
func openNoAtime(dirFD int, name string, flags int) (int, error) {
	fd, err := openat(dirFD, name, flags|noAtime)
	if err == unix.EPERM && noAtime != 0 {
		fd, err = openat(dirFD, name, flags)
	}
	return fd, err
}

func openat(dirFD int, name string, flags int) (int, error) {
	for {
		fd, err := unix.Openat(dirFD, name, flags, 0)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

func fstat(fd int, st *unix.Stat_t) error {
	for {
		err := unix.Fstat(fd, st)
		if err != unix.EINTR {
			return failed("fstat", err)
		}
	}
}

func fstatat(dirFD int, name string, st *unix.Stat_t, flags int) error {
	for {
		err := unix.Fstatat(dirFD, name, st, flags)
		if err != unix.EINTR {
			return failed("fstatat", err)
		}
	}
}

func lstat(filename string, st *unix.Stat_t) error {
	return fstatat(unix.AT_FDCWD, filename, st, unix.AT_SYMLINK_NOFOLLOW)
}

// firstLinkBytes is what nearly every link's target fits in; maxLinkBytes more than any system keeps.
const (
	firstLinkBytes = 1 << 10
	maxLinkBytes   = 1 << 20
)

// readlinkat returns the target of a symbolic link.
func readlinkat(dirFD int, name string) (string, error) {
	var first [firstLinkBytes]byte
	buf := first[:]
	for {
		n, err := unix.Readlinkat(dirFD, name, buf)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EINVAL:
			return "", ErrChanged // it is not a link
		case err != nil:
			return "", failed("readlinkat", err)
		case n < len(buf):
			return string(buf[:n]), nil
		case len(buf) >= maxLinkBytes:
			return "", failed("readlinkat", unix.ENAMETOOLONG)
		}
		buf = make([]byte, 8*len(buf))
	}
}
