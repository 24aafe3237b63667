package writer

import (
	"context"
	"slices"

	"dura/archive/format"
)

const fenceHunks = 1000

// indexer stores hunks, span lists and fences, each behind what it refers to.
type indexer struct {
	*pipeline
	encoder   *format.Encoder
	nextHunk  uint64
	nextFence uint64
	hunks     []format.HunkRef // not yet in a fence
	before    int              // how many of those, at the end, are of other bands
	stored    []chan struct{}  // of hunks: closed once that is so
	last      uint64           // number of the own hunk ahead of the next one, if
	hasLast   bool             // there is one
	fences    []format.FenceRef
	entries   []format.Entry // of the hunk at hand
}

// looseHunks is how many hunks that are in no fence make a run that goes on with a band begin with a fence.
const looseHunks = 64

func newIndexer(p *pipeline) (*indexer, error) {
	enc, err := format.NewIndexEncoder()
	x := &indexer{pipeline: p, encoder: enc}
	if progress := p.begun.progress; progress != nil {
		x.nextHunk, x.nextFence = progress.NextHunk, progress.NextFence
		x.fences, x.hunks = progress.Band.Fences(), slices.Clone(progress.Loose)
		x.last, x.hasLast = progress.LastHunk, progress.HasHunk
	}
	return x, err
}

// writeIndex takes index tasks in order until there are no more.
func (p *pipeline) writeIndex(ctx context.Context) error {
	x, err := newIndexer(p)
	if err != nil {
		return err
	}
	if len(x.hunks) >= looseHunks {
		if err := x.fence(ctx); err != nil {
			return err
		}
	}
	for task := range p.index {
		switch {
		case task.list != nil:
			err = x.spanList(ctx, task.list)
		case task.shared != nil:
			err = x.share(ctx, *task.shared)
		default:
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
	p.fences = x.fences
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
	object, err := sealed(x.archive, format.SpansName(x.band, l.number), x.encoder.Append(nil, raw))
	if err != nil {
		return err
	}
	l.ref = format.SpanListRef{Band: x.band, Number: l.number, StoredBytes: int64(len(object)), SHA256: format.SumBytes(object)}
	l.ref.ContentBytes, l.ref.DataBytes = format.SpannedBytes(l.spans)
	spans := l.spans
	l.spans, l.frames = nil, nil
	stored, err := x.resumed.storedList(ctx, l.ref)
	if err != nil {
		return err
	}
	if stored != nil {
		l.ref = *stored
		close(l.stored)
		return nil
	}
	if x.o.Index != nil {
		if err := x.tell(x.o.Index.AddSpans(x.band, l.number, spans)); err != nil {
			return err
		}
	}
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
	raw, err := format.EncodeHunk(format.Hunk{
		Entries: x.entries, Before: x.hunks[len(x.hunks)-x.before:], Previous: format.PreviousOf(x.nextHunk, x.last, !x.hasLast),
	})
	if err != nil {
		return err
	}
	object, err := sealed(x.archive, format.HunkName(x.band, x.nextHunk), x.encoder.Append(nil, raw))
	if err != nil {
		return err
	}
	ref := format.HunkRef{
		Band: x.band, Number: x.nextHunk, StoredBytes: int64(len(object)), SHA256: format.SumBytes(object),
		Entries: int64(len(x.entries)), FirstPath: x.entries[0].Path,
	}
	x.nextHunk++
	if x.o.Index != nil {
		if err := x.tell(x.o.Index.AddHunk(x.band, ref.Number, x.entries)); err != nil {
			return err
		}
	}
	stored := make(chan struct{})
	if err := x.store.later(ctx, x.store.index, format.HunkName(x.band, ref.Number), ref.SHA256, stored, object); err != nil {
		return err
	}
	x.stored = append(x.stored, stored)
	x.last, x.hasLast = ref.Number, true
	x.hunks, x.before = append(x.hunks, ref), 0
	return x.endFence(ctx)
}

// share refers to a hunk of another band.
func (x *indexer) share(ctx context.Context, ref format.HunkRef) error {
	x.hunks, x.before = append(x.hunks, ref), x.before+1
	return x.endFence(ctx)
}

// endFence stores a fence once it is full.
func (x *indexer) endFence(ctx context.Context) error {
	if len(x.hunks) < fenceHunks {
		return nil
	}
	return x.fence(ctx)
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
	bytes, sum, err := x.storeSealed(ctx, format.FenceName(x.band, x.nextFence), x.encoder.Append(nil, raw))
	if err != nil {
		return err
	}
	ref := format.FenceRef{Band: x.band, Number: x.nextFence, StoredBytes: bytes, SHA256: sum, FirstPath: x.hunks[0].FirstPath}
	for i := range x.hunks {
		ref.Entries += x.hunks[i].Entries
	}
	x.hunks, x.stored, x.before = nil, nil, 0
	x.nextFence++
	x.fences = append(x.fences, ref)
	return nil
}
