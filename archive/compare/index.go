package compare

import (
	"context"
	"maps"
	"slices"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/format"
)

// index compares what the indexes of both say of the band's own objects: where the hashes of a fence or a hunk differ, those of what that refers
// to. Of what has one hash nothing is read twice.
func (b *band) index(ctx context.Context) error {
	var bands [2]*archive.Band
	for s, a := range b.archives {
		var err error
		if bands[s], err = a.OpenBand(ctx, b.states[s]); err != nil {
			return b.failed(ctx, side(s), format.BandsPrefix+string(b.id), err)
		}
	}
	var own [2]map[uint64]format.HunkRef
	for s, of := range bands {
		own[s] = map[uint64]format.HunkRef{}
		for _, f := range of.Fences() {
			if f.Band == b.id {
				own[s][f.Number] = format.HunkRef(f)
			}
		}
	}
	err := b.each(own, format.FenceName, func(_, _ format.HunkRef) error { return nil })
	if err != nil {
		return err
	}
	for s, of := range bands {
		clear(own[s])
		for ref, err := range of.Hunks(ctx) {
			if err != nil {
				if err := b.failed(ctx, side(s), format.BandsPrefix+string(b.id), err); err != nil {
					return err
				}
				continue
			}
			if ref.Band == b.id {
				own[s][ref.Number] = ref
			}
		}
	}
	return b.each(own, format.HunkName, func(h, t format.HunkRef) error { return b.hunk(ctx, [2]format.HunkRef{h, t}) })
}

// each tells of the objects whose hashes differ, and goes into them.
func (b *band) each(own [2]map[uint64]format.HunkRef, name func(format.BandID, uint64) string, into func(h, t format.HunkRef) error) error {
	for _, number := range slices.Sorted(maps.Keys(own[here])) {
		h := own[here][number]
		t, both := own[there][number]
		if !both || h.SHA256 == t.SHA256 {
			continue
		}
		if err := b.object(alarm.Mismatch, name(b.id, number), "the index in %s has another hash of it", b.o.Other); err != nil {
			return err
		}
		if err := into(h, t); err != nil {
			return err
		}
	}
	return nil
}

// hunk compares the blocks and span lists that two hunks refer to.
func (b *band) hunk(ctx context.Context, refs [2]format.HunkRef) error {
	var objects [2]map[string]format.Hash
	for s, a := range b.archives {
		entries, err := a.Hunk(ctx, refs[s])
		if err != nil {
			return b.failed(ctx, side(s), format.HunkName(refs[s].Band, refs[s].Number), err)
		}
		objects[s] = b.referred(entries)
	}
	for _, name := range slices.Sorted(maps.Keys(objects[here])) {
		if t, both := objects[there][name]; both && objects[here][name] != t {
			if err := b.object(alarm.Mismatch, name, "the index in %s has another hash of it", b.o.Other); err != nil {
				return err
			}
		}
	}
	return nil
}

// referred are the band's own objects that entries refer to.
func (b *band) referred(entries []format.Entry) map[string]format.Hash {
	objects := map[string]format.Hash{}
	for i := range entries {
		for block := range format.BlocksOf(entries[i].Spans) {
			if block.Band == b.id {
				objects[block.Name()] = block.SHA256
			}
		}
		for _, l := range entries[i].SpanLists {
			if l.Band == b.id {
				objects[format.SpansName(l.Band, l.Number)] = l.SHA256
			}
		}
	}
	return objects
}
