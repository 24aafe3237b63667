package repair

import (
	"context"
	"crypto/sha256"
	"fmt"

	"dura/archive"
	"dura/archive/format"
	"dura/archive/repair/reindex"
	"dura/archive/storage"
)

// fill puts a stretch together and stores its hunks, as ones of the band l, once.
func (b *rebuilding) fill(ctx context.Context, l *lostIndex, s *reindex.Stretch) (filled stretchFilled, err error) {
	key := keyOf(s)
	if known, ok := b.filled[key]; ok {
		return known, nil
	}
	if b.mayRelist(&s.Lost) {
		filled, err = b.fillLists(ctx, l, s)
	} else {
		filled, err = b.fillEntries(ctx, l, s)
	}
	if err == nil {
		b.filled[key] = filled
	}
	return filled, err
}

// fillEntries does so with what blocks and other bands tell.
func (b *rebuilding) fillEntries(ctx context.Context, l *lostIndex, s *reindex.Stretch) (stretchFilled, error) {
	owner := ownerOf(l, s)
	parent, err := b.entriesOf(ctx, b.parentOf(ctx, owner), s.Range)
	if err != nil {
		return stretchFilled{}, err
	}
	later, err := b.entriesOf(ctx, b.laterThan(l, s), s.Range)
	if err != nil {
		return stretchFilled{}, err
	}
	alone, err := b.isFirst(ctx, owner)
	if err != nil {
		return stretchFilled{}, err
	}
	got := reindex.Fill(reindex.Sources{
		Range: s.Range, Blocks: b.blocks[owner], Parent: parent, Later: later, Band: owner, Alone: alone,
		Find: func(p format.Path) *format.Entry {
			e, err := l.band.Lookup(ctx, p)
			if err != nil {
				return nil
			}
			return e.Entry
		},
	})
	if ctx.Err() != nil {
		return stretchFilled{}, context.Cause(ctx)
	}
	if err := b.sumContents(ctx, &got); err != nil {
		return stretchFilled{}, err
	}
	filled := stretchFilled{doubts: got.Doubts, exact: got.Exact == len(got.Entries)}
	if s.Entries > 0 {
		filled.left = s.Entries - int64(len(got.Entries))
	}
	for _, run := range reindex.Hunks(got.Entries) {
		ref, err := b.storeHunk(ctx, l, run)
		if err != nil {
			return stretchFilled{}, err
		}
		filled.hunks = append(filled.hunks, ref)
	}
	return filled, nil
}

// parentOf is the band that unchanged entries of one were taken from; of one whose head is lost, the one ahead of it. Nil: there is none.
func (b *rebuilding) parentOf(ctx context.Context, id format.BandID) *archive.Band {
	if head, _, err := b.archive.BandHead(ctx, id); err == nil {
		return b.open[head.Parent]
	}
	var parent *archive.Band
	for _, s := range b.living {
		if s.ID < id && s.Complete && b.open[s.ID] != nil {
			parent = b.open[s.ID]
		}
	}
	return parent
}

// laterThan is the first band behind one that has not lost the same; nil if there is none.
func (b *rebuilding) laterThan(l *lostIndex, s *reindex.Stretch) *archive.Band {
	lost := b.losers[keyOf(s)]
	for _, state := range b.living {
		if band := b.open[state.ID]; state.ID > l.state.ID && state.Complete && band != nil && !lost[state.ID] {
			return band
		}
	}
	return nil
}

// entriesOf are the entries that a band has in a range, as far as its index can be read.
func (b *rebuilding) entriesOf(ctx context.Context, band *archive.Band, r reindex.Range) (entries []format.Entry, err error) {
	if band == nil || r.IsEmpty() {
		return nil, nil
	}
	for h, err := range band.Index(ctx, r.From) {
		if err != nil {
			if ctx.Err() != nil || storage.Is(err, storage.KindUnavailable) {
				return nil, err
			}
			continue
		}
		for i := range h.Entries {
			e := &h.Entries[i]
			if r.IsBehind(e.Path) {
				return entries, nil
			}
			if !r.Has(e.Path) {
				continue
			}
			if e, err = band.Resolve(ctx, e); err != nil {
				return nil, err
			}
			entries = append(entries, *e)
		}
	}
	return entries, nil
}

// isFirst reports whether there is no band ahead of one.
func (b *rebuilding) isFirst(ctx context.Context, id format.BandID) (bool, error) {
	all, err := b.archive.Bands(ctx)
	return len(all) == 0 || all[0].ID >= id, err
}

// sumContents reads the content of files in chunks, of which no block has the hash. What can't be read has none.
func (b *rebuilding) sumContents(ctx context.Context, f *reindex.Filled) error {
	failed := map[format.Path]bool{}
	leaders := map[format.Path]*format.Entry{}
	for _, i := range f.Unsummed {
		e := &f.Entries[i]
		if first := leaders[e.LinkTo]; e.LinkTo != format.Root && first != nil {
			e.SHA256, e.DataSHA = first.SHA256, first.DataSHA
		} else if err := b.sumContent(ctx, e); err != nil {
			return err
		}
		leaders[e.Path] = e
		if failed[e.Path] = e.SHA256.IsZero() && e.DataSHA.IsZero(); failed[e.Path] {
			e.Spans = nil
			f.Doubts = append(f.Doubts, reindex.Doubt{Path: e.Path, Why: reindex.NoContent})
		} else if err := b.moveSpans(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

func (b *rebuilding) sumContent(ctx context.Context, e *format.Entry) error {
	var holes, at int64
	for i := range e.Spans {
		at += e.Spans[i].HoleBytes + int64(e.Spans[i].Bytes)
		holes += e.Spans[i].HoleBytes
	}
	withHoles := holes+e.Size-at <= format.MaxHashedHoles
	asIf := *e
	asIf.SHA256 = format.Hash{1} // so that it counts as stored
	sum := sha256.New()
	at = 0
	for s, err := range b.archive.Content(&asIf).Segments(ctx) {
		if ctx.Err() != nil || storage.Is(err, storage.KindUnavailable) {
			return err
		}
		if err != nil {
			return nil //nolint:nilerr // it has no hash then
		}
		if withHoles {
			addZeros(sum.Write, s.Start-at)
		}
		sum.Write(s.Data)
		at = s.End()
		s.Release()
	}
	if withHoles {
		addZeros(sum.Write, e.Size-at)
		e.SHA256 = format.Hash(sum.Sum(nil))
	} else {
		e.DataSHA = format.Hash(sum.Sum(nil))
	}
	return nil
}

func addZeros(write func([]byte) (int, error), bytes int64) {
	var zeros [64 << 10]byte
	for ; bytes > 0; bytes -= int64(len(zeros)) {
		write(zeros[:min(bytes, int64(len(zeros)))])
	}
}

// from says what a filled stretch was made of.
func (f *stretchFilled) from() string {
	switch {
	case f.lists:
		return "as it was, but for the span lists that it refers to"
	case f.left > 0:
		return fmt.Sprintf("put together from blocks and other bands; %d entries are lost", f.left)
	case f.left < 0:
		return fmt.Sprintf("put together from blocks and other bands; %d entries that the band had no more are there again", -f.left)
	case f.exact:
		return "put together from other bands"
	}
	return "put together from blocks and other bands: times are of whole seconds"
}
