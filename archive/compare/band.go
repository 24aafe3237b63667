package compare

import (
	"context"
	"iter"
	"strings"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/format"
	"dura/archive/storage"
)

// band compares what two copies of an archive have of one band.
type band struct {
	*run
	id        format.BandID
	states    [2]archive.BandState
	told      map[string]bool           // objects that a finding is about
	texts     map[string]bool           // head and tail, where both have them
	sums      [2]map[string]format.Hash // of head and tail, as .sha256 has them
	resized   [][2]storage.Info         // objects of which the sizes differ
	readSums  bool                      // both .sha256 were read to the end
	lacks     [2]string                 // an object for which a .sha256 has no line, and the other's has
	disagreed []string                  // objects of which the .sha256 have different hashes, up to a bound
	same      map[string]bool           // of texts, those that are the same in both
	indexes   *indexes                  // where one of them was rebuilt
}

// maxDisagreed bounds how many objects are told of whose hashes differ.
const maxDisagreed = 10_000

func (r *run) newBand(h, t archive.BandState) *band {
	return &band{
		run: r, id: h.ID, states: [2]archive.BandState{h, t}, told: map[string]bool{}, texts: map[string]bool{}, same: map[string]bool{},
		sums: [2]map[string]format.Hash{{}, {}},
	}
}

func (b *band) compare(ctx context.Context) error {
	for _, step := range []func(context.Context) error{b.lookAtIndexes, b.listings, b.sumsOfBoth, b.ends, b.disagreements, b.tellRebuilt} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if b.readSums || b.indexes != nil || b.same[format.TailName(b.id)] {
		return nil
	}
	return b.index(ctx)
}

// object tells of an object, once.
func (b *band) object(condition alarm.Condition, name, reason string, args ...any) error {
	if b.told[name] {
		return nil
	}
	b.told[name] = true
	return b.differ(areaOf(name), condition, name, reason, args...)
}

// listings compares which objects there are, and their sizes.
func (b *band) listings(ctx context.Context) error {
	prefix := format.BandsPrefix + string(b.id)
	var streams [2]iter.Seq2[storage.Info, error]
	var forRepair [2][]storage.Info
	for s, a := range b.archives {
		streams[s] = a.Storage().List(ctx, prefix, storage.Deep)
	}
	for both, failed := range merged(streams, func(x, y *storage.Info) int { return strings.Compare(x.Name, y.Name) }) {
		if failed != nil { // what is behind nobody knows
			return b.failed(ctx, failed.side, prefix, failed.err)
		}
		for s, info := range both {
			if info != nil && archive.IsForRepair(info.Name) {
				forRepair[s] = append(forRepair[s], *info)
			}
		}
		if err := b.listed(both); err != nil {
			return err
		}
	}
	for s, a := range b.archives {
		a.Listed(b.id, forRepair[s])
	}
	for _, both := range b.resized {
		if err := b.sizes(ctx, both); err != nil {
			return err
		}
	}
	return nil
}

// listed compares what the listings have of one object.
func (b *band) listed(both [2]*storage.Info) error {
	h, t := both[here], both[there]
	name := either(h, t).Name
	switch of, kind, _, err := format.ParseObjectName(name); {
	case err != nil, of != b.id, kind == format.OtherObject, kind == format.ParityObject, kind == format.DeletedObject:
		return nil
	case b.indexes.isOfOne(name, kind, h != nil, t != nil):
		if h != nil && t != nil {
			b.count(func(res *Result) { res.Objects++ })
		}
		return nil
	case h == nil:
		return b.object(alarm.Missing, name, "%s has it", b.o.Other)
	case t == nil && b.states[there].Complete:
		return b.object(alarm.Missing, name, "it is missing from %s", b.o.Other)
	case t == nil:
		b.count(func(res *Result) { res.ObjectsNotThere++ })
		return nil
	case kind == format.HeadObject, kind == format.TailObject:
		b.texts[name] = true
	case kind != format.SumsObject && h.SizeBytes != t.SizeBytes: // .sha256 may have been made anew of the rest
		b.resized = append(b.resized, [2]storage.Info{*h, *t})
	}
	b.count(func(res *Result) { res.Objects++ })
	return nil
}

// sizes compares the sizes of an object that differ, unless a repaired copy makes up for that.
func (b *band) sizes(ctx context.Context, both [2]storage.Info) error {
	for s, a := range b.archives {
		name, repaired, err := a.LastRepaired(ctx, both[s].Name)
		if err != nil {
			return b.failed(ctx, side(s), both[s].Name, err)
		}
		if !repaired {
			continue
		}
		copied, err := a.Storage().Stat(ctx, name)
		if err != nil {
			return b.failed(ctx, side(s), name, err)
		}
		both[s].SizeBytes = copied.SizeBytes
	}
	if both[here].SizeBytes == both[there].SizeBytes {
		return nil
	}
	return b.object(alarm.Mismatch, both[here].Name, "it has %d bytes, and %d in %s", both[here].SizeBytes, both[there].SizeBytes, b.o.Other)
}

func either[T any](x, y *T) *T {
	if x != nil {
		return x
	}
	return y
}
