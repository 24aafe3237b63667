package source

import (
	"os"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"dura/archive/format"
)

// handle is a Handle of local trees: a name in a directory, or a name as such where there is no dir.
type handle struct {
	trees  *Trees
	root   *root
	dir    *dir
	name   string
	path   format.Path
	id     fileID
	kind   format.Kind
	follow bool // the name leads to the entry through symbolic links
	closed atomic.Bool
}

func (h *handle) Filename() string { return h.root.filename(h.path) }

func (h *handle) Close() error {
	if h.closed.Swap(true) {
		return os.ErrClosed
	}
	h.dir.drop()
	return nil
}

func (h *handle) Open() (Content, error) {
	if h.closed.Load() {
		return nil, os.ErrClosed
	}
	if h.kind != format.File {
		return nil, os.ErrInvalid
	}
	dirFD, err := h.dir.pin()
	if err != nil {
		return nil, err
	}
	defer h.dir.unpin()
	fd, err := h.open(dirFD)
	if err != nil {
		return nil, err
	}
	c := &content{handle: h, fd: fd}
	if err := c.check(); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// open opens what the name stands for now. It doesn't wait for what may not be a regular file any more.
func (h *handle) open(dirFD int) (int, error) {
	const flags = unix.O_RDONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_NOCTTY | unix.O_CLOEXEC
	fd, err := openNoAtime(dirFD, h.name, flags)
	if (err == unix.EMFILE || err == unix.ENFILE) && h.dir != nil {
		h.dir.dirs.closeDownTo(0)
		fd, err = openNoAtime(dirFD, h.name, flags)
	}
	if err == unix.EWOULDBLOCK {
		fd, err = openLeased(dirFD, h.name)
	}
	switch err {
	case nil:
		return fd, nil
	case unix.ELOOP, unix.ENXIO, unix.ENOTDIR: // a link, a socket
		return -1, ErrChanged
	}
	return -1, failed("openat", err)
}
