package repair

import (
	"context"
	"slices"

	"dura/archive"
	"dura/archive/format"
	"dura/archive/repair/reindex"
	"dura/archive/storage"
)

// listOf is a span list that can't be had.
type listOf struct {
	ref   format.SpanListRef
	entry *format.Entry // that has it
	part  reindex.Part  // of its content
}

// path is what the members of the file are called.
func (l *listOf) path() format.Path {
	if l.entry.LinkTo != format.Root {
		return l.entry.LinkTo
	}
	return l.entry.Path
}

// loseList notes where a lost span list belongs.
func (r *run) loseList(hunk *format.HunkRef, e *format.Entry, place int) {
	l := listOf{ref: e.SpanLists[place], entry: e}
	for i := range e.SpanLists[:place] {
		l.part.Start += e.SpanLists[i].ContentBytes
	}
	l.part.End = l.part.Start + l.ref.ContentBytes
	name, in := format.SpansName(l.ref.Band, l.ref.Number), format.HunkName(hunk.Band, hunk.Number)
	if _, known := r.lists[name]; !known {
		r.lists[name] = l
	}
	r.lacking[in] = append(r.lacking[in], name)
}

// answers are what a lost span list may have been, by what its band's blocks hold of the file, and by what the parent's index has of it.
func (r *run) answers(ctx context.Context, l *listOf) ([][]format.Span, error) {
	band := l.ref.Band
	if r.chunks[band] == nil {
		var ranges []reindex.Range
		for _, l := range r.lists {
			if l.ref.Band == band {
				ranges = append(ranges, reindex.Only(l.path()))
			}
		}
		chunks := reindex.NewBlocks(ranges)
		if err := r.readFooters(ctx, band, chunks); err != nil {
			return nil, err
		}
		r.chunks[band] = chunks
	}
	also, err := r.parentSpans(ctx, band, l.path())
	if err != nil {
		return nil, err
	}
	return r.chunks[band].Spans(l.path(), l.part, also), nil
}

// respan makes a lost span list again; nil if that can't be. It is the same to the byte where the same encoder wrote it, and nothing in it was
// sealed.
func (b *bandRun) respan(ctx context.Context, l listOf, accept func([]byte) bool) ([]byte, error) {
	if b.archive.Keys() != nil {
		return nil, nil
	}
	answers, err := b.answers(ctx, &l)
	if err != nil {
		return nil, err
	}
	e, err := format.NewIndexEncoder()
	if err != nil {
		return nil, err
	}
	for _, spans := range answers {
		if raw, err := format.EncodeSpanList(spans); err == nil {
			if again := e.Append(nil, raw); accept(again) {
				return again, nil
			}
		}
	}
	return nil, nil
}

// parentSpans are all spans that a band's parent has of a file in chunks; none if they can't be had.
func (r *run) parentSpans(ctx context.Context, id format.BandID, p format.Path) ([]format.Span, error) {
	head, _, err := r.archive.BandHead(ctx, id)
	if err != nil || head.Parent == "" {
		return nil, ignoreDamage(ctx, err)
	}
	bands, err := r.archive.Bands(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(bands, func(s archive.BandState) bool { return s.ID == head.Parent && s.Complete && !s.Deleted })
	if i < 0 {
		return nil, nil
	}
	parent, err := r.archive.OpenBand(ctx, bands[i])
	if err != nil {
		return nil, ignoreDamage(ctx, err)
	}
	found, err := parent.Lookup(ctx, p)
	if err != nil {
		if ctx.Err() != nil || storage.Is(err, storage.KindUnavailable) {
			return nil, err
		}
		return nil, nil
	}
	spans := slices.Clone(found.Spans)
	for _, l := range found.SpanLists {
		more, err := r.archive.Spans(ctx, l)
		if err != nil {
			return spans, ignoreDamage(ctx, err) // what is behind it can't be placed
		}
		spans = append(spans, more...)
	}
	return spans, nil
}
