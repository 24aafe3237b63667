package fs

import (
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// Lookup implements fuse.RawFileSystem. That a name isn't there is an answer too, and as good for as long.
func (f *FileSystem) Lookup(interrupt <-chan struct{}, header *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	f.requests.lookup.Add(1)
	r := f.begin(interrupt, header)
	defer r.answered()
	id := nodeID(header.NodeId)
	d, err := f.directory(r, id)
	if err != nil {
		return f.answer(r, err)
	}
	if r.about.band != "" {
		r.about.path = r.about.path.Join(name)
	}
	c, err := d.lookup(r, name)
	switch {
	case err == nil:
		fillEntry(out, &c)
		return fuse.OK
	case errnoOf(err) == syscall.ENOENT:
		lifetime := forever
		if _, _, inBand := id.band(); !inBand && !f.isSingle() {
			lifetime = f.options.Refresh
		}
		out.SetEntryTimeout(lifetime)
		return fuse.OK // with node id 0
	}
	return f.answer(r, err)
}

func fillEntry(out *fuse.EntryOut, c *child) {
	out.NodeId = uint64(c.id)
	out.Generation = 1
	out.Attr = c.attr
	out.SetEntryTimeout(c.lifetime)
	out.SetAttrTimeout(c.lifetime)
}

// Forget implements fuse.RawFileSystem. Nothing was remembered.
func (f *FileSystem) Forget(uint64, uint64) {}

// GetAttr implements fuse.RawFileSystem.
func (f *FileSystem) GetAttr(interrupt <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	f.requests.getAttr.Add(1)
	r := f.begin(interrupt, &in.InHeader)
	defer r.answered()
	n, err := f.node(r, nodeID(in.NodeId))
	if err != nil {
		return f.answer(r, err)
	}
	attr, lifetime, err := n.attr(r)
	out.Attr = attr
	out.SetTimeout(lifetime)
	return f.answer(r, err)
}

// Readlink implements fuse.RawFileSystem.
func (f *FileSystem) Readlink(interrupt <-chan struct{}, header *fuse.InHeader) ([]byte, fuse.Status) {
	f.requests.readlink.Add(1)
	r := f.begin(interrupt, header)
	defer r.answered()
	n, err := f.node(r, nodeID(header.NodeId))
	if err != nil {
		return nil, f.answer(r, err)
	}
	l, ok := n.(link)
	if !ok {
		return nil, fuse.EINVAL
	}
	return []byte(l.target()), fuse.OK
}
