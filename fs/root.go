package fs

import (
	"context"
	"iter"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// Names in the root beside those of bands.
const (
	latestName = "latest"
	hostsName  = "by-host"
	hiddenName = ".dura" // not listed: whoever copies or compares the root has no use for it
)

// Offsets in the root.
const (
	latestOffset = firstOffset + iota
	hostsOffset
	bandOffset // and a shown band's number
)

// root is the directory of all bands, when there is more than one to see.
type root struct{ f *FileSystem }

func (d root) attr(ctx context.Context) (fuse.Attr, time.Duration, error) {
	if err := d.f.bands.refresh(ctx); err != nil {
		return fuse.Attr{}, 0, err
	}
	a := madeAttr(rootID, fuse.S_IFDIR|madeMode, d.f.options.Mounter, d.f.bands.view().changedAt)
	return a, d.f.options.Refresh, nil
}

// lookup finds a name. That of a complete band needs no new list: if it is out of date, then by the band's having been deleted.
func (d root) lookup(ctx context.Context, name string) (child, error) {
	if b := d.f.bands.find(name); b != nil && b.slot != nil {
		d.f.bands.start()
		return d.band(ctx, b)
	}
	if err := d.f.bands.refresh(ctx); err != nil {
		return child{}, err
	}
	switch name {
	case latestName:
		if newest := d.f.bands.newest(); newest != nil {
			return d.f.madeLink(latestClass, latestName, newest), nil
		}
	case hiddenName:
		return d.f.madeDir(hiddenID, hiddenName), nil
	case hostsName:
		d.f.hosts.learn(ctx, d.f.bands.view().bands)
		return d.f.madeDir(hostsID, hostsName), nil
	}
	b := d.f.bands.find(name)
	if b == nil {
		return child{}, syscall.ENOENT
	}
	return d.band(ctx, b)
}

// band is the directory of a band, looked up.
func (d root) band(ctx context.Context, b *shownBand) (child, error) {
	s, err := d.f.slotOf(ctx, b)
	if err != nil {
		return child{}, err
	}
	t := bandTop{d.f, s}
	c := child{name: b.name, id: t.id()}
	c.attr, c.lifetime, err = t.attr(ctx)
	return c, err
}

func (d root) list(ctx context.Context, offset uint64) iter.Seq2[child, error] {
	return func(yield func(child, error) bool) {
		if err := d.f.bands.refresh(ctx); err != nil {
			yield(child{}, err)
			return
		}
		v := d.f.bands.view()
		if v.latest != nil && offset < latestOffset {
			if c := d.f.madeLink(latestClass, latestName, v.latest); !yield(c.at(latestOffset), nil) {
				return
			}
		}
		if offset < hostsOffset && d.f.hosts.several(v.bands) {
			if c := d.f.madeDir(hostsID, hostsName); !yield(c.at(hostsOffset), nil) {
				return
			}
		}
		for _, b := range v.bands {
			c := d.listed(b).at(bandOffset + uint64(b.number))
			if c.offset > offset && !yield(c, nil) {
				return
			}
		}
	}
}

// listed is the directory of a band as a listing has it: to say all of an incomplete one, and of one whose permissions count,
// would take opening it.
func (d root) listed(b *shownBand) child {
	if b.slot == nil {
		return child{name: b.name, attr: fuse.Attr{Mode: fuse.S_IFDIR}, bare: true}
	}
	t := bandTop{d.f, b.slot}
	return child{name: b.name, id: t.id(), attr: t.madeAttr(), lifetime: d.f.options.Refresh, bare: t.isExact()}
}

func (d root) parent() nodeID { return rootID }

// ended has the kernel forget what it saw, in a while.
func (d root) ended() { d.f.kernel.expire(rootID, d.f.options.Refresh) }
