package fs

import (
	"time"

	"dura/archive/format"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// forever is how long the kernel may keep what lies in a band.
const forever = 24 * time.Hour

const (
	unitBytes      = 512  // of Attr.Blocks
	preferredBytes = 4096 // Attr.Blksize: the size of a page
	madeMode       = 0o555
)

var typeBits = map[format.Kind]uint32{
	format.File: unix.S_IFREG, format.Directory: unix.S_IFDIR, format.Symlink: unix.S_IFLNK, format.FIFO: unix.S_IFIFO,
	format.Socket: unix.S_IFSOCK, format.CharDevice: unix.S_IFCHR, format.BlockDevice: unix.S_IFBLK,
}

// attrOf is what stat tells of an entry. The access time is the modification time: entries have no other.
//
// A directory's link count is 1, which says that its subdirectories were not counted, as on btrfs: to count them would
// take a read of the index for each directory that is merely listed.
func (o *Options) attrOf(e *format.Entry, id nodeID) fuse.Attr {
	a := fuse.Attr{
		Ino: uint64(id), Mode: typeBits[e.Kind] | e.Mode, Nlink: max(e.Links, 1), Blksize: preferredBytes,
		Owner: fuse.Owner{Uid: e.Owner.UID, Gid: e.Owner.GID},
	}
	setTimes(&a, e.MTime, e.CTime)
	if o.UID != nil {
		a.Uid = *o.UID
	}
	if o.GID != nil {
		a.Gid = *o.GID
	}
	switch e.Kind {
	case format.File:
		a.Size = uint64(e.Size)
		data, _ := spanBytes(e)
		a.Blocks = units(data)
	case format.Symlink:
		a.Size = uint64(len(e.Target))
	case format.CharDevice, format.BlockDevice:
		a.Rdev = encodeDevice(e.Rdev)
	}
	return a
}

func setTimes(a *fuse.Attr, modified, changed format.Time) {
	a.Mtime, a.Mtimensec = uint64(modified.Seconds), modified.Nanos
	a.Atime, a.Atimensec = a.Mtime, a.Mtimensec
	a.Ctime, a.Ctimensec = uint64(changed.Seconds), changed.Nanos
}

// spanBytes is how much data a file has, holes not counted. Exact is false where that takes reading the span lists: archives of
// before they said it have such; all that the lists cover stands in for it then.
func spanBytes(e *format.Entry) (data int64, exact bool) {
	exact = true
	for i := range e.Spans {
		data += int64(e.Spans[i].Bytes)
	}
	for i := range e.SpanLists {
		l := &e.SpanLists[i]
		if l.DataBytes == 0 {
			exact = false
			data += l.ContentBytes
		}
		data += l.DataBytes
	}
	return data, exact
}

func units(dataBytes int64) uint64 { return (uint64(dataBytes) + unitBytes - 1) / unitBytes }

// encodeDevice is a device number as the protocol has it: twelve bits of major number, twenty of minor number.
func encodeDevice(d format.DeviceNumber) uint32 {
	return d.Minor&0xff | d.Major<<8&0xfff00 | d.Minor<<12&0xfff00000
}
