package writer

import (
	"context"

	"dura/archive/format"
)

const fenceHunks = 1000

// indexer stores hunks, span lists and fences, each behind what it refers to.
type indexer struct {
	*pipeline
	encoder   *format.Encoder
	nextHunk  uint64
	nextSpans uint64
	hunks     []format.HunkRef // not yet in a fence
	stored    []chan struct{}  // of those hunks
	numbered  []format.FenceRef
	entries   []format.Entry // of the hunk at hand
}

// writeIndex takes index tasks in order until there are no more.
func (p *pipeline) writeIndex(ctx context.Context) error {
	enc, err := format.NewIndexEncoder()
	if err != nil {
		return err
	}
	x := &indexer{pipeline: p, encoder: enc}
	for task := range p.index {
		if task.list != nil {
			err = x.spanList(ctx, task.list)
		} else {
			err = x.hunk(ctx, task.hunk)
		}
		if err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := x.fence(ctx); err != nil {
		return err
	}
	p.fences = x.numbered
	return nil
}

// await waits until frames are stored.
func (x *indexer) await(ctx context.Context, frames []*frame) error {
	for _, f := range frames {
		if err := await(ctx, f.placed); err != nil {
			return err
		}
		if err := await(ctx, f.block.stored); err != nil {
			return err
		}
	}
	return nil
}

func (x *indexer) spanList(ctx context.Context, l *spanList) error {
	if err := x.await(ctx, l.frames); err != nil {
		return err
	}
	raw, err := format.EncodeSpanList(l.spans)
	if err != nil {
		return err
	}
	object := x.encoder.Append(nil, raw)
	l.ref = format.SpanListRef{Band: x.band, Number: x.nextSpans, StoredBytes: int64(len(object)), SHA256: format.SumBytes(object)}
	for i := range l.spans {
		l.ref.ContentBytes += l.spans[i].HoleBytes + int64(l.spans[i].Bytes)
		l.ref.DataBytes += int64(l.spans[i].Bytes)
	}
	x.nextSpans++
	l.spans, l.frames = nil, nil
	return x.store.later(ctx, x.store.index, format.SpansName(x.band, l.ref.Number), l.ref.SHA256, l.stored, object)
}

func (x *indexer) hunk(ctx context.Context, h *hunk) error {
	if err := x.await(ctx, h.frames); err != nil {
		return err
	}
	x.entries = x.entries[:0]
	for _, it := range h.items {
		if err := it.takeLists(ctx); err != nil {
			return err
		}
		x.entries = append(x.entries, it.entry)
	}
	raw, err := format.EncodeHunk(format.Hunk{Entries: x.entries})
	if err != nil {
		return err
	}
	object := x.encoder.Append(nil, raw)
	ref := format.HunkRef{
		Band: x.band, Number: x.nextHunk, StoredBytes: int64(len(object)), SHA256: format.SumBytes(object),
		Entries: int64(len(x.entries)), FirstPath: x.entries[0].Path,
	}
	x.nextHunk++
	stored := make(chan struct{})
	if err := x.store.later(ctx, x.store.index, format.HunkName(x.band, ref.Number), ref.SHA256, stored, object); err != nil {
		return err
	}
	x.hunks, x.stored = append(x.hunks, ref), append(x.stored, stored)
	if len(x.hunks) == fenceHunks {
		return x.fence(ctx)
	}
	return nil
}

// takeLists refers the entry to its span lists, once they are stored.
func (it *item) takeLists(ctx context.Context) error {
	if len(it.lists) == 0 {
		return nil
	}
	it.entry.Spans = nil
	for _, l := range it.lists {
		if err := await(ctx, l.stored); err != nil {
			return err
		}
		it.entry.SpanLists = append(it.entry.SpanLists, l.ref)
	}
	return nil
}

// fence stores a fence around the hunks that are in none.
func (x *indexer) fence(ctx context.Context) error {
	if len(x.hunks) == 0 {
		return nil
	}
	for _, stored := range x.stored {
		if err := await(ctx, stored); err != nil {
			return err
		}
	}
	raw, err := format.EncodeFence(x.hunks)
	if err != nil {
		return err
	}
	object := x.encoder.Append(nil, raw)
	ref := format.FenceRef{
		Band: x.band, Number: uint64(len(x.numbered)), StoredBytes: int64(len(object)), SHA256: format.SumBytes(object),
		FirstPath: x.hunks[0].FirstPath,
	}
	for i := range x.hunks {
		ref.Entries += x.hunks[i].Entries
	}
	x.hunks, x.stored = nil, nil
	x.numbered = append(x.numbered, ref)
	return x.store.object(ctx, format.FenceName(x.band, ref.Number), object)
}
