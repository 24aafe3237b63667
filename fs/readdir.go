package fs

import (
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// ReadDir implements fuse.RawFileSystem.
func (f *FileSystem) ReadDir(interrupt <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	f.requests.readDir.Add(1)
	return f.readDir(interrupt, in, func(e fuse.DirEntry, _ *child) bool { return out.AddDirEntry(e) })
}

// ReadDirPlus implements fuse.RawFileSystem: a listing that looks up each name as well.
func (f *FileSystem) ReadDirPlus(interrupt <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	f.requests.readDirPlus.Add(1)
	return f.readDir(interrupt, in, func(e fuse.DirEntry, c *child) bool {
		entry := out.AddDirLookupEntry(e)
		if entry != nil && c != nil && !c.bare {
			fillEntry(entry, c)
		}
		return entry != nil
	})
}

// readDir lists what comes behind an offset, as far as add takes it.
func (f *FileSystem) readDir(interrupt <-chan struct{}, in *fuse.ReadIn, add func(fuse.DirEntry, *child) bool) fuse.Status {
	r := f.begin(interrupt, &in.InHeader)
	defer r.answered()
	id := nodeID(in.NodeId)
	d, err := f.directory(r, id)
	if err != nil {
		return f.answer(r, err)
	}
	if in.Offset == 0 {
		f.damaged.Remove(id) // perhaps it can be read by now
	}
	if in.Offset < dotOffset && !add(fuse.DirEntry{Name: ".", Ino: uint64(id), Mode: fuse.S_IFDIR, Off: dotOffset}, nil) {
		return fuse.EINVAL
	}
	if in.Offset < dotDotOffset &&
		!add(fuse.DirEntry{Name: "..", Ino: uint64(d.parent()), Mode: fuse.S_IFDIR, Off: dotDotOffset}, nil) {
		return fuse.OK
	}
	return f.addChildren(r, d, in, add)
}

// addChildren lists all that can be read. Where some could not, the listing fails at its end, when everything else has been
// handed out: whoever lists must not take what is there for all there is.
func (f *FileSystem) addChildren(r *request, d directory, in *fuse.ReadIn, add func(fuse.DirEntry, *child) bool) fuse.Status {
	added := in.Offset < dotDotOffset
	for c, err := range d.list(r, max(in.Offset, dotDotOffset)) {
		if err != nil {
			status := f.answer(r, err)
			if r.Err() != nil || status != fuse.EIO {
				return status
			}
			f.damaged.Add(nodeID(in.NodeId), struct{}{})
			continue
		}
		if !add(fuse.DirEntry{Name: c.name, Ino: uint64(c.id), Mode: c.attr.Mode, Off: c.offset}, &c) {
			return fuse.OK
		}
		added = true
	}
	if added {
		return fuse.OK
	}
	if f.damaged.Contains(nodeID(in.NodeId)) {
		return fuse.Status(syscall.EIO)
	}
	d.ended()
	return fuse.OK
}
