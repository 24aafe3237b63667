package repair

import (
	"context"
	"maps"
	"slices"

	"dura/archive"
	"dura/archive/format"
	"dura/archive/parity"
	"dura/archive/storage"
)

// sums are what a band's .sha256 says.
type sums struct {
	lines map[string]format.Hash
	whole bool // it can be read to its end
}

// collect notes what the index of a band refers to, and what else tells of its objects.
func (r *run) collect(ctx context.Context, s archive.BandState) error {
	if !r.archive.CanOpen(s.ID) {
		return r.collectLocked(ctx, s)
	}
	b, err := r.archive.OpenBand(ctx, s)
	if err != nil {
		return r.found(ctx, format.TailName(s.ID), err)
	}
	if t := b.Tail(); b.Complete() {
		r.want(format.HeadName(s.ID), t.HeadSHA256)
		if !t.AlarmsSHA256.IsZero() {
			r.want(format.AlarmsName(s.ID), t.AlarmsSHA256)
		}
	}
	for _, damage := range b.Damage() {
		if err := r.found(ctx, archive.AlarmOf(damage).Filename, damage); err != nil {
			return err
		}
	}
	for _, f := range b.Fences() {
		r.want(format.FenceName(f.Band, f.Number), f.SHA256)
		r.fences[format.FenceName(f.Band, f.Number)] = fenceOf{b, f}
	}
	if err := r.collectIndex(ctx, b); err != nil {
		return err
	}
	if !s.Complete {
		return nil
	}
	var referred map[string]want
	if b.TailName() != format.TailName(s.ID) {
		referred = maps.Clone(r.wants)
	}
	if err := r.collectSums(ctx, s); err != nil {
		return err
	}
	if name := b.TailName(); b.Complete() {
		if sum, made := r.replaced[name]; made {
			r.setWant(name, want{sum: sum})
		} else if _, known := r.wants[name]; !known {
			r.setWant(name, want{})
		}
		if name != format.TailName(s.ID) {
			r.outdate(s.ID, referred)
		}
	}
	return nil
}

// outdate notes what .sha256 has of the index that a band had before it was rebuilt: its loss is none.
func (r *run) outdate(band format.BandID, referred map[string]want) {
	r.outdated[format.TailName(band)] = true
	for _, name := range r.wantedOf(band) {
		_, kind, _, _ := format.ParseObjectName(name)
		if _, used := referred[name]; !used && (kind == format.HunkObject || kind == format.FenceObject || kind == format.SpansObject) {
			r.outdated[name] = true
		}
	}
}

// wereComplete finds bands that have lost tail and sums: a band of which another one took unchanged files was complete, and one that
// stored its alarms had stored all of its index.
func (r *run) wereComplete(ctx context.Context, living []archive.BandState) error {
	parents := map[format.BandID]bool{}
	if !slices.ContainsFunc(living, func(s archive.BandState) bool { return !s.Complete }) {
		return nil
	}
	for _, s := range living {
		head, _, err := r.archive.BandHead(ctx, s.ID)
		if err != nil {
			if err := ignoreDamage(ctx, err); err != nil {
				return err
			}
			continue
		}
		parents[head.Parent] = true
	}
	for i := range living {
		s := &living[i]
		if s.Complete || !r.archive.CanOpen(s.ID) {
			continue
		}
		alarms, err := archive.IsThere(ctx, r.archive.Storage(), format.AlarmsName(s.ID))
		if err != nil {
			return err
		}
		s.Complete = alarms || parents[s.ID]
	}
	return nil
}

// collectLocked does so without the archive's key: .sha256 and the parity have the hashes of all that is stored.
func (r *run) collectLocked(ctx context.Context, s archive.BandState) error {
	if !s.Complete {
		return nil
	}
	return r.collectSums(ctx, s)
}

// want notes the hash of an object that something refers to.
func (r *run) want(name string, sum format.Hash) (first bool) {
	_, known := r.wants[name]
	r.setWant(name, want{sum: sum})
	delete(r.outdated, name)
	return !known
}

// setWant notes what an object should be. None is ever taken away.
func (r *run) setWant(name string, w want) {
	if _, known := r.wants[name]; !known {
		if band, _, _, err := format.ParseObjectName(name); err == nil {
			r.names[band] = append(r.names[band], name)
		}
	}
	r.wants[name] = w
}

// collectIndex goes through the hunks of a band that no band before had.
func (r *run) collectIndex(ctx context.Context, b *archive.Band) error {
	for ref, err := range b.Hunks(ctx) {
		if err != nil {
			if err := r.found(ctx, archive.AlarmOf(err).Filename, err); err != nil {
				return err
			}
			continue
		}
		if !r.want(format.HunkName(ref.Band, ref.Number), ref.SHA256) {
			continue
		}
		entries, err := r.archive.Hunk(ctx, ref)
		if err != nil {
			if err := r.found(ctx, format.HunkName(ref.Band, ref.Number), err); err != nil {
				return err
			}
			continue
		}
		for i := range entries {
			if err := r.collectEntry(ctx, &ref, &entries[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *run) collectEntry(ctx context.Context, hunk *format.HunkRef, e *format.Entry) error {
	r.collectSpans(e.Spans)
	for i, l := range e.SpanLists {
		name := format.SpansName(l.Band, l.Number)
		if !r.want(name, l.SHA256) {
			if _, lost := r.lists[name]; lost {
				r.loseList(hunk, e, i)
			}
			continue
		}
		spans, err := r.archive.Spans(ctx, l)
		if err != nil {
			r.loseList(hunk, e, i)
			if err := r.found(ctx, name, err); err != nil {
				return err
			}
			continue
		}
		r.collectSpans(spans)
	}
	return nil
}

func (r *run) collectSpans(spans []format.Span) {
	for b := range format.BlocksOf(spans) {
		r.want(b.Name(), b.SHA256)
	}
}

// collectSums notes what .sha256, or where that is damaged the parity, says of objects that nothing in the index refers to: the tail,
// and blocks that hold directories or links alone.
func (r *run) collectSums(ctx context.Context, s archive.BandState) error {
	said := &sums{lines: map[string]format.Hash{}}
	r.sums[s.ID] = said
	grouped := map[string]format.Hash{}
	err := r.archive.ParityGroups(ctx, s.ID, func(g archive.GroupState) error {
		if g.Group == nil {
			return nil
		}
		for i := range g.Members {
			grouped[g.Members[i].Name] = g.Members[i].SHA256
		}
		return nil
	})
	if err != nil {
		return err
	}
	name, repaired, err := r.archive.LastRepaired(ctx, format.SumsName(s.ID))
	if err != nil {
		return err
	}
	if !repaired {
		name = format.SumsName(s.ID)
	}
	text, err := r.archive.Storage().Read(ctx, name, 0, maxSumsBytes)
	switch {
	case ctx.Err() != nil || storage.Is(err, storage.KindUnavailable):
		return err
	case err == nil:
		lines, err := format.DecodeSums(text)
		said.whole = err == nil
		for _, l := range lines {
			name, ok := format.NameOf(l.Object, r.archive.Head().Sealed())
			if of, _, _, err := format.ParseObjectName(name); !ok || err != nil || of != s.ID {
				said.whole = false
				continue
			}
			said.lines[name] = l.SHA256
		}
	}
	for name, sum := range r.replaced {
		if _, said := said.lines[name]; said || grouped[name] != (format.Hash{}) {
			r.setWant(name, want{sum: sum})
		}
	}
	for name, sum := range said.lines {
		if _, known := r.wants[name]; !known && !r.isGone(name) {
			r.setWant(name, want{sum: sum, alt: grouped[name]})
		}
	}
	for name, sum := range grouped {
		if _, known := r.wants[name]; !known && !said.whole && !r.isGone(name) {
			r.setWant(name, want{sum: sum})
		}
	}
	if name := format.TailName(s.ID); r.wants[name].sum.IsZero() && r.replaced[name].IsZero() {
		r.setWant(name, want{sum: grouped[name]})
	}
	return nil
}

// maxSumsBytes is more than any band needs: 10 million objects.
const maxSumsBytes = 1 << 30

// bandsWanted are the bands of all objects that are wanted.
func (r *run) bandsWanted() []format.BandID { return slices.Sorted(maps.Keys(r.names)) }

// wantedOf are the objects of a band that are wanted, parity objects aside, by name.
func (r *run) wantedOf(band format.BandID) (names []string) {
	for _, name := range r.names[band] {
		_, kind, _, _ := format.ParseObjectName(name)
		if _, is := parity.ClassOf(kind); is {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
