package fs

import (
	"context"
	"syscall"
	"time"

	"dura/archive/format"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// madeAttr is what stat tells of something that the mount makes up.
func madeAttr(id nodeID, mode uint32, owner Owner, at time.Time) fuse.Attr {
	a := fuse.Attr{
		Ino: uint64(id), Mode: mode, Nlink: 1, Blksize: preferredBytes, Owner: fuse.Owner{Uid: owner.UID, Gid: owner.GID},
	}
	t := format.TimeOf(at)
	setTimes(&a, t, t)
	return a
}

// at is c with the offset behind it.
func (c child) at(offset uint64) child {
	c.offset = offset
	return c
}

// madeDir is a directory that the mount makes up.
func (f *FileSystem) madeDir(id nodeID, name string) child {
	at := f.bands.view().changedAt
	if at.IsZero() { // one band is shown alone
		at = f.since
	}
	a := madeAttr(id, fuse.S_IFDIR|madeMode, f.options.Mounter, at)
	return child{name: name, id: id, attr: a, lifetime: f.options.Refresh}
}

// madeLink is a link to the directory of a band. One to another band is another node: so what the kernel keeps of a link
// stays true.
func (f *FileSystem) madeLink(c class, name string, s *slot) child {
	l := bandLinkTo{f, c, s}
	return child{name: name, id: l.id(), attr: l.made(), lifetime: f.options.Refresh}
}

// bandLinkTo is a link to the directory of a band.
type bandLinkTo struct {
	f     *FileSystem
	class class
	slot  *slot
}

func (l bandLinkTo) id() nodeID { return madeNode(l.class, l.slot.number) }

func (l bandLinkTo) target() string {
	if l.class == memberClass {
		return "../../" + string(l.slot.id)
	}
	return string(l.slot.id)
}

func (l bandLinkTo) made() fuse.Attr {
	a := madeAttr(l.id(), fuse.S_IFLNK|0o777, l.f.options.Mounter, l.slot.id.Time())
	a.Size = uint64(len(l.target()))
	return a
}

func (l bandLinkTo) attr(context.Context) (fuse.Attr, time.Duration, error) {
	return l.made(), l.f.options.Refresh, nil
}

// fixedDir is the attributes of a directory that the mount makes up.
type fixedDir struct {
	f  *FileSystem
	id nodeID
}

func (d fixedDir) attr(context.Context) (fuse.Attr, time.Duration, error) {
	c := d.f.madeDir(d.id, "")
	return c.attr, c.lifetime, nil
}

func (d fixedDir) parent() nodeID { return rootID }

// ended has the kernel forget what it saw, in a while.
func (d fixedDir) ended() { d.f.kernel.expire(d.id, d.f.options.Refresh) }

// made finds what the mount makes up.
func (f *FileSystem) made(id nodeID) (node, error) {
	c, number := id.made()
	switch {
	case id == rootID:
		return root{f}, nil
	case id == hiddenID:
		return hidden{fixedDir{f, id}}, nil
	case id == hostsID:
		return hostsDir{fixedDir{f, id}}, nil
	case c == statusClass:
		if s := f.status.at(number); s != nil {
			return statusFile{f, s}, nil
		}
	case c == hostClass:
		if name, ok := f.hosts.name(number); ok {
			return hostDir{fixedDir{f, id}, name}, nil
		}
	case c == lostClass:
		return f.lostDir(number)
	case c == latestClass || c == memberClass:
		if s := f.bands.slot(number); s != nil {
			return bandLinkTo{f, c, s}, nil
		}
	}
	return nil, syscall.ESTALE
}
