package archive

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"dura/archive/format"
	"dura/archive/storage"
)

const (
	readsAtOnce   = 8
	maxDamageKept = 1000
)

// salvage puts a band together from what fences and hunks it has.
type salvage struct {
	archive *Archive
	id      format.BandID
	strict  bool // damage is an error, and no alarm
	quiet   bool // damage is passed over without an alarm
	damage  []error
}

// listed is an object found by listing.
type listed struct {
	number    uint64
	sizeBytes int64
}

// openIncomplete opens a band without its tail, for the reason that tailDamage gives if it should have one.
func (a *Archive) openIncomplete(ctx context.Context, id format.BandID, tailDamage error) (*Band, error) {
	s := &salvage{archive: a, id: id}
	if err := s.pass(tailDamage); err != nil {
		return nil, err
	}
	there, err := s.list(ctx, "index/")
	if err != nil {
		return nil, err
	}
	fences, loose, err := s.readIndex(ctx, there)
	if err != nil {
		return nil, err
	}
	row, rest := rowOf(fences, loose)
	slots, err := s.inOrder(append(append(fences, row...), apart(fences, row, rest)...))
	if err != nil {
		return nil, err
	}
	b := newBand(a, id, joinResidents(slots))
	b.damage = s.damage
	return b, nil
}

// readIndex reads the fences, and the hunks that are in none.
func (s *salvage) readIndex(ctx context.Context, there inventory) (fences, loose []fenceSlot, err error) {
	fences, covered, err := s.readFences(ctx, there[format.FenceObject])
	if err != nil {
		return nil, nil, err
	}
	hunks := slices.DeleteFunc(there[format.HunkObject], func(h listed) bool { return covered[h.number] })
	loose, err = s.readHunks(ctx, hunks)
	return fences, loose, err
}

// pass passes over damage, unless the alarm that it is ends the run.
func (s *salvage) pass(err error) error {
	if err == nil || isContextError(err) || s.strict {
		return err
	}
	if len(s.damage) < maxDamageKept {
		s.damage = append(s.damage, err)
	}
	if s.quiet {
		return nil
	}
	return s.archive.raise(err)
}

// inventory is what numbered objects of each kind a band has, each in the order of their names.
type inventory map[format.ObjectKind][]listed

// list lists the objects of the band, those in one of its folders.
func (s *salvage) list(ctx context.Context, folder string) (inventory, error) {
	prefix := format.BandsPrefix + string(s.id) + "/" + folder
	there := inventory{}
	for info, err := range s.archive.storage.List(ctx, prefix, storage.Deep) {
		if err != nil {
			return nil, objectError(opOpenBand, s.id, prefix, err)
		}
		switch _, kind, number, _ := format.ParseObjectName(info.Name); kind {
		case format.FenceObject, format.HunkObject, format.SpansObject, format.BlockObject, format.ParityObject:
			there[kind] = append(there[kind], listed{number, info.SizeBytes})
		}
	}
	return there, nil
}

// read reads an index object whose hash is not known, and says how to refer to it.
func (s *salvage) read(ctx context.Context, kind format.ObjectKind, l listed) (indexObject, indexKey, error) {
	k := indexKey{kind: kind, band: s.id, number: l.number, storedBytes: l.sizeBytes}
	if l.sizeBytes > format.MaxIndexBytes {
		return nil, k, contradiction(s.id, k.name(), "it has %d bytes, and %d are the most", l.sizeBytes, format.MaxIndexBytes)
	}
	object, err := mended(ctx, s.archive, k.name(), func(from source) (indexObject, error) {
		bytes := l.sizeBytes
		_, other := from.(substitute)
		if other { // it may have had another size
			bytes = format.MaxIndexBytes
		}
		stored, err := from.Read(ctx, k.name(), 0, int(bytes))
		if err == nil && !other && int64(len(stored)) != bytes {
			err = &sizeError{int64(len(stored)), bytes}
		}
		var object indexObject
		if err == nil {
			k.sum, k.storedBytes = format.SumBytes(stored), int64(len(stored))
			object, err = s.archive.decodeIndex(k, stored)
		}
		return object, objectError(opOpenBand, s.id, k.name(), err)
	})
	return object, k, err
}

// readFences reads fences, and says which of the band's own hunks they cover.
func (s *salvage) readFences(ctx context.Context, list []listed) (slots []fenceSlot, covered map[uint64]bool, err error) {
	covered = map[uint64]bool{}
	var mu sync.Mutex
	slots, err = s.each(ctx, list, func(ctx context.Context, l listed) (fenceSlot, error) {
		object, k, err := s.read(ctx, format.FenceObject, l)
		if err != nil {
			return fenceSlot{}, err
		}
		f := object.(*fence)
		if len(f.refs) == 0 {
			return fenceSlot{}, contradiction(s.id, k.name(), "it is empty")
		}
		mu.Lock()
		defer mu.Unlock()
		var own numberOf
		for i := range f.refs {
			if f.refs[i].Band == s.id {
				covered[f.refs[i].Number] = true
				own = numberOf{f.refs[i].Number, true}
			}
		}
		return fenceSlot{ownHunk: own, ref: format.FenceRef{
			Band: s.id, Number: k.number, StoredBytes: k.storedBytes, SHA256: k.sum, Entries: f.entries(), FirstPath: f.refs[0].FirstPath,
		}}, nil
	})
	return slots, covered, err
}

// readHunks reads hunks, and makes a resident fence of each, with what is to stand ahead of it.
func (s *salvage) readHunks(ctx context.Context, list []listed) ([]fenceSlot, error) {
	return s.each(ctx, list, func(ctx context.Context, l listed) (fenceSlot, error) {
		object, k, err := s.read(ctx, format.HunkObject, l)
		if err != nil {
			return fenceSlot{}, err
		}
		h := object.(*hunk)
		if len(h.entries) == 0 {
			return fenceSlot{}, contradiction(s.id, k.name(), "it is empty")
		}
		ref := format.HunkRef{
			Band: s.id, Number: k.number, StoredBytes: k.storedBytes, SHA256: k.sum, Entries: int64(len(h.entries)), FirstPath: h.entries[0].Path,
		}
		f := newFence(append(slices.Clone(h.before), ref))
		if f.entries() < ref.Entries {
			return fenceSlot{}, contradiction(s.id, k.name(), "too many entries stand ahead of it")
		}
		return fenceSlot{
			ref: format.FenceRef{Band: s.id, Entries: f.entries(), FirstPath: f.refs[0].FirstPath}, resident: f,
			ownHunk: numberOf{k.number, true}, previous: h.previous, lastPath: h.entries[len(h.entries)-1].Path,
		}, nil
	})
}

// each reads what is listed, several at a time, and passes over what can't be read.
func (s *salvage) each(ctx context.Context, list []listed, read func(context.Context, listed) (fenceSlot, error)) ([]fenceSlot, error) {
	slots := make([]fenceSlot, len(list))
	failures := make([]error, len(list))
	var g errgroup.Group
	g.SetLimit(readsAtOnce)
	for i, l := range list {
		g.Go(func() error {
			slots[i], failures[i] = read(ctx, l)
			return ctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var good []fenceSlot
	for i := range slots {
		if failures[i] == nil {
			good = append(good, slots[i])
		} else if err := s.pass(failures[i]); err != nil {
			return nil, err
		}
	}
	return good, nil
}

// inOrder brings slots into path order, and leaves out what can't be in one.
func (s *salvage) inOrder(slots []fenceSlot) ([]fenceSlot, error) {
	slices.SortStableFunc(slots, func(x, y fenceSlot) int {
		return cmp.Or(format.Compare(x.ref.FirstPath, y.ref.FirstPath), cmp.Compare(x.ref.Number, y.ref.Number))
	})
	var good []fenceSlot
	left := int64(math.MaxInt64)
	for i, slot := range slots {
		if i > 0 && len(good) > 0 && good[len(good)-1].ref.FirstPath == slot.ref.FirstPath || slot.ref.Entries > left {
			name := fenceKey(&slot.ref).name()
			if slot.resident != nil {
				name = hunkKey(slot.resident.last()).name()
			}
			if err := s.pass(contradiction(s.id, name, "%q is in another one, too", slot.ref.FirstPath)); err != nil {
				return nil, err
			}
			continue
		}
		left -= slot.ref.Entries
		good = append(good, slot)
	}
	return good, nil
}

// joinResidents makes one fence of resident ones that are neighbours.
func joinResidents(slots []fenceSlot) []fenceSlot {
	var joined []fenceSlot
	var refs []format.HunkRef
	end := func() {
		if len(refs) > 0 {
			f := newFence(refs)
			joined = append(joined, fenceSlot{resident: f, ref: format.FenceRef{
				Band: refs[0].Band, Entries: f.entries(), FirstPath: refs[0].FirstPath,
			}})
			refs = nil
		}
	}
	for _, slot := range slots {
		if slot.resident != nil {
			refs = append(refs, slot.resident.refs...)
			continue
		}
		end()
		joined = append(joined, slot)
	}
	end()
	return joined
}
