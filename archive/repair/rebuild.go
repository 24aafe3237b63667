package repair

import (
	"context"
	"errors"
	"slices"

	"dura/archive"
	"dura/archive/format"
	"dura/archive/repair/reindex"
)

// rebuilding makes the indexes of complete bands anew where they have lost something that can be had nowhere.
type rebuilding struct {
	*run
	living  []archive.BandState
	open    map[format.BandID]*archive.Band // as it is now
	damaged map[format.BandID]*lostIndex
	blocks  map[format.BandID]*reindex.Blocks
	filled  map[reindexKey]stretchFilled
	numbers map[format.BandID]*numbers
	encoder *format.Encoder
	home    format.BandID // whose index is made
	losers  map[reindexKey]map[format.BandID]bool

	relists  map[string][]format.Span      // lost span lists, by name, that were found again
	relisted map[string]format.SpanListRef // those that were stored, by the name of the lost one
}

// lostIndex is a band whose index is to be rebuilt.
type lostIndex struct {
	state archive.BandState
	band  *archive.Band
	old   []reindex.Old
	head  bool // it is lost
	tail  bool // it is lost, or is not what it was
}

// reindexKey tells stretches apart: a lost hunk may be one of several bands.
type reindexKey struct {
	lost string
	at   *reindex.Stretch // where it is none
}

func keyOf(s *reindex.Stretch) reindexKey {
	if s.Lost.Entries > 0 {
		return reindexKey{lost: format.HunkName(s.Lost.Band, s.Lost.Number)}
	}
	return reindexKey{at: s}
}

type stretchFilled struct {
	hunks  []format.HunkRef
	doubts []reindex.Doubt
	left   int64 // entries that nothing tells of; negative: there are so many more than there were
	exact  bool  // every entry is as another index has it
	lists  bool  // nothing was lost but span lists
}

// rebuild makes the indexes of complete bands anew where that is needed, and says which bands have new objects.
func (r *run) rebuild(ctx context.Context, living []archive.BandState) (changed []format.BandID, err error) {
	if len(r.deferred) == 0 {
		return nil, nil
	}
	if keys := r.archive.Keys(); keys != nil && !(keys.Unlocked() && keys.CanSeal()) {
		r.cannotRebuild()
		return nil, nil
	}
	b := &rebuilding{
		run: r, living: living, open: map[format.BandID]*archive.Band{}, damaged: map[format.BandID]*lostIndex{},
		blocks: map[format.BandID]*reindex.Blocks{}, filled: map[reindexKey]stretchFilled{}, numbers: map[format.BandID]*numbers{},
		relists: map[string][]format.Span{}, relisted: map[string]format.SpanListRef{},
	}
	if b.encoder, err = format.NewIndexEncoder(); err != nil {
		return nil, err
	}
	if err := b.relist(ctx); err != nil {
		return nil, err
	}
	for _, s := range living {
		if err := b.look(ctx, s); err != nil {
			return nil, err
		}
	}
	b.narrow()
	if err := b.readBlocks(ctx); err != nil {
		return nil, err
	}
	for _, s := range living {
		if l := b.damaged[s.ID]; l != nil {
			var corrupt *format.CorruptError
			if err := b.band(ctx, l); errors.As(err, &corrupt) && ctx.Err() == nil {
				continue // what is left of it makes no index
			} else if err != nil {
				return nil, err
			}
			changed = append(changed, s.ID)
		}
	}
	b.settle(changed)
	return changed, nil
}

var errNoKey = errors.New("the index is not made anew, for that takes the archive's key")

// cannotRebuild says of what is lost that it might be made anew with the archive's key.
func (r *run) cannotRebuild() {
	for name, err := range r.deferred {
		lost := archive.Error{Op: opRepair, Object: name, Kind: archive.KindMissing, Err: errNoKey}
		var is *archive.Error
		if errors.As(err, &is) {
			lost.Band, lost.Kind = is.Band, is.Kind
		}
		r.deferred[name] = &lost
	}
}

// settle counts what was rebuilt, which is not lost any more.
func (b *rebuilding) settle(changed []format.BandID) {
	for name := range b.deferred {
		of, kind, number, _ := format.ParseObjectName(name)
		done := slices.Contains(changed, of)
		if kind == format.SpansObject {
			_, done = b.relisted[name]
		}
		if kind == format.HunkObject {
			_, done = b.filled[reindexKey{lost: format.HunkName(of, number)}]
			done = done || slices.Contains(changed, of) // of a band that lost its tail, or a fence
		}
		if done {
			b.result.Repaired++
			delete(b.deferred, name)
			b.gone[name] = kind == format.HunkObject || kind == format.SpansObject || kind == format.FenceObject || kind == format.RebuiltTailObject
		}
	}
}

// look opens a band, and notes what its index has lost.
func (b *rebuilding) look(ctx context.Context, s archive.BandState) error {
	band, err := b.archive.OpenBand(ctx, s)
	if err != nil {
		return ignoreDamage(ctx, err)
	}
	b.open[s.ID] = band
	if !s.Complete {
		return nil
	}
	states, err := band.Layout(ctx)
	if err != nil {
		return err
	}
	_, headLost := b.deferred[format.HeadName(s.ID)]
	if _, _, err := b.archive.BandHead(ctx, s.ID); err != nil {
		if err := ignoreDamage(ctx, err); err != nil {
			return err
		}
		headLost = true
	}
	l := &lostIndex{state: s, band: band, head: headLost, tail: !band.Complete()}
	if _, doubtful := b.deferred[band.TailName()]; doubtful {
		l.tail = true
	}
	if !band.Complete() {
		l.old, err = b.withoutTail(ctx, s.ID, states)
	} else {
		l.old, err = b.withTail(ctx, s.ID, states)
	}
	if err != nil {
		return err
	}
	if headLost || l.tail || len(band.Damage()) > 0 || slices.ContainsFunc(l.old, func(o reindex.Old) bool { return !o.Whole || hasStretch(o) }) {
		b.damaged[s.ID] = l
	}
	return nil
}

func hasStretch(o reindex.Old) bool {
	return slices.ContainsFunc(o.Pieces, func(p reindex.Piece) bool { return p.Stretch != nil })
}

// ignoreDamage is err if it does not speak of damage: it ends the run.
func ignoreDamage(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	for _, kind := range []archive.Kind{archive.KindMissing, archive.KindCorrupt, archive.KindMismatch, archive.KindTooNew, archive.KindIO, archive.KindLocked} {
		if archive.Is(err, kind) {
			return nil
		}
	}
	return err
}

func (b *rebuilding) isLost(ref *format.HunkRef) bool {
	_, lost := b.deferred[format.HunkName(ref.Band, ref.Number)]
	return lost
}

// isToFill reports whether a hunk is to be made anew.
func (b *rebuilding) isToFill(ref *format.HunkRef) bool { return b.isLost(ref) || b.mayRelist(ref) }

// withTail is what the fences of a tail have.
func (b *rebuilding) withTail(ctx context.Context, id format.BandID, states []archive.FenceState) ([]reindex.Old, error) {
	var loose []reindex.Loose
	old := make([]reindex.Old, len(states))
	for i, s := range states {
		next := format.Root
		if i+1 < len(states) {
			next = states[i+1].Ref.FirstPath
		}
		_, lost := b.deferred[format.FenceName(s.Ref.Band, s.Ref.Number)]
		old[i] = reindex.Old{Ref: s.Ref, Whole: s.Err == nil && !lost}
		if s.Err == nil {
			old[i].Pieces = reindex.Of(s.Hunks, next, b.isToFill)
			continue
		}
		if loose == nil {
			var err error
			if loose, err = b.loose(ctx, id); err != nil {
				return nil, err
			}
		}
		old[i].Pieces = reindex.Between(reindex.Range{From: s.Ref.FirstPath, To: next}, s.Ref.Entries, loose)
	}
	return old, nil
}

func (b *rebuilding) loose(ctx context.Context, id format.BandID) ([]reindex.Loose, error) {
	found, err := b.archive.LooseHunks(ctx, id)
	loose := make([]reindex.Loose, len(found))
	for i := range found {
		loose[i] = reindex.Loose(found[i])
	}
	return loose, err
}

// withoutTail is what was found of a band that lost its tail. Where some of its fences or hunks are lost, too, nobody knows where these
// stood: anywhere between those that are left.
func (b *rebuilding) withoutTail(ctx context.Context, id format.BandID, states []archive.FenceState) ([]reindex.Old, error) {
	if !b.lostSome(id) {
		old := make([]reindex.Old, len(states))
		for i, s := range states {
			old[i] = reindex.Old{Ref: s.Ref, Whole: s.Stored, Pieces: reindex.Of(s.Hunks, format.Root, b.isToFill)}
		}
		return old, nil
	}
	loose, err := b.loose(ctx, id)
	if err != nil {
		return nil, err
	}
	t := tailless{rebuilding: b, loose: loose}
	for _, s := range states {
		if s.Stored && s.Err == nil && !t.at.IsAhead(s.Ref.FirstPath) {
			if err := t.fence(ctx, &s); err != nil {
				return nil, err
			}
		}
	}
	t.gap(format.Root)
	return t.old, nil
}

// tailless puts together what is left of a band, fence by fence.
type tailless struct {
	*rebuilding
	loose []reindex.Loose
	old   []reindex.Old
	at    reindex.Range    // what is behind the last fence
	last  *reindex.Stretch // its last hunk, if that is lost
}

func (t *tailless) fence(ctx context.Context, s *archive.FenceState) error {
	if s.Ref.FirstPath != format.Root {
		t.gap(s.Ref.FirstPath)
	}
	pieces := reindex.Of(s.Hunks, format.Root, t.isLost)
	t.old = append(t.old, reindex.Old{Ref: s.Ref, Whole: true, Pieces: pieces})
	last := &pieces[len(pieces)-1]
	t.at, t.last = reindex.Range{From: last.Hunk.FirstPath, Behind: true}, last.Stretch
	if t.last != nil {
		return nil
	}
	entries, err := t.archive.Hunk(ctx, last.Hunk)
	if err == nil {
		t.at.From = entries[len(entries)-1].Path
	}
	return err
}

// gap adds what lies ahead of to.
func (t *tailless) gap(to format.Path) {
	r := reindex.Range{From: t.at.From, Behind: t.at.Behind, To: to}
	if r.IsEmpty() {
		return
	}
	pieces := reindex.Between(r, 0, t.loose)
	if t.last != nil {
		pieces = reindex.Behind(t.last, pieces)
	}
	t.old = append(t.old, reindex.Old{Pieces: pieces})
}

// lostSome reports whether fences or hunks of a band are lost.
func (b *rebuilding) lostSome(id format.BandID) bool {
	for name := range b.deferred {
		if of, kind, _, _ := format.ParseObjectName(name); of == id && (kind == format.HunkObject || kind == format.FenceObject) {
			return true
		}
	}
	return false
}

// stretches yields every stretch of every band.
func (b *rebuilding) stretches(yield func(*lostIndex, *reindex.Stretch) bool) {
	for _, s := range b.living {
		l := b.damaged[s.ID]
		if l == nil {
			continue
		}
		for i := range l.old {
			for j := range l.old[i].Pieces {
				if s := l.old[i].Pieces[j].Stretch; s != nil && !yield(l, s) {
					return
				}
			}
		}
	}
}

// narrow notes who has lost what, and ends what several bands have lost where the first of them says.
func (b *rebuilding) narrow() {
	ends := map[reindexKey]format.Path{}
	b.losers = map[reindexKey]map[format.BandID]bool{}
	for l, s := range b.stretches {
		if b.losers[keyOf(s)] == nil {
			b.losers[keyOf(s)] = map[format.BandID]bool{}
		}
		b.losers[keyOf(s)][l.state.ID] = true
		end, known := ends[keyOf(s)]
		if to := s.Range.To; !known || to != format.Root && (end == format.Root || format.Compare(to, end) < 0) {
			ends[keyOf(s)] = to
		}
	}
	for _, s := range b.stretches {
		s.Range.To = ends[keyOf(s)]
	}
}

// ownerOf is the band whose blocks have what a stretch had.
func ownerOf(l *lostIndex, s *reindex.Stretch) format.BandID {
	if s.Lost.Entries > 0 {
		return s.Lost.Band
	}
	return l.state.ID
}
