package source

import (
	"io"

	"golang.org/x/sys/unix"

	"dura/archive/format"
)

// content is the Content of a file of local trees.
type content struct {
	handle *handle
	fd     int
	opened unix.Stat_t // what opening found, for the first Stat
	asked  bool        // that has been given
}

// maxReadBytes is what every system takes in one call.
const maxReadBytes = 1 << 30

// check compares what was opened with what was listed.
func (c *content) check() error {
	if err := fstat(c.fd, &c.opened); err != nil {
		return err
	}
	if kindOf(&c.opened) != format.File || idOf(&c.opened) != c.handle.id {
		return ErrChanged
	}
	return nil
}

func (c *content) Read(p []byte) (int, error) {
	for {
		n, err := unix.Read(c.fd, p[:min(len(p), maxReadBytes)])
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			// Some file systems mind O_NONBLOCK in regular files, too; it has done its duty.
			if err := unix.SetNonblock(c.fd, false); err != nil {
				return 0, failed("fcntl", err)
			}
		case err != nil:
			return 0, failed("read", err)
		case n == 0 && len(p) > 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

func (c *content) NextData(offset int64) (start, end int64, err error) {
	start, err = c.seek(offset, unix.SEEK_DATA)
	switch {
	case err == nil:
	case err == unix.ENXIO: // no data behind offset
		size, err := c.seek(0, io.SeekEnd)
		return size, size, failed("lseek", err)
	case err == unix.EINVAL || unsupported(err):
		return c.allData(offset)
	default:
		return 0, 0, failed("lseek", err)
	}
	if end, err = c.seek(start, unix.SEEK_HOLE); err == nil {
		_, err = c.seek(start, io.SeekStart)
	}
	return start, end, failed("lseek", err)
}

func (c *content) SeekTo(offset int64) error {
	_, err := c.seek(offset, io.SeekStart)
	return failed("lseek", err)
}

// allData is NextData where the file system doesn't tell holes.
func (c *content) allData(offset int64) (start, end int64, err error) {
	var st unix.Stat_t
	if err := fstat(c.fd, &st); err != nil {
		return 0, 0, err
	}
	start, err = c.seek(min(offset, max(0, st.Size)), io.SeekStart)
	return start, max(0, st.Size), failed("lseek", err)
}

func (c *content) seek(offset int64, whence int) (int64, error) {
	for {
		n, err := unix.Seek(c.fd, offset, whence)
		if err != unix.EINTR {
			return n, err
		}
	}
}

func (c *content) Stat() (format.Entry, error) {
	var e format.Entry
	if c.asked {
		if err := fstat(c.fd, &c.opened); err != nil {
			return e, err
		}
	}
	c.asked = true
	c.handle.trees.owners.fill(&e, &c.opened)
	return e, nil
}

func (c *content) XAttrs() ([]format.XAttr, error) {
	return c.handle.trees.xattrs(c.handle, xattrTarget{fd: c.fd})
}

func (c *content) Close() error {
	fd := c.fd
	if c.fd = -1; fd < 0 {
		return unix.EBADF
	}
	return failed("close", unix.Close(fd))
}
