package fs

import (
	"context"
	"iter"
	"syscall"

	"dura/archive"
	"dura/archive/format"
)

// maxNameBytes is what the kernel takes for a name in a listing; one that is longer would spoil all of it.
const maxNameBytes = 1024

// listing is what is in a directory of a band. The offset behind an entry is its ordinal and entryOffset.
type listing struct {
	f     *FileSystem
	slot  *slot
	band  *archive.Band
	id    nodeID
	place dirPlace
}

const entryOffset = firstOffset

func (d listing) parent() nodeID { return d.place.parent }
func (d listing) ended()         {}

func (d listing) lookup(ctx context.Context, name string) (child, error) {
	path := d.place.path.Join(name)
	switch {
	case len(name) > maxNameBytes || len(path) > format.MaxPathBytes:
		return child{}, syscall.ENAMETOOLONG
	case !format.ValidName(name):
		return child{}, syscall.ENOENT
	}
	l, err := d.band.Lookup(ctx, path)
	if err != nil {
		if c, is := d.lost(ctx, name, err); is {
			return c, nil
		}
		return child{}, err
	}
	c, err := d.child(ctx, l)
	if err == nil && c.bare {
		c.attr, c.lifetime, err = bandEntry{d.f, d.slot, d.band, l.Entry, c.id}.attr(ctx)
		c.bare = false
	}
	return c, err
}

func (d listing) list(ctx context.Context, offset uint64) iter.Seq2[child, error] {
	return func(yield func(child, error) bool) {
		if name, is, err := d.lostBehind(offset); err != nil {
			yield(child{}, err)
			return
		} else if is {
			d.listLost(ctx, name, yield)
			return
		}
		from, err := d.nameAt(ctx, offset)
		if err != nil {
			yield(child{}, err)
			return
		}
		damaged := d.f.damaged.Contains(d.id)
		if from != "" && !damaged && d.endsAt(offset) {
			return
		}
		var seen span // of ordinals
		defer func() { d.listAhead(seen) }()
		for l, err := range d.band.ReadDir(ctx, d.place.path, from) {
			var c child
			if err == nil {
				seen.add(l.Ordinal)
				c, err = d.child(ctx, l)
			}
			damaged = damaged || isLoss(err)
			if len(c.name) <= maxNameBytes && !yield(c, err) {
				return
			}
		}
		if damaged {
			d.listLost(ctx, "", yield)
		}
	}
}

// listAhead notes what was listed and begins to fetch what a walk through the tree would list next.
func (d listing) listAhead(seen span) {
	if seen.from == seen.to {
		return
	}
	s := d.f.ahead.listed(d.slot.number, seen.from, seen.to)
	for at := s.from; at < s.to; at += hunkStep {
		d.band.Prefetch(at)
	}
}

// nameAt is the name of the entry that offset is behind; "" at the front.
func (d listing) nameAt(ctx context.Context, offset uint64) (string, error) {
	if offset < entryOffset {
		return "", nil
	}
	l, err := d.band.At(ctx, int64(offset-entryOffset))
	if err != nil {
		return "", err
	}
	dir, name := l.Path.Split()
	if dir != d.place.path {
		return "", syscall.EINVAL // no offset that this directory gave
	}
	return name, nil
}

// endsAt reports whether it is known that nothing of the directory comes behind an offset that it gave. Every listing ends by asking.
func (d listing) endsAt(offset uint64) bool {
	l, err := d.band.At(atOnce(), int64(offset-entryOffset)+1)
	if err != nil {
		return archive.Is(err, archive.KindNotFound)
	}
	dir, _ := l.Path.Split()
	return dir != d.place.path
}

// child is the entry l of the directory.
func (d listing) child(ctx context.Context, l archive.Located) (child, error) {
	if l.Ordinal > maxOrdinals {
		return child{}, syscall.EOVERFLOW
	}
	_, name := l.Path.Split()
	id := d.f.entryID(ctx, d.slot, d.band, l)
	if l.Kind == format.Directory {
		d.f.dirs.Add(id, dirPlace{l.Path, d.id})
	}
	_, exact := spanBytes(l.Entry)
	return child{
		name: name, id: id, offset: uint64(l.Ordinal) + entryOffset, attr: d.f.options.attrOf(l.Entry, id), lifetime: forever,
		bare: !exact,
	}, nil
}

// entryID is the node id of an entry: that of the first entry of its hard-link group, which is one file. Where that can't be
// found the entry is a file of its own.
func (f *FileSystem) entryID(ctx context.Context, s *slot, b *archive.Band, l archive.Located) nodeID {
	if l.LinkTo != format.Root && l.Kind != format.Directory {
		first, err := b.Lookup(ctx, l.LinkTo)
		switch {
		case err == nil && first.Kind == l.Kind && first.LinkTo == format.Root:
			return entryNode(s.number, first.Ordinal)
		case err != nil:
			f.alarms.raise(err, subject{s.id, l.Path})
		}
	}
	return entryNode(s.number, l.Ordinal)
}
