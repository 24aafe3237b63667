package archive

import (
	"context"
	"slices"

	"dura/archive/format"
)

// Refence puts a lost fence of a complete band together from the band's hunks, as far as these tell: each says which hunks of other bands
// stand ahead of it. What it gives has the entries that the tail wants, or it is an error.
func (b *Band) Refence(ctx context.Context, r format.FenceRef) ([]format.HunkRef, error) {
	i := slices.IndexFunc(b.fences, func(s fenceSlot) bool { return s.resident == nil && s.ref.Band == r.Band && s.ref.Number == r.Number })
	if i < 0 {
		return nil, &Error{Op: opRead, Band: r.Band, Object: format.FenceName(r.Band, r.Number), Kind: KindNotFound}
	}
	f, err := b.refence(ctx, i)
	if err != nil {
		return nil, err
	}
	return f.refs, nil
}

// refence does so for the i-th fence, once.
func (b *Band) refence(ctx context.Context, i int) (*fence, error) {
	b.refenced.mu.Lock()
	defer b.refenced.mu.Unlock()
	if f := b.refenced.fences[i]; f != nil {
		return f, nil
	}
	ref := &b.fences[i].ref
	s := &salvage{archive: b.archive, id: ref.Band, quiet: true}
	there, err := s.list(ctx, "index/")
	if err != nil {
		return nil, err
	}
	slots, err := s.readHunks(ctx, there[format.HunkObject])
	if err != nil {
		return nil, err
	}
	end := b.firstPath(i + 1)
	slots = slices.DeleteFunc(slots, func(s fenceSlot) bool {
		return format.Compare(s.ref.FirstPath, ref.FirstPath) < 0 || end != format.Root && format.Compare(s.ref.FirstPath, end) >= 0
	})
	slices.SortFunc(slots, func(x, y fenceSlot) int { return format.Compare(x.ref.FirstPath, y.ref.FirstPath) })
	var refs []format.HunkRef
	for _, slot := range slots {
		refs = append(refs, slot.resident.refs...)
	}
	f := newFence(refs)
	if err := checkFence(f, ref, end); err != nil {
		return nil, err
	}
	if b.refenced.fences == nil {
		b.refenced.fences = map[int]*fence{}
	}
	b.refenced.fences[i] = f
	return f, nil
}
