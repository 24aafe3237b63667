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
	ref  format.SpanListRef
	path format.Path  // of the file, as its members are called
	part reindex.Part // of its content
}

// loseList notes where a lost span list belongs.
func (r *run) loseList(e *format.Entry, place int) {
	l := listOf{ref: e.SpanLists[place], path: e.Path}
	if e.LinkTo != format.Root {
		l.path = e.LinkTo
	}
	for i := range e.SpanLists[:place] {
		l.part.Start += e.SpanLists[i].ContentBytes
	}
	l.part.End = l.part.Start + l.ref.ContentBytes
	r.lists[format.SpansName(l.ref.Band, l.ref.Number)] = l
}

// respan makes a lost span list again of what the band's blocks hold of the file, and of what the parent's index has of it; nil if these do not tell. It is the
// same to the byte where the same encoder wrote it, and nothing in it was sealed.
func (b *bandRun) respan(ctx context.Context, l listOf, accept func([]byte) bool) ([]byte, error) {
	if b.archive.Keys() != nil {
		return nil, nil
	}
	if b.chunks == nil {
		var ranges []reindex.Range
		for _, l := range b.lists {
			if l.ref.Band == b.id {
				ranges = append(ranges, reindex.Only(l.path))
			}
		}
		b.chunks = reindex.NewBlocks(ranges)
		if err := b.readFooters(ctx, b.id, b.chunks); err != nil {
			return nil, err
		}
	}
	also, err := b.parentSpans(ctx, l.path)
	if err != nil {
		return nil, err
	}
	e, err := format.NewIndexEncoder()
	if err != nil {
		return nil, err
	}
	for _, spans := range b.chunks.Spans(l.path, l.part, also) {
		if raw, err := format.EncodeSpanList(spans); err == nil {
			if again := e.Append(nil, raw); accept(again) {
				return again, nil
			}
		}
	}
	return nil, nil
}

// parentSpans are all spans that the band's parent has of a file in chunks; none if they can't be had.
func (b *bandRun) parentSpans(ctx context.Context, p format.Path) ([]format.Span, error) {
	head, _, err := b.archive.BandHead(ctx, b.id)
	if err != nil || head.Parent == "" {
		return nil, ignoreDamage(ctx, err)
	}
	bands, err := b.archive.Bands(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(bands, func(s archive.BandState) bool { return s.ID == head.Parent && s.Complete && !s.Deleted })
	if i < 0 {
		return nil, nil
	}
	parent, err := b.archive.OpenBand(ctx, bands[i])
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
		more, err := b.archive.Spans(ctx, l)
		if err != nil {
			return spans, ignoreDamage(ctx, err) // what is behind it can't be placed
		}
		spans = append(spans, more...)
	}
	return spans, nil
}
