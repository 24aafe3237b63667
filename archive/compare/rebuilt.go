package compare

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"strings"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/format"
)

// indexes are those that count in two copies of a band, where one of them was rebuilt.
type indexes struct {
	bands [2]*archive.Band
	has   [2]map[string]format.Hash // own objects of the index that counts, and what refers to them says they are
	same  bool
}

// lookAtIndexes notes what belongs to the index that counts in each copy, if one of them was rebuilt and both are complete. Objects of another index than that
// say nothing of damage.
func (b *band) lookAtIndexes(ctx context.Context) error {
	if b.states[here].Rebuilt+b.states[there].Rebuilt == 0 || !b.states[here].Complete || !b.states[there].Complete {
		return nil
	}
	found := &indexes{}
	var tails [2]string
	for s, a := range b.archives {
		opened, err := a.OpenBand(ctx, b.states[s])
		if err != nil {
			return b.failed(ctx, side(s), format.BandsPrefix+string(b.id), err)
		}
		found.bands[s] = opened
		tails[s] = opened.TailName() + string(format.EncodeTail(opened.Tail()))
		if found.has[s], err = b.indexObjects(ctx, side(s), opened); err != nil {
			return err
		}
	}
	found.same = tails[here] == tails[there]
	b.indexes = found
	return nil
}

// indexObjects are the band's own objects of its index. What can't be read is told of.
func (b *band) indexObjects(ctx context.Context, s side, of *archive.Band) (map[string]format.Hash, error) {
	has := map[string]format.Hash{cmp.Or(of.TailName(), format.TailName(b.id)): {}}
	for _, f := range of.Fences() {
		if f.Band == b.id {
			has[format.FenceName(f.Band, f.Number)] = f.SHA256
		}
	}
	for ref, err := range of.Hunks(ctx) {
		if err == nil && ref.Band != b.id {
			continue
		}
		var entries []format.Entry
		if err == nil {
			has[format.HunkName(ref.Band, ref.Number)] = ref.SHA256
			entries, err = b.archives[s].Hunk(ctx, ref)
		}
		if err != nil {
			if err := b.failedOnce(ctx, s, err); err != nil {
				return nil, err
			}
			continue
		}
		for name, sum := range b.referred(entries) {
			if isOfIndex(kindOf(name)) {
				has[name] = sum
			}
		}
	}
	return has, nil
}

// failedOnce is failed, once for each object.
func (b *band) failedOnce(ctx context.Context, s side, err error) error {
	name := alarmOf(format.BandsPrefix+string(b.id), err).Filename
	if b.told[name] && ctx.Err() == nil {
		return nil
	}
	b.told[name] = true
	return b.failed(ctx, s, name, err)
}

func kindOf(name string) format.ObjectKind {
	_, kind, _, _ := format.ParseObjectName(name)
	return kind
}

func isOfIndex(kind format.ObjectKind) bool {
	switch kind {
	case format.HunkObject, format.SpansObject, format.FenceObject, format.TailObject, format.RebuiltTailObject:
		return true
	}
	return false
}

// isOfOne reports whether an object is no part of the index that counts where it is missing; or, where both have it, that it need not be the same.
func (x *indexes) isOfOne(name string, kind format.ObjectKind, isHere, isThere bool) bool {
	if x == nil || !isOfIndex(kind) {
		return false
	}
	h, ofHere := x.has[here][name]
	t, ofThere := x.has[there][name]
	switch {
	case !isHere:
		return !ofHere
	case !isThere:
		return !ofThere
	}
	if kind == format.RebuiltTailObject {
		return !x.same
	}
	return kind != format.TailObject && (!ofHere || !ofThere || h != t)
}

// countsInOne reports whether name is a tail that counts in one of the copies alone, and is there what it was: the other may be anything.
func (b *band) countsInOne(name string, sums [2]format.Hash) bool {
	if b.indexes == nil || kindOf(name) != format.TailObject {
		return false
	}
	_, ofHere := b.indexes.has[here][name]
	_, ofThere := b.indexes.has[there][name]
	switch {
	case ofHere && ofThere:
		return false
	case ofHere:
		return sums[here] == b.sums[here][name]
	case ofThere:
		return sums[there] == b.sums[there][name]
	}
	return true
}

// sameIndex reports whether the indexes that count are known to be the same.
func (b *band) sameIndex() bool {
	if b.indexes != nil {
		return b.indexes.same
	}
	return b.same[format.TailName(b.id)]
}

// tellRebuilt tells of a band that was rebuilt in one of the copies, or in each in another way, and what of its entries only one of them has.
func (b *band) tellRebuilt(ctx context.Context) error {
	if b.indexes == nil || b.indexes.same {
		return nil
	}
	d, err := b.entriesOfBoth(ctx)
	if err != nil {
		return err
	}
	names := [2]string{b.indexes.bands[here].TailName(), b.indexes.bands[there].TailName()}
	var reason string
	name := names[here]
	switch isHere, isThere := kindOf(names[here]) == format.RebuiltTailObject, kindOf(names[there]) == format.RebuiltTailObject; {
	case isHere && isThere:
		reason = "here and in %s the index of the band was rebuilt, and not in the same way"
	case isHere:
		reason = "here the index of the band was rebuilt, and %s has the one that was stored"
	default:
		reason, name = "in %s the index of the band was rebuilt, and here is the one that was stored", names[there]
	}
	return b.object(alarm.Mismatch, name, "%s: %s", fmt.Sprintf(reason, b.o.Other), d.text(b.o.Other))
}

// some counts entries, and has the first one.
type some struct {
	count int64
	first format.Path
}

func (s *some) add(p format.Path) {
	if s.count == 0 {
		s.first = p
	}
	s.count++
}

// differences are those of the entries of two copies of a band.
type differences struct{ onlyHere, onlyThere, other some }

func (d *differences) text(otherArchive string) string {
	var parts []string
	for _, p := range []struct {
		some
		what string
	}{{d.onlyThere, "entries in " + otherArchive + " alone"}, {d.onlyHere, "entries here alone"}, {d.other, "entries of which one has no content, or another"}} {
		if p.count > 0 {
			parts = append(parts, fmt.Sprintf("%s: %d, the first is /%s", p.what, p.count, p.first))
		}
	}
	if len(parts) == 0 {
		return "both have the same files with the same content, but the rebuilt one may lack metadata and fractions of seconds"
	}
	return strings.Join(parts, "; ") + "; restore these from where they are whole"
}

// entriesOfBoth compares the entries of the two copies.
func (b *band) entriesOfBoth(ctx context.Context) (d differences, err error) {
	var streams [2]iter.Seq2[archive.Located, error]
	for s, of := range b.indexes.bands {
		streams[s] = of.Subtree(ctx, format.Root)
	}
	for both, failed := range merged(streams, func(x, y *archive.Located) int { return format.Compare(x.Path, y.Path) }) {
		switch h, t := both[here], both[there]; {
		case failed != nil:
			if err := b.failedOnce(ctx, failed.side, failed.err); err != nil {
				return d, err
			}
		case h == nil:
			d.onlyThere.add(t.Path)
		case t == nil:
			d.onlyHere.add(h.Path)
		default:
			found, err := b.verdict(ctx, [2]*format.Entry{h.Entry, t.Entry})
			if err != nil {
				return d, err
			}
			if found != same {
				d.other.add(h.Path)
			}
		}
	}
	return d, nil
}
