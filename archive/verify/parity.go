package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/event"
	"dura/archive/format"
	"dura/archive/parity"
)

var errNotInGroup = errors.New("it has no parity, which its band is to have")

// parity checks the parity of complete bands: that every object is in a group, and that all parity objects are there; deeper than
// Objects, that they are what they should be.
func (r *run) parity(ctx context.Context, bands []format.BandID) error {
	for _, band := range bands {
		grouped := grouping{}
		if err := r.groups(ctx, band, grouped); err != nil {
			if err := r.found(ctx, err); err != nil {
				return err
			}
			continue
		}
		if len(grouped) == 0 && !r.wantsParity(ctx, band) {
			continue
		}
		if err := r.ungrouped(ctx, band, grouped); err != nil {
			return err
		}
	}
	return nil
}

// ungrouped tells of the objects that are in no group. A block that nothing refers to and .sha256 does not name is none of the band's: another
// backup may have stored it, once the band was complete.
func (r *run) ungrouped(ctx context.Context, band format.BandID, grouped grouping) error {
	unnamed := map[string]bool{}
	for _, id := range r.sorted(band) {
		name := id.name(band)
		if _, is := parity.ClassOf(id.kind); !is || grouped[name] != inNone || r.isDamaged(name) {
			continue
		}
		if id.kind == format.BlockObject && r.refs[band][id].sizeBytes == unknownSize {
			unnamed[name] = true
			continue
		}
		if err := r.object(alarm.Band, alarm.Missing, name, errNotInGroup); err != nil {
			return err
		}
	}
	if len(unnamed) == 0 {
		return nil
	}
	return r.eachSum(ctx, band, func(sum format.Sum) error {
		if name, ok := format.NameOf(sum.Object, r.archive.Head().Sealed()); ok && unnamed[name] {
			return r.object(alarm.Band, alarm.Missing, name, errNotInGroup)
		}
		return nil
	})
}

// wantsParity reports whether the head of a band says that it is to have parity.
func (r *run) wantsParity(ctx context.Context, band format.BandID) bool {
	head, _, err := r.archive.BandHead(ctx, band)
	if err != nil {
		return false
	}
	scheme, err := parity.ParseScheme(head.Settings.Parity)
	return err == nil && scheme.Is()
}

// grouping says of objects what groups they are in.
type grouping map[string]membership

type membership int

const (
	inNone membership = iota
	inPart            // in groups alone that lack parity objects
	inWhole
)

// groups checks the parity objects of the groups of a band. One that lacks some of them counts as damaged only if it is needed: a run that
// was killed may have left it so, and the next has put its members into others.
func (r *run) groups(ctx context.Context, band format.BandID, grouped grouping) error {
	var lacking []archive.GroupState
	err := r.archive.ParityGroups(ctx, band, func(g archive.GroupState) error {
		if g.Group == nil {
			return nil // whose members are in no group then, unless a repair has made another
		}
		in, outdated := inPart, g.IsOutdated(r.sumOf)
		if !outdated && len(g.Objects) == len(g.Parity) {
			in = inWhole
		}
		for i := range g.Members {
			grouped[g.Members[i].Name] = max(in, grouped[g.Members[i].Name])
		}
		switch {
		case outdated:
			return nil
		case in == inPart:
			lacking = append(lacking, g)
			return nil
		}
		return r.parityObjects(ctx, g)
	})
	for _, g := range lacking {
		if err == nil && slices.ContainsFunc(g.Members, func(m parity.Member) bool { return grouped[m.Name] != inWhole && r.isReferred(m.Name) }) {
			err = r.parityObjects(ctx, g)
		}
	}
	return err
}

// isReferred reports whether something refers to an object, or it is there. A member that its run did not live to store is neither.
func (r *run) isReferred(name string) bool {
	band, kind, number, _ := format.ParseObjectName(name)
	return r.update(band, objectID{kind, number}, func(*want) {})
}

func (r *run) parityObjects(ctx context.Context, g archive.GroupState) error {
	for i := range g.Parity {
		if err := r.parityObject(ctx, g, i); err != nil {
			return err
		}
	}
	return nil
}

// sumOf is what the hash of an object should be, if that is known.
func (r *run) sumOf(name string) (format.Hash, bool) {
	band, kind, number, _ := format.ParseObjectName(name)
	r.mu.Lock()
	defer r.mu.Unlock()
	w, known := r.refs[band][objectID{kind, number}]
	return w.sum, known && !w.sum.IsZero()
}

func (r *run) parityObject(ctx context.Context, g archive.GroupState, place int) error {
	name := g.ObjectName(place)
	r.count(func(res *Result, _ *event.Totals) { res.Objects++ })
	i := slices.IndexFunc(g.Objects, func(o archive.ParityObject) bool { return o.Name == name })
	if _, repaired, err := r.archive.LastRepaired(ctx, name); err != nil || repaired && r.o.Depth == Objects {
		return err
	} else if i < 0 && !repaired {
		return r.object(alarm.Band, alarm.Missing, name, nil)
	}
	if r.o.Depth == Objects {
		if want := g.ObjectBytes(); g.Objects[i].StoredBytes != want {
			return r.object(alarm.Band, alarm.Mismatch, name, fmt.Errorf("it has %d bytes, where %d are expected", g.Objects[i].StoredBytes, want))
		}
		return nil
	}
	size := int64(-1)
	if i >= 0 {
		size = g.Objects[i].StoredBytes
	}
	whole, readBytes, err := r.archive.ParityIsWhole(ctx, g.ParityGroup, place, size, &r.buf)
	if err != nil {
		return err
	}
	r.count(func(res *Result, done *event.Totals) {
		res.Bytes += readBytes
		done.ContentBytes += readBytes
	})
	if !whole {
		return r.object(alarm.Band, alarm.Mismatch, name, &format.MismatchError{What: "parity object"})
	}
	return nil
}

// mended counts as damaged what the archive has told of: what could be read, but not from where it should be.
func (r *run) mended() {
	for _, name := range r.archive.Mended() {
		if !r.isDamaged(name) {
			r.count(func(res *Result, done *event.Totals) {
				res.Damaged++
				done.Alarms++
			})
		}
	}
}

// isRepaired reports whether there is a repaired copy of an object; deeper than Objects, one that has the hash, if that is known.
func (r *run) isRepaired(ctx context.Context, name string, sum format.Hash) (bool, error) {
	copied, is, err := r.archive.LastRepaired(ctx, name)
	if err != nil || !is || r.o.Depth == Objects || sum.IsZero() {
		return is, err
	}
	_, _, found, err := r.archive.Whole(ctx, name, func(object []byte) bool { return format.SumBytes(object) == sum })
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	return err == nil && found == copied, nil
}
