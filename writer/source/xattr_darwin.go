package source

import "golang.org/x/sys/unix"

const noSuchXAttr = unix.ENOATTR

// xattrName is h's name for calls that take no directory.
func (h *handle) xattrName(int) string { return h.Filename() }

func haveProc() bool { return false }

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
