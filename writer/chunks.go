package writer

import (
	"context"
	"errors"
	"slices"

	"dura/archive/format"
	"dura/writer/pack"
)

var errLinkUnread = errors.New("another name of it could not be read, and it is too large to be read out of turn")

// largeState is what has come so far of a file in chunks.
type largeState struct {
	spans   []format.Span
	frames  []*frame // of spans
	lists   []*spanList
	numbers []uint64       // of lists
	chain   []format.Block // of earlier runs, with chunks of it
}

// spanList is a span list on its way into the index.
type spanList struct {
	number uint64
	spans  []format.Span
	frames []*frame           // that must be stored first
	ref    format.SpanListRef // set once stored is closed
	stored chan struct{}
	bytes  int64 // of content in its spans
}

// largeChunks stores some chunks of a large file; with the last, the file is indexed.
func (s *sequencer) largeChunks(ctx context.Context, b *batch) error {
	if b.prefix != nil {
		return s.takePrefix(ctx, b.prefix)
	}
	for i := range b.chunks {
		if err := s.chunk(ctx, b.large, b.chunks[i]); err != nil {
			return err
		}
	}
	if !b.last {
		return nil
	}
	if b.large.omitted || b.broken {
		s.large = largeState{}
		return nil
	}
	if err := s.endLarge(ctx, b.large); err != nil {
		return err
	}
	b.large.settle()
	b.large.lead()
	return s.take(ctx, b.large)
}

// takePrefix begins a large file with what an earlier run has stored of it.
func (s *sequencer) takePrefix(ctx context.Context, p *prefix) error {
	s.large = largeState{lists: p.lists, chain: p.chain}
	s.finder.resumedHits++
	for _, l := range p.lists {
		s.large.numbers = append(s.large.numbers, l.number)
	}
	for _, span := range p.spans {
		if err := s.addSpan(ctx, span, nil); err != nil {
			return err
		}
	}
	if len(p.chain) > maxChain && len(s.large.spans) > 0 {
		return s.endSpanList(ctx)
	}
	return nil
}

// maxChain is how many blocks of earlier runs are left for the progress to name: a list of the spans in them takes their place. With those
// that this run stores before the list is there, they must not be more than format.MaxProgressBlocks.
const maxChain = 48

// goesOnFrom notes that a chunk is in a block of an earlier run, for the progress of the next.
func (l *largeState) goesOnFrom(b *format.Block) {
	if !slices.ContainsFunc(l.chain, func(x format.Block) bool { return x.Number == b.Number }) {
		l.chain = append(slices.Clip(l.chain), *b)
	}
}

// addSpan adds the next span of a file in chunks.
func (s *sequencer) addSpan(ctx context.Context, span format.Span, f *frame) error {
	if len(s.large.spans) == format.MaxSpansInline {
		if err := s.endSpanList(ctx); err != nil {
			return err
		}
	}
	s.at++
	s.large.frames = appendFrame(s.large.frames, f)
	s.large.spans = append(s.large.spans, span)
	return nil
}

// chunk stores one chunk of it.
func (s *sequencer) chunk(ctx context.Context, it *item, p piece) error {
	header := format.AppendTarPartHeader(nil, &it.entry, p.start, int64(len(p.data)))
	m := format.Member{Path: it.entry.Path, Kind: it.entry.Kind, SHA256: p.sum, Chunk: true, Start: p.start}
	if len(p.data) == 0 {
		_, _, err := s.member(ctx, pack.Large, header, nil, m)
		return err
	}
	span, f, err := s.content(ctx, pack.Large, it, header, format.PartName(it.entry.Path, p.start), p, m)
	if err != nil {
		return err
	}
	if err := s.addSpan(ctx, span, f); err != nil {
		return err
	}
	if f == nil && span.Frame.Block.Band == s.band {
		s.large.goesOnFrom(span.Frame.Block)
	}
	if open := s.open[pack.Large]; f != nil && open != nil {
		open.progress, open.chain = s.progressOf(it, p), s.large.chain
	}
	return nil
}

// progressOf is how far a file has come with p; nil at its end.
func (s *sequencer) progressOf(it *item, p piece) *format.Progress {
	if p.state == nil {
		return nil
	}
	e := &it.entry
	return &format.Progress{
		Path: e.Path, Device: e.Device, Inode: e.Inode, Size: it.began, MTime: e.MTime, CTime: e.CTime, End: p.start + int64(len(p.data)),
		Hash: *p.state, SpanLists: slices.Clip(s.large.numbers),
	}
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
	l := &spanList{number: s.nextSpans, spans: s.large.spans, frames: s.large.frames, stored: make(chan struct{})}
	for i := range l.spans {
		l.bytes += int64(l.spans[i].Bytes)
	}
	s.large.spans, s.large.frames = nil, nil
	s.large.lists, s.large.numbers = append(s.large.lists, l), append(s.large.numbers, l.number)
	s.nextSpans++
	return send(ctx, s.pipeline.index, indexTask{list: l})
}
