package writer

import (
	"context"
	"errors"

	"dura/archive/format"
	"dura/writer/pack"
)

var errLinkUnread = errors.New("another name of it could not be read, and it is too large to be read out of turn")

// largeState is what has come so far of a file in chunks.
type largeState struct {
	spans  []format.Span
	frames []*frame // of spans
	lists  []*spanList
}

// spanList is a span list on its way into the index.
type spanList struct {
	spans  []format.Span
	frames []*frame           // that must be stored first
	ref    format.SpanListRef // set once stored is closed
	stored chan struct{}
	bytes  int64 // of content in its spans
}

// largeChunks stores some chunks of a large file; with the last, the file is indexed.
func (s *sequencer) largeChunks(ctx context.Context, b *batch) error {
	for i := range b.chunks {
		if err := s.chunk(ctx, b.large, b.chunks[i]); err != nil {
			return err
		}
	}
	if !b.last {
		return nil
	}
	if b.large.omitted {
		s.large = largeState{}
		return nil
	}
	if err := s.endLarge(ctx, b.large); err != nil {
		return err
	}
	b.large.lead()
	return s.index1(ctx, b.large)
}

// chunk stores one chunk of it.
func (s *sequencer) chunk(ctx context.Context, it *item, p piece) error {
	header := format.AppendTarPartHeader(nil, &it.entry, p.start, int64(len(p.data)))
	m := format.Member{Path: it.entry.Path, Kind: it.entry.Kind, SHA256: p.sum, Chunk: true, Start: p.start}
	if len(p.data) == 0 {
		_, _, err := s.member(ctx, pack.Large, header, nil, m)
		return err
	}
	if len(s.large.spans) == format.MaxSpansInline {
		if err := s.endSpanList(ctx); err != nil {
			return err
		}
	}
	span, f, err := s.content(ctx, pack.Large, it, header, format.PartName(it.entry.Path, p.start), p, m)
	if err != nil {
		return err
	}
	s.at++
	s.large.frames = appendFrame(s.large.frames, f)
	s.large.spans = append(s.large.spans, span)
	return nil
}

// endLarge gives it the spans of its chunks, in lists if they are many.
func (s *sequencer) endLarge(ctx context.Context, it *item) error {
	if len(s.large.lists) > 0 {
		if err := s.endSpanList(ctx); err != nil {
			return err
		}
	}
	it.entry.Spans, it.frames, it.lists = s.large.spans, s.large.frames, s.large.lists
	if it.group != nil {
		it.group.inChunks = true
	}
	s.large = largeState{}
	return nil
}

// endSpanList makes a list of the spans at hand.
func (s *sequencer) endSpanList(ctx context.Context) error {
	l := &spanList{spans: s.large.spans, frames: s.large.frames, stored: make(chan struct{})}
	for i := range l.spans {
		l.bytes += int64(l.spans[i].Bytes)
	}
	s.large.spans, s.large.frames = nil, nil
	s.large.lists = append(s.large.lists, l)
	return send(ctx, s.pipeline.index, indexTask{list: l})
}
