package source

import "golang.org/x/sys/unix"

const noSuchXAttr = unix.ENOATTR

// xattrName is h's name for calls that take no directory.
func (h *handle) xattrName(int) string { return h.Filename() }

func haveProc() bool { return false }

// listInto gives the names as other systems do: with their namespace, and NUL behind each.
func (x xattrTarget) listInto(buf []byte) (int, error) {
	list, err := x.appendNames(nil, unix.EXTATTR_NAMESPACE_USER, "user.")
	if err != nil {
		return 0, err
	}
	list, err = x.appendNames(list, unix.EXTATTR_NAMESPACE_SYSTEM, "system.")
	if err != nil && err != unix.EPERM { // it is for root alone
		return 0, err
	}
	if buf == nil {
		return len(list), nil
	}
	if len(list) > len(buf) {
		return 0, unix.ERANGE
	}
	return copy(buf, list), nil
}

// appendNames appends the names of one namespace. The system puts a byte with its length ahead of each, cuts short what
// doesn't fit, and says nothing; so a list that fills its buffer counts as too long.
func (x xattrTarget) appendNames(list []byte, namespace int, prefix string) ([]byte, error) {
	size, err := x.listNamespace(namespace, nil)
	if err != nil || size <= 0 {
		return list, err
	}
	names := make([]byte, min(size, maxXAttrBytes)+1)
	n, err := x.listNamespace(namespace, names)
	if err != nil {
		return list, err
	}
	if n == len(names) {
		return list, unix.ERANGE
	}
	for names = names[:n]; len(names) > 0; {
		end := 1 + min(int(names[0]), len(names)-1)
		list = append(append(append(list, prefix...), names[1:end]...), 0)
		names = names[end:]
	}
	return list, nil
}

func (x xattrTarget) listNamespace(namespace int, buf []byte) (int, error) {
	switch {
	case x.filename == "":
		return unix.FlistxattrNS(x.fd, namespace, buf)
	case x.follow:
		return unix.ListxattrNS(x.filename, namespace, buf)
	}
	return unix.LlistxattrNS(x.filename, namespace, buf)
}

// valueInto asks for the size first: the system cuts short what doesn't fit and says nothing.
func (x xattrTarget) valueInto(name string, buf []byte) (int, error) {
	size, err := x.get(name, nil)
	if err != nil || buf == nil {
		return size, err
	}
	if size >= len(buf) {
		return 0, unix.ERANGE
	}
	n, err := x.get(name, buf)
	if err == nil && n == len(buf) {
		return 0, unix.ERANGE
	}
	return n, err
}

func (x xattrTarget) get(name string, buf []byte) (int, error) {
	switch {
	case x.filename == "":
		return unix.Fgetxattr(x.fd, name, buf)
	case x.follow:
		return unix.Getxattr(x.filename, name, buf)
	}
	return unix.Lgetxattr(x.filename, name, buf)
}
