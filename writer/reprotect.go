package writer

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/format"
	"dura/archive/parity"
)

// reprotect reads back, once, what earlier runs have stored of the band and left in no group, and adds it to groups. A group counts
// where all its members, as they are, and all its parity objects are there. Own are the objects that this run has stored, and sizes those of
// all there are.
func (p *pipeline) reprotect(ctx context.Context, own map[string]bool, sizes map[string]int64) error {
	if p.store.protection == nil {
		return nil
	}
	grouped, err := p.grouped(ctx, sizes, own)
	if err != nil {
		return err
	}
	var loose []string
	for name := range sizes {
		_, kind, _, _ := format.ParseObjectName(name)
		if _, is := parity.ClassOf(kind); is && !own[name] && !grouped[name] {
			loose = append(loose, name)
		}
	}
	slices.SortFunc(loose, func(x, y string) int { return compareObjects(sizes, x, y) })
	if !anyBlock(own) {
		p.store.protection.vary(p.o.Random)
		defer p.store.protection.vary(nil)
	}
	for _, name := range loose {
		if err := p.readBack(ctx, name, sizes[name]); err != nil {
			return err
		}
	}
	return nil
}

// anyBlock reports whether any of names is a block's. If a run has stored none, one before it has stored them all and did not live to
// protect them.
func anyBlock(names map[string]bool) bool {
	for name := range names {
		if _, kind, _, _ := format.ParseObjectName(name); kind == format.BlockObject {
			return true
		}
	}
	return false
}

// compareObjects orders objects of a band by kind, size and number: the parity of a group is as long as its longest member.
func compareObjects(sizes map[string]int64, x, y string) int {
	_, kindX, numberX, _ := format.ParseObjectName(x)
	_, kindY, numberY, _ := format.ParseObjectName(y)
	return cmp.Or(cmp.Compare(kindX, kindY), cmp.Compare(sizes[x], sizes[y]), cmp.Compare(numberX, numberY))
}

// grouped are the objects of earlier runs that a whole group protects.
func (p *pipeline) grouped(ctx context.Context, sizes map[string]int64, own map[string]bool) (map[string]bool, error) {
	grouped, seen := map[string]bool{}, map[uint64]bool{}
	for _, name := range slices.Sorted(maps.Keys(sizes)) {
		_, kind, number, _ := format.ParseObjectName(name)
		if kind != format.ParityObject || own[name] || seen[number] {
			continue
		}
		g, _, err := p.archive.ReadParityGroup(ctx, archive.ParityObject{Name: name, StoredBytes: sizes[name]})
		if err != nil {
			if err := lostOnly(err); err != nil {
				return nil, err
			}
			continue // the next one of the group may tell
		}
		seen[number] = true
		as, err := p.isAsItSays(ctx, g, sizes)
		if err != nil {
			return nil, err
		}
		for _, m := range g.Members {
			grouped[m.Name] = grouped[m.Name] || as
		}
	}
	return grouped, nil
}

// isAsItSays reports whether a group is whole, of objects as they are: a run that was killed before it had stored a member may have left
// the name to another.
func (p *pipeline) isAsItSays(ctx context.Context, g *parity.Group, sizes map[string]int64) (bool, error) {
	if !g.IsThere(sizes) {
		return false, nil
	}
	for _, m := range g.Members {
		if err := p.learnSum(ctx, m.Name, sizes[m.Name]); err != nil {
			return false, err
		}
	}
	outdated := g.IsOutdated(func(name string) (format.Hash, bool) {
		sum, known := p.store.sums[name]
		return sum, known
	})
	return !outdated, nil
}

// readBack adds an object of an earlier run to a group. One that is not what the index says it is, is told of and left out.
func (p *pipeline) readBack(ctx context.Context, name string, sizeBytes int64) error {
	object, err := p.archive.Storage().Read(ctx, name, 0, int(sizeBytes))
	if err != nil {
		return err
	}
	sum := format.SumBytes(object)
	if known, is := p.store.sums[name]; is && known != sum {
		return p.o.Alarms.Raise(alarm.Alarm{
			Area: alarm.Band, Condition: alarm.Mismatch, Filename: name, Err: &format.MismatchError{What: "object"},
			Message: "it is not what was stored, and so has no parity",
		})
	}
	p.store.sums[name] = sum
	return p.store.protection.add(ctx, name, sum, object)
}
