package source

import (
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"dura/archive/format"
)

// maxXAttrBytes bounds names and values of one entry.
const maxXAttrBytes = 8 << 20

// xattrTarget is what to read the extended attributes of: an open file, or what a name stands for.
type xattrTarget struct {
	fd       int
	filename string // where it is not empty, fd doesn't count
	follow   bool   // symbolic links
}

// XAttrs reads by name: what is no regular file can't be opened, and what is may be unreadable and still tell its attributes.
func (h *handle) XAttrs() ([]format.XAttr, error) {
	if h.dir == nil {
		return h.trees.xattrs(h, xattrTarget{filename: h.name, follow: h.follow})
	}
	dirFD, err := h.dir.pin()
	if err != nil {
		return nil, h.trees.raise(h.Filename(), err)
	}
	defer h.dir.unpin()
	return h.trees.xattrs(h, xattrTarget{filename: h.xattrName(dirFD)})
}

// xattrs reads what there is. What can't be read is raised as an alarm.
func (t *Trees) xattrs(h *handle, target xattrTarget) ([]format.XAttr, error) {
	list, err := target.list()
	if err != nil {
		return nil, t.raise(h.Filename(), failed("listxattr", err))
	}
	if len(list) == 0 {
		return nil, nil
	}
	slices.Sort(list)
	list = slices.Compact(list)
	attrs := make([]format.XAttr, 0, len(list))
	leftBytes, leftOut := maxXAttrBytes, 0
	var failure error
	for _, name := range list {
		value, err := target.value(name, leftBytes-len(name))
		switch {
		case err == nil:
			attrs = append(attrs, format.XAttr{Name: name, Value: value})
			leftBytes -= len(name) + len(value)
		case err == errTooLarge:
			leftOut++
		case err == noSuchXAttr: // it went away meanwhile
		case failure == nil:
			failure = &XAttrError{Name: name, Err: err}
		}
	}
	if len(attrs) == 0 {
		attrs = nil
	}
	return attrs, t.raiseXAttrs(h, leftOut, failure)
}

func (t *Trees) raiseXAttrs(h *handle, leftOut int, failure error) error {
	if failure != nil {
		if err := t.raise(h.Filename(), failure); err != nil {
			return err
		}
	}
	if leftOut > 0 {
		return t.raiseUnsupported(h.Filename(), "its extended attributes are above 8 MiB: those beyond that are left out")
	}
	return nil
}

// XAttrError says which extended attribute could not be read.
type XAttrError struct {
	Name string
	Err  error
}

func (e *XAttrError) Error() string { return "extended attribute " + e.Name + ": " + e.Err.Error() }
func (e *XAttrError) Unwrap() error { return e.Err }

// Attempts to read what grows between asking for its size and reading it.
const xattrAttempts = 8

// list returns the names; none where the file system has no such thing.
func (x xattrTarget) list() ([]string, error) {
	var first [512]byte
	n, err := x.listInto(first[:])
	if err == nil {
		return splitNames(first[:n]), nil
	}
	for attempt := 0; err == unix.ERANGE && attempt < xattrAttempts; attempt++ {
		if n, err = x.listInto(nil); err != nil {
			break
		}
		if n > maxXAttrBytes {
			return nil, unix.E2BIG
		}
		buf := make([]byte, n+256)
		if n, err = x.listInto(buf); err == nil {
			return splitNames(buf[:n]), nil
		}
	}
	if unsupported(err) || err == unix.ENOSYS {
		return nil, nil
	}
	return nil, err
}

// errTooLarge is for a value that is larger than what is left.
const errTooLarge = unix.EFBIG

// value returns one value of at most maxBytes.
func (x xattrTarget) value(name string, maxBytes int) ([]byte, error) {
	var first [512]byte
	n, err := x.valueInto(name, first[:])
	if err == nil && n <= maxBytes {
		return append([]byte{}, first[:n]...), nil
	}
	if err == nil {
		return nil, errTooLarge
	}
	for attempt := 0; err == unix.ERANGE && attempt < xattrAttempts; attempt++ {
		if n, err = x.valueInto(name, nil); err != nil {
			break
		}
		if n > maxBytes {
			return nil, errTooLarge
		}
		buf := make([]byte, n+1) // a length of 0 would ask for the size once more
		if n, err = x.valueInto(name, buf); err == nil && n <= maxBytes {
			return buf[:n:n], nil
		}
	}
	return nil, err
}

// splitNames parts a list of attributes: each name ends in NUL.
func splitNames(list []byte) []string {
	names := strings.Split(string(list), "\x00")
	return slices.DeleteFunc(names, func(name string) bool { return name == "" })
}
