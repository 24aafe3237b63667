package dedup

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"dura/archive/format"
)

// Commit makes what was collected last, and be found; takes in what other processes have committed; merges segments so
// that there are few; and drops what is damaged or forgotten. A crash leaves the index as it was before, or as it is after.
// An error leaves what was collected as it is, to be committed later, unless that can't be read any more, which the error then says.
func (x *Index) Commit() error {
	x.work.Lock()
	defer x.work.Unlock()
	if err := x.checkOpen(); err != nil {
		return err
	}
	err := x.refresh()
	for err == nil {
		x.dropDamaged()
		err = x.rewrite()
		if err == nil {
			return nil
		}
		if s, cause := segmentOf(err); s != nil {
			x.tell(s.spoil(cause))
			err = nil
		}
	}
	var lost *lostError
	if errors.As(err, &lost) {
		x.dropPending()
	}
	return fmt.Errorf("the deduplication index in %s was not brought up to date: %w", x.dir, err)
}

// Forget drops what was added of the bands that keep says no to. It is not found any more at once, and gone from the disk with the
// next merge. Other processes, and a later Open, find it until then. Content that other bands tell of too may be lost with it, as an index
// keeps one place, unless those are added later.
func (x *Index) Forget(keep func(format.BandID) bool) {
	x.work.Lock()
	defer x.work.Unlock()
	x.pending.forget(keep)
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, s := range x.segments {
		for i := range s.bands {
			if keep(s.bands[i].id) || s.forgotten != nil && s.forgotten[i] {
				continue
			}
			if s.forgotten == nil {
				s.forgotten = make([]bool, len(s.bands))
			}
			s.forgotten[i] = true
			s.goneRecords += s.bands[i].records
		}
	}
}

func (x *Index) tell(damage *DamageError) {
	if !damage.again {
		x.options.Damaged(damage)
	}
}

// rewrite does what plan says. The segments of later groups come first, so that the places of the others stay.
func (x *Index) rewrite() error {
	loads := make([]load, len(x.segments))
	for i, s := range x.segments {
		loads[i] = load{s.records, s.goneRecords}
	}
	groups := plan(loads, !x.pending.empty(), x.pending.records, x.options.SmallRecords)
	for _, g := range slices.Backward(groups) {
		if err := x.rewriteGroup(g); err != nil {
			return err
		}
	}
	return nil
}

func (x *Index) rewriteGroup(g group) error {
	var collected *pending
	if g.to == len(x.segments) {
		collected = x.pending
	}
	old := x.segments[g.from:g.to]
	d := x.draft(old, collected)
	var made []*segment
	if len(d.bands) > 0 {
		s, err := d.write(x.dir, x.options.Random)
		if err != nil {
			return err
		}
		made = []*segment{s}
	}
	x.swap(slices.Concat(x.segments[:g.from], made, x.segments[g.to:]))
	removeAll(old)
	if collected != nil {
		x.dropPending()
	}
	return nil
}

// draft is the segment that holds what these segments do, and what was collected.
func (x *Index) draft(old []*segment, collected *pending) *draft {
	var t table
	d := &draft{archive: x.archive}
	if collected != nil {
		t.take(collected.bands, collected.gone)
		for _, s := range x.segments {
			d.sequence = max(d.sequence, s.sequence+1)
		}
	}
	for _, s := range old {
		t.take(s.bands, s.forgotten)
	}
	t.settle()
	if collected != nil {
		d.sources = collected.sources(t.places(collected.bands, collected.gone))
	}
	for _, s := range slices.Backward(old) {
		reader := s.reader(readBufferBytes)
		d.sources = append(d.sources, &source{next: reader.next, bands: t.places(s.bands, s.forgotten), from: s})
		d.replaced = append(d.replaced, s.id)
		d.sequence = max(d.sequence, s.sequence)
	}
	d.bands, d.replaced = t.bands, d.replaced[:min(len(d.replaced), maxReplaced)]
	return d
}

// swap makes these the segments of the index, and closes those that were and are not any more.
func (x *Index) swap(segments []*segment) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if slices.Equal(segments, x.segments) {
		return
	}
	for _, s := range x.segments {
		if !slices.Contains(segments, s) {
			s.close()
		}
	}
	x.segments = segments
	x.generation++
}

func removeAll(segments []*segment) {
	for _, s := range segments {
		_ = os.Remove(s.path) // if it stays, whoever opens the index finds it to be replaced
	}
}

// dropDamaged removes segments that were found to be damaged.
func (x *Index) dropDamaged() {
	var sound, damaged []*segment
	for _, s := range x.segments {
		if s.damaged.Load() {
			damaged = append(damaged, s)
		} else {
			sound = append(sound, s)
		}
	}
	if len(damaged) > 0 {
		x.swap(sound)
		removeAll(damaged)
	}
}
