package fs

import (
	"context"
	"strings"
	"syscall"

	"dura/archive/format"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// Attributes that the mount adds. They are not listed unless that is asked for, lest they be copied.
const (
	hashXAttr  = "user.dura.sha256" // of the content, in hexadecimal
	bandXAttr  = "user.dura.band"
	stateXAttr = "user.dura.state" // complete, incomplete or damaged

	maxXAttrNameBytes = 255
)

var errNoXAttr = syscall.Errno(fuse.ENOATTR)

func (e bandEntry) xattr(_ context.Context, name string) ([]byte, error) {
	for i := range e.entry.XAttrs {
		if x := &e.entry.XAttrs[i]; x.Name == name {
			return x.Value, nil
		}
	}
	switch {
	case name == bandXAttr:
		return []byte(e.slot.id), nil
	case name == stateXAttr:
		return []byte(stateOf(e.slot, e.band)), nil
	case name == hashXAttr && e.hasHash():
		return []byte(e.entry.SHA256.String()), nil
	}
	return nil, errNoXAttr
}

func (e bandEntry) hasHash() bool { return e.entry.Kind == format.File && !e.entry.SHA256.IsZero() }

func (e bandEntry) xattrNames(context.Context) ([]string, error) {
	names := make([]string, 0, len(e.entry.XAttrs)+3)
	for i := range e.entry.XAttrs {
		if name := e.entry.XAttrs[i].Name; validXAttrName(name) {
			names = append(names, name)
		}
	}
	if e.f.options.ListAdded {
		names = append(names, bandXAttr, stateXAttr)
		if e.hasHash() {
			names = append(names, hashXAttr)
		}
	}
	return names, nil
}

func validXAttrName(name string) bool {
	return name != "" && len(name) <= maxXAttrNameBytes && strings.IndexByte(name, 0) < 0
}

// GetXAttr implements fuse.RawFileSystem.
func (f *FileSystem) GetXAttr(interrupt <-chan struct{}, header *fuse.InHeader, name string, dest []byte) (uint32, fuse.Status) {
	f.requests.getXAttr.Add(1)
	r := f.begin(interrupt, header)
	defer r.answered()
	n, err := f.attributed(r, nodeID(header.NodeId))
	if err != nil {
		return 0, f.answer(r, err)
	}
	value, err := n.xattr(r, name)
	if err != nil {
		return 0, f.answer(r, err)
	}
	return fill(dest, value)
}

// ListXAttr implements fuse.RawFileSystem.
func (f *FileSystem) ListXAttr(interrupt <-chan struct{}, header *fuse.InHeader, dest []byte) (uint32, fuse.Status) {
	f.requests.listXAttr.Add(1)
	r := f.begin(interrupt, header)
	defer r.answered()
	n, err := f.attributed(r, nodeID(header.NodeId))
	if err == errNoXAttr {
		return 0, fuse.OK
	}
	if err != nil {
		return 0, f.answer(r, err)
	}
	names, err := n.xattrNames(r)
	if err != nil {
		return 0, f.answer(r, err)
	}
	var list []byte
	for _, name := range names {
		list = append(append(list, name...), 0)
	}
	return fill(dest, list)
}

// attributed finds the node of id, if it may have extended attributes.
func (f *FileSystem) attributed(r *request, id nodeID) (attributed, error) {
	n, err := f.node(r, id)
	if err != nil {
		return nil, err
	}
	a, ok := n.(attributed)
	if !ok {
		return nil, errNoXAttr
	}
	return a, nil
}

// fill answers with value, or with its size where dest is too small.
func fill(dest, value []byte) (uint32, fuse.Status) {
	if len(value) > len(dest) {
		return uint32(len(value)), fuse.ERANGE
	}
	return uint32(copy(dest, value)), fuse.OK
}
