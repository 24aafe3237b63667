package repair

import (
	"context"
	"slices"

	"dura/archive/format"
	"dura/archive/repair/reindex"
	"dura/archive/storage"
)

// numbers are the next ones of a band's index objects.
type numbers struct{ hunk, spans, fence uint64 }

// numbersOf are behind all that there are, and that anything speaks of.
func (b *rebuilding) numbersOf(ctx context.Context, id format.BandID) (*numbers, error) {
	if n := b.numbers[id]; n != nil {
		return n, nil
	}
	n := &numbers{}
	b.numbers[id] = n
	note := func(name string) {
		if of, _, ok := format.ParseRepairedName(name); ok {
			name = of
		}
		of, kind, number, _ := format.ParseObjectName(name)
		if of != id || number+1 == 0 {
			return
		}
		switch kind {
		case format.HunkObject:
			n.hunk = max(n.hunk, number+1)
		case format.SpansObject:
			n.spans = max(n.spans, number+1)
		case format.FenceObject:
			n.fence = max(n.fence, number+1)
		}
	}
	sizes, err := b.list(ctx, id)
	for name := range sizes {
		note(name)
	}
	for name := range b.wants {
		note(name)
	}
	for name := range b.deferred {
		note(name)
	}
	return n, err
}

// create stores an object, unless nothing is to be written.
func (b *rebuilding) create(ctx context.Context, name string, object []byte) error {
	if b.o.DryRun {
		return nil
	}
	return b.archive.Storage().Create(ctx, name, object)
}

// sealed is what is stored of the object called name: a message, where the archive is encrypted.
func (b *rebuilding) sealed(name string, object []byte) ([]byte, error) {
	keys := b.archive.Keys()
	if keys == nil || b.o.DryRun {
		return object, nil
	}
	stored, _, err := keys.Seal(name, object)
	return stored, err
}

// storedName is what an object is called in storage.
func (b *rebuilding) storedName(name string) string {
	return format.StoredName(name, b.archive.Head().Sealed())
}

// createIndex stores an index object under the next number that is free, which next points to.
func (b *rebuilding) createIndex(ctx context.Context, next *uint64, nameOf func(uint64) string, raw []byte) (ref format.HunkRef, err error) {
	frame := b.encoder.Append(nil, raw)
	for {
		name := nameOf(*next)
		object, err := b.sealed(name, frame)
		if err != nil {
			return ref, err
		}
		ref = format.HunkRef{Number: *next, StoredBytes: int64(len(object)), SHA256: format.SumBytes(object)}
		*next++
		if err = b.create(ctx, name, object); !storage.Is(err, storage.KindExists) {
			return ref, err
		}
	}
}

func (b *rebuilding) storeHunk(ctx context.Context, l *lostIndex, entries []format.Entry) (format.HunkRef, error) {
	n, err := b.numbersOf(ctx, l.state.ID)
	if err != nil {
		return format.HunkRef{}, err
	}
	raw, err := format.EncodeHunk(format.Hunk{Entries: entries})
	if err == nil {
		_, err = format.DecodeHunk(raw) // what a reader would refuse is not stored
	}
	if err != nil {
		return format.HunkRef{}, err
	}
	ref, err := b.createIndex(ctx, &n.hunk, func(n uint64) string { return format.HunkName(l.state.ID, n) }, raw)
	ref.Band, ref.Entries, ref.FirstPath = l.state.ID, int64(len(entries)), entries[0].Path
	return ref, err
}

// moveSpans puts the spans of a file that has many into lists.
func (b *rebuilding) moveSpans(ctx context.Context, e *format.Entry) error {
	if len(e.Spans) <= format.MaxSpansInline {
		return nil
	}
	for run := range slices.Chunk(e.Spans, format.MaxSpansInline) {
		l, err := b.storeList(ctx, run)
		if err != nil {
			return err
		}
		e.SpanLists = append(e.SpanLists, l)
	}
	e.Spans = nil
	return nil
}

// band makes the index of a band anew, and opens it again.
func (b *rebuilding) band(ctx context.Context, l *lostIndex) error {
	b.home = l.state.ID
	filled := map[reindexKey]stretchFilled{}
	for i := range l.old {
		for j := range l.old[i].Pieces {
			s := l.old[i].Pieces[j].Stretch
			if s == nil || s.Range.IsEmpty() {
				continue
			}
			f, err := b.fill(ctx, l, s)
			if err != nil {
				return err
			}
			filled[keyOf(s)] = f
			b.tellFilled(l, s, &f)
		}
	}
	laid := reindex.Lay(l.old, func(s *reindex.Stretch) []format.HunkRef { return filled[keyOf(s)].hunks })
	fences, err := b.storeFences(ctx, l, laid)
	if err != nil {
		return err
	}
	if len(fences) == 0 {
		return nil // nothing at all is left of it
	}
	if err := b.ends(ctx, l, fences, laid); err != nil {
		return err
	}
	if b.o.DryRun {
		return nil
	}
	b.archive.Refresh(l.state.ID)
	bands, err := b.archive.Bands(ctx)
	if err != nil {
		return err
	}
	for _, s := range bands {
		if s.ID == l.state.ID {
			b.open[s.ID], err = b.archive.OpenBand(ctx, s)
			return err
		}
	}
	return nil
}

// storeFences stores those that are new.
func (b *rebuilding) storeFences(ctx context.Context, l *lostIndex, laid []reindex.Fence) ([]format.FenceRef, error) {
	id := l.state.ID
	var refs []format.FenceRef
	for i := range laid {
		if laid[i].Kept != nil {
			refs = append(refs, *laid[i].Kept)
			continue
		}
		n, err := b.numbersOf(ctx, id)
		if err != nil {
			return nil, err
		}
		raw, err := format.EncodeFence(laid[i].Hunks)
		if err == nil {
			_, err = format.DecodeFence(raw)
		}
		if err != nil {
			return nil, err
		}
		ref, err := b.createIndex(ctx, &n.fence, func(n uint64) string { return format.FenceName(id, n) }, raw)
		if err != nil {
			return nil, err
		}
		ref.Band, ref.FirstPath = id, laid[i].Hunks[0].FirstPath
		for j := range laid[i].Hunks {
			ref.Entries += laid[i].Hunks[j].Entries
		}
		refs = append(refs, format.FenceRef(ref))
		b.madeFence(l, format.FenceRef(ref))
	}
	return refs, nil
}

// madeFence tells of a new fence; of the lost one that it stands for, if there is one.
func (b *rebuilding) madeFence(l *lostIndex, ref format.FenceRef) {
	name := format.FenceName(ref.Band, ref.Number)
	m := Made{Object: name, Stored: b.storedName(name), From: "what it lists is where its hunks are now"}
	for i := range l.old {
		lost := format.FenceName(l.old[i].Ref.Band, l.old[i].Ref.Number)
		if _, is := b.deferred[lost]; is && !l.old[i].Whole && l.old[i].Ref.FirstPath == ref.FirstPath {
			m.Object, m.From = lost, "put together from its hunks"
		}
	}
	b.made(m)
}

// tellFilled tells of what a stretch has become, once for each band that it is of.
func (b *rebuilding) tellFilled(l *lostIndex, s *reindex.Stretch, f *stretchFilled) {
	object := format.TailName(l.state.ID)
	if s.Lost.Entries > 0 {
		object = format.HunkName(s.Lost.Band, s.Lost.Number)
	}
	for _, ref := range f.hunks {
		if stored := format.HunkName(ref.Band, ref.Number); !b.told[stored] {
			b.told[stored] = true
			b.made(Made{Object: object, Stored: b.storedName(stored), From: f.from()})
		}
	}
	if f.left > 0 {
		b.tell(Lost{Band: l.state.ID, Path: s.Range.From, Until: s.Range.To, Run: true, Entries: f.left, Object: object})
	}
	for _, d := range f.doubts {
		b.tell(Lost{Band: l.state.ID, Path: d.Path, Object: object, Metadata: d.Why == reindex.NoMetadata})
	}
}
