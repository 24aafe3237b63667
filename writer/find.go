package writer

import (
	"context"

	"dura/archive/format"
)

// finder finds content that is stored already, by an earlier run or in another band.
type finder struct {
	*pipeline
	last *item // a file in chunks, of which the parent has other content
	old  map[format.Hash]format.Span

	elsewhere   *elsewhere
	resumedHits int // content found that an earlier run has stored, since the last hunk
}

func newFinder(p *pipeline) *finder { return &finder{pipeline: p, elsewhere: newElsewhere(p)} }

// find is where the content of p is stored, if it is known to be. Every block it names is there.
func (f *finder) find(ctx context.Context, it *item, p piece) (format.Span, bool, error) {
	span, ok, err := f.inParent(ctx, it, p)
	if ok || err != nil {
		return span, ok, err
	}
	span, ok, err = f.resumed.find(ctx, p.sum, len(p.data))
	if ok || err != nil {
		f.resumedHits++
		return span, ok, err
	}
	return f.elsewhere.find(ctx, p)
}

// inParent looks among the spans that the parent has of the same file.
func (f *finder) inParent(ctx context.Context, it *item, p piece) (format.Span, bool, error) {
	if it.old == nil || it.old.Kind != format.File || it.old.AsInParent {
		return format.Span{}, false, nil
	}
	if f.last != it {
		if err := f.learn(ctx, it); err != nil {
			return format.Span{}, false, err
		}
	}
	span, ok := f.old[p.sum]
	if !ok || int(span.Bytes) != len(p.data) {
		return format.Span{}, false, nil
	}
	there, err := f.presence.spans(ctx, []format.Span{span})
	return span, there, err
}

// maxOldLists bounds how much of a file the finder remembers. Content of larger ones is found by the index of all bands.
const maxOldLists = 16

// learn takes down what the parent has of a file.
func (f *finder) learn(ctx context.Context, it *item) error {
	f.last, f.old = it, map[format.Hash]format.Span{}
	old := it.old
	if len(old.Spans) == 1 && old.Spans[0].SHA256.IsZero() {
		f.old[old.SHA256] = old.Spans[0]
		return nil
	}
	for _, s := range old.Spans {
		f.old[s.SHA256] = s
	}
	for _, l := range old.SpanLists[:min(len(old.SpanLists), maxOldLists)] {
		spans, err := f.archive.Spans(ctx, l)
		if err != nil {
			if err := lostOnly(err); err != nil {
				return err
			}
			continue
		}
		for _, s := range spans {
			f.old[s.SHA256] = s
		}
	}
	return nil
}
