package fs

import (
	"context"
	"iter"
	"sync"
	"syscall"
	"time"

	"dura/archive"
	"dura/archive/format"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// A directory whose own entry is in a lost hunk, and with something below it that can be had, is there all the same: with attributes that
// the mount makes up, and an alarm.

// maxLostDirs bounds how many are numbered. Others are errors, as everything else is that can't be read.
const maxLostDirs = 1 << 16

// lostOffset begins the offsets behind such directories: they are listed behind all others.
const lostOffset uint64 = 1 << 62

// lostDirs numbers them.
type lostDirs struct {
	mu      sync.Mutex
	dirs    []lostPlace // by number
	numbers map[lostPlace]int
}

type lostPlace struct {
	slot   int
	path   format.Path
	parent nodeID
}

func (l *lostDirs) number(p lostPlace) (int, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, known := l.numbers[p]
	if !known && len(l.dirs) < maxLostDirs {
		if l.numbers == nil {
			l.numbers = map[lostPlace]int{}
		}
		n, known = len(l.dirs), true
		l.dirs, l.numbers[p] = append(l.dirs, p), n
	}
	return n, known
}

func (l *lostDirs) at(number int) (lostPlace, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if number >= len(l.dirs) {
		return lostPlace{}, false
	}
	return l.dirs[number], true
}

// isLoss reports whether err says that a part of an index is not there any more, or is not what it was.
func isLoss(err error) bool {
	return archive.Is(err, archive.KindMissing) || archive.Is(err, archive.KindCorrupt) || archive.Is(err, archive.KindMismatch)
}

// lost is the directory called name whose entry can't be read, as damage says, if there is something below it.
func (d listing) lost(ctx context.Context, name string, damage error) (child, bool) {
	path := d.place.path.Join(name)
	if !isLoss(damage) || !d.band.IsImplied(ctx, path) {
		return child{}, false
	}
	number, ok := d.f.lost.number(lostPlace{d.slot.number, path, d.id})
	if !ok {
		return child{}, false
	}
	d.f.alarms.raise(damage, subject{d.slot.id, path})
	id := madeNode(lostClass, number)
	a := madeAttr(id, fuse.S_IFDIR|madeMode, d.f.options.Mounter, d.slot.id.Time())
	return child{name: name, id: id, attr: a, lifetime: d.f.options.Refresh, offset: lostOffset + uint64(number)}, true
}

// listLost yields those behind the name from. It reports whether to go on.
func (d listing) listLost(ctx context.Context, from string, yield func(child, error) bool) {
	for name := range d.band.Implied(ctx, d.place.path, from) {
		if _, err := d.band.Lookup(ctx, d.place.path.Join(name)); err != nil {
			if c, is := d.lost(ctx, name, err); is && len(name) <= maxNameBytes && !yield(c, nil) {
				return
			}
		}
	}
}

// lostBehind is the name that an offset is behind, if it is that of such a directory.
func (d listing) lostBehind(offset uint64) (name string, is bool, err error) {
	if offset < lostOffset {
		return "", false, nil
	}
	p, known := d.f.lost.at(int(min(offset-lostOffset, maxLostDirs)))
	dir, name := p.path.Split()
	if !known || p.slot != d.slot.number || dir != d.place.path {
		return "", true, syscall.EINVAL
	}
	return name, true, nil
}

// lostDir is such a directory.
type lostDir struct {
	f      *FileSystem
	number int
	place  lostPlace
	slot   *slot
}

func (f *FileSystem) lostDir(number int) (node, error) {
	if p, ok := f.lost.at(number); ok {
		if s := f.bands.slot(p.slot); s != nil {
			return lostDir{f, number, p, s}, nil
		}
	}
	return nil, syscall.ESTALE
}

func (l lostDir) listing(ctx context.Context) (listing, error) {
	b, err := l.f.open(ctx, l.slot)
	return listing{l.f, l.slot, b, madeNode(lostClass, l.number), dirPlace{l.place.path, l.place.parent}}, err
}

func (l lostDir) attr(context.Context) (fuse.Attr, time.Duration, error) {
	return madeAttr(madeNode(lostClass, l.number), fuse.S_IFDIR|madeMode, l.f.options.Mounter, l.slot.id.Time()), l.f.options.Refresh, nil
}

func (l lostDir) lookup(ctx context.Context, name string) (child, error) {
	d, err := l.listing(ctx)
	if err != nil {
		return child{}, err
	}
	return d.lookup(ctx, name)
}

func (l lostDir) list(ctx context.Context, offset uint64) iter.Seq2[child, error] {
	d, err := l.listing(ctx)
	if err != nil {
		return func(yield func(child, error) bool) { yield(child{}, err) }
	}
	return d.list(ctx, offset)
}

func (l lostDir) parent() nodeID { return l.place.parent }
func (l lostDir) ended()         {}
