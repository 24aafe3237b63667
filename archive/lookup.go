package archive

import (
	"context"
	"errors"
	"fmt"
	"sort"

	"dura/archive/format"
)

// Located is an entry and its place in its band. Entries are shared and must not be modified.
type Located struct {
	*format.Entry
	Ordinal int64 // how many entries come before it in path order
}

// Lookup finds the entry at p. Where there is none, the error is of KindNotFound.
func (b *Band) Lookup(ctx context.Context, p format.Path) (Located, error) {
	e, err := b.find(ctx, p)
	if err != nil {
		return Located{}, b.failed(p, err)
	}
	return b.resolved(ctx, e)
}

// find is Lookup for the entry as it is stored.
func (b *Band) find(ctx context.Context, p format.Path) (Located, error) {
	if len(b.fences) == 0 {
		return Located{}, &Error{Op: opLookup, Kind: KindNotFound}
	}
	i := b.fenceOf(p)
	f, err := b.fence(ctx, i)
	if err != nil {
		return Located{}, err
	}
	at := b.place(f, i, f.hunkOf(p))
	h, err := b.hunk(ctx, at)
	if err != nil {
		return Located{}, err
	}
	j := h.from(p)
	if j == len(h.entries) || h.entries[j].Path != p {
		return Located{}, &Error{Op: opLookup, Kind: KindNotFound}
	}
	return Located{&h.entries[j], at.start + int64(j)}, nil
}

// from is the place of the first entry at or behind p.
func (h *hunk) from(p format.Path) int {
	return sort.Search(len(h.entries), func(i int) bool { return format.Compare(h.entries[i].Path, p) >= 0 })
}

// At finds an entry by its place in path order, from 0. Beyond the last one the error is of KindNotFound.
func (b *Band) At(ctx context.Context, ordinal int64) (Located, error) {
	if ordinal < 0 || ordinal >= b.Entries() {
		cause := fmt.Errorf("there is no entry %d among %d", ordinal, b.Entries())
		return Located{}, &Error{Op: opLookup, Band: b.id, Kind: KindNotFound, Err: cause}
	}
	e, err := b.at(ctx, ordinal)
	if err != nil {
		return Located{}, b.failed(format.Root, err)
	}
	return b.resolved(ctx, e)
}

// at is At for the entry as it is stored.
func (b *Band) at(ctx context.Context, ordinal int64) (Located, error) {
	i := sort.Search(len(b.ends), func(i int) bool { return b.ends[i] > ordinal })
	f, err := b.fence(ctx, i)
	if err != nil {
		return Located{}, err
	}
	rest := ordinal - (b.ends[i] - b.fences[i].ref.Entries)
	j := sort.Search(len(f.ends), func(j int) bool { return f.ends[j] > rest })
	place := b.place(f, i, j)
	h, err := b.hunk(ctx, place)
	if err != nil {
		return Located{}, err
	}
	return Located{&h.entries[ordinal-place.start], ordinal}, nil
}

// failed names this band and what was looked for in err. The object at fault may be another band's.
func (b *Band) failed(p format.Path, err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	named := *e
	named.Op, named.Band, named.Path = opLookup, b.id, p
	return &named
}
