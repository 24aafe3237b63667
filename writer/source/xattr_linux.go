package source

import (
	"strconv"

	"golang.org/x/sys/unix"
)

const noSuchXAttr = unix.ENODATA

// procName is a name in the directory that is open at fd, for calls that take no directory; or what is open at fd itself.
func procName(fd int, name string) string {
	if name == "" {
		return "/proc/self/fd/" + strconv.Itoa(fd)
	}
	return "/proc/self/fd/" + strconv.Itoa(fd) + "/" + name
}

// xattrName is h's name for calls that take no directory.
func (h *handle) xattrName(dirFD int) string {
	if !h.trees.haveProc {
		return h.Filename()
	}
	return procName(dirFD, h.name)
}

// haveProc reports whether /proc shows the open files.
func haveProc() bool {
	var st unix.Stat_t
	return unix.Stat("/proc/self/fd", &st) == nil
}

func (x xattrTarget) listInto(buf []byte) (int, error) {
	switch {
	case x.filename == "":
		return unix.Flistxattr(x.fd, buf)
	case x.follow:
		return unix.Listxattr(x.filename, buf)
	}
	return unix.Llistxattr(x.filename, buf)
}

func (x xattrTarget) valueInto(name string, buf []byte) (int, error) {
	switch {
	case x.filename == "":
		return unix.Fgetxattr(x.fd, name, buf)
	case x.follow:
		return unix.Getxattr(x.filename, name, buf)
	}
	return unix.Lgetxattr(x.filename, name, buf)
}
