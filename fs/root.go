package fs

import (
	"context"
	"iter"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

const latestName = "latest"

// Offsets in the root.
const (
	latestOffset = firstOffset + iota
	slotOffset   // and a slot's number
)

// root is the directory of all bands, when there is more than one to see.
type root struct{ f *FileSystem }

func (d root) attr(ctx context.Context) (fuse.Attr, time.Duration, error) {
	if err := d.f.bands.refresh(ctx); err != nil {
		return fuse.Attr{}, 0, err
	}
	v := d.f.bands.view()
	a := madeAttr(rootID, fuse.S_IFDIR|madeMode, d.f.options.Mounter, v.changedAt)
	a.Nlink = uint32(2 + len(v.slots))
	return a, d.f.options.Refresh, nil
}

func (d root) lookup(ctx context.Context, name string) (child, error) {
	if err := d.f.bands.refresh(ctx); err != nil {
		return child{}, err
	}
	if newest := d.f.bands.newest(); name == latestName && newest != nil {
		return d.f.linkTo(newest), nil
	}
	s := d.f.bands.find(name)
	if s == nil {
		return child{}, syscall.ENOENT
	}
	c := bandTop{d.f, s}.child()
	if c.bare {
		var err error
		c.attr, c.lifetime, err = bandTop{d.f, s}.attr(ctx)
		c.bare = false
		return c, err
	}
	return c, nil
}

func (d root) list(ctx context.Context, offset uint64) iter.Seq2[child, error] {
	return func(yield func(child, error) bool) {
		if err := d.f.bands.refresh(ctx); err != nil {
			yield(child{}, err)
			return
		}
		v := d.f.bands.view()
		if v.latest != nil && offset < latestOffset && !yield(d.f.linkTo(v.latest), nil) {
			return
		}
		for _, s := range v.slots {
			c := bandTop{d.f, s}.child()
			c.offset = uint64(slotOffset + s.number)
			if c.offset > offset && !yield(c, nil) {
				return
			}
		}
	}
}

func (d root) parent() nodeID { return rootID }

// ended has the kernel forget what it saw, in a while.
func (d root) ended() { d.f.expireRoot() }

// linkTo is the link latest, when it points to the band of s. Another band means another node: so what the kernel keeps of
// one link stays true.
func (f *FileSystem) linkTo(s *slot) child {
	l := latestLink{f, s}
	return child{name: latestName, id: l.id(), offset: latestOffset, attr: l.made(), lifetime: f.options.Refresh}
}

// latestLink is a link to a band from beside it.
type latestLink struct {
	f    *FileSystem
	slot *slot
}

func (l latestLink) id() nodeID     { return madeNode(latestClass, l.slot.number) }
func (l latestLink) target() string { return string(l.slot.id) }

func (l latestLink) made() fuse.Attr {
	a := madeAttr(l.id(), fuse.S_IFLNK|0o777, l.f.options.Mounter, l.slot.id.Time())
	a.Size = uint64(len(l.target()))
	return a
}

func (l latestLink) attr(context.Context) (fuse.Attr, time.Duration, error) {
	return l.made(), l.f.options.Refresh, nil
}

// made finds what the mount makes up.
func (f *FileSystem) made(id nodeID) (node, error) {
	c, number := id.made()
	switch {
	case id == rootID:
		return root{f}, nil
	case c == latestClass:
		if s := f.bands.slot(number); s != nil {
			return latestLink{f, s}, nil
		}
	}
	return nil, syscall.ESTALE
}
