package writer

import (
	"bytes"
	"context"
	"slices"

	"dura/archive/event"
	"dura/archive/format"
	"dura/writer/pack"
	"dura/writer/plan"
)

// sequencer takes entries in path order and lays out what is stored.
type sequencer struct {
	*pipeline
	cuts    pack.Frames
	hunks   pack.Hunks
	open    [pack.Streams]*frame
	hunk    *hunk
	keptRun keptRun
	at      pack.Position
	checked pack.Position // where frames and blocks were last looked through for stale ones
	reader  *reader       // for the rare entry that is read here
	large   largeState
	known   [pack.Streams]known // of each stream: a link must stand behind what it links to
	finder  *finder             // of content that other bands have, or an earlier run

	nextSpans uint64
}

// hunk is a run of entries on its way into the index.
type hunk struct {
	items  []*item
	frames []*frame // that must be stored first
}

// indexTask is the next thing to put into the index: a hunk, a reference to one of the parent, or a span list.
type indexTask struct {
	hunk   *hunk
	shared *format.HunkRef
	list   *spanList
}

func newSequencer(p *pipeline) *sequencer {
	return &sequencer{
		pipeline: p, cuts: pack.Frames{AimBytes: [pack.Streams]int64{p.o.Settings.FrameBytes, p.o.Settings.ChunkMeanBytes}}, hunk: &hunk{},
		finder: newFinder(p), nextSpans: p.begun.numbers().NextSpans,
		reader: &reader{pipeline: p, chunker: p.chunker()},
	}
}

func (s *sequencer) run(ctx context.Context) error {
	for b := range s.ordered {
		if err := s.batch(ctx, b); err != nil {
			s.unfinished = b
			return err
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx) // the dispatcher stopped early
	}
	for stream := range pack.Streams {
		if err := s.endFrame(ctx, stream); err != nil {
			return err
		}
	}
	if err := s.endRun(ctx, !s.stopped.Load()); err != nil {
		return err
	}
	return s.endHunk(ctx)
}

func (s *sequencer) batch(ctx context.Context, b *batch) error {
	if err := await(ctx, b.done); err != nil {
		return err
	}
	for i := range b.items {
		if err := s.item(ctx, &b.items[i]); err != nil {
			return err
		}
	}
	if b.large != nil {
		if err := s.largeChunks(ctx, b); err != nil {
			return err
		}
	}
	s.budget.recycle(b.data)
	if b.slab != nil {
		s.budget.recycleSlab(b.slab)
	}
	s.budget.release(b.bytes)
	s.o.Events.Send(event.Progress{Done: s.count.totals(), Path: s.count.path()})
	return s.endStale(ctx)
}

// item stores what was read of an entry, and indexes it.
func (s *sequencer) item(ctx context.Context, it *item) error {
	if it.isLink() {
		defer it.close()
		if it.action == plan.Link || it.group.entry == nil {
			if err := s.link(it); err != nil {
				return err
			}
		}
	}
	if it.omitted {
		return nil
	}
	if it.settle(); !it.kept {
		if err := s.store1(ctx, it); err != nil {
			return err
		}
	}
	it.lead()
	it.pieces, it.header = nil, nil
	return s.take(ctx, it)
}

// settle finds out whether the parent's entry says all that there is to say of it, and takes that then.
func (it *item) settle() {
	e, old := &it.entry, it.old
	if old == nil || !plan.Recorded(e, old) {
		return
	}
	it.kept = it.action == plan.Keep || !e.Unstable && it.there && e.SHA256 == old.SHA256 && e.DataSHA == old.DataSHA && sameXAttrs(e.XAttrs, old.XAttrs)
	if it.kept {
		it.entry, it.frames, it.lists = *old, nil, nil
	}
}

func sameXAttrs(a, b []format.XAttr) bool {
	return slices.EqualFunc(a, b, func(x, y format.XAttr) bool { return x.Name == y.Name && bytes.Equal(x.Value, y.Value) })
}

// store1 stores the members of an entry.
func (s *sequencer) store1(ctx context.Context, it *item) error {
	if len(it.pieces) == 0 || !it.pieces[0].chunk {
		if len(it.header) == 0 {
			return nil
		}
		return s.whole(ctx, it)
	}
	for i := range it.pieces {
		if err := s.chunk(ctx, it, it.pieces[i]); err != nil {
			return err
		}
	}
	return s.endLarge(ctx, it)
}

// link makes it like the first of its group, which came before. If that could not be read, this one is, and takes its place.
func (s *sequencer) link(it *item) error {
	first, e := it.group, &it.entry
	if first.entry == nil {
		e.LinkTo = format.Root
		return s.readHere(it)
	}
	target := first.entry
	e.LinkTo, e.Unstable, e.MTime, e.CTime, e.XAttrs = target.Path, target.Unstable, target.MTime, target.CTime, target.XAttrs
	e.Size, e.SHA256, e.DataSHA, e.Spans, e.SpanLists = target.Size, target.SHA256, target.DataSHA, target.Spans, target.SpanLists
	it.lists, it.frames = first.lists, first.frames
	switch {
	case e.Kind == format.Socket:
	case first.inChunks:
		// No member has the name of a file in chunks, so tar can't make a hard link to it; a symbolic one stands for that.
		it.header = format.AppendTarSymlinkHeader(nil, e, format.Relative(e.Path, target.Path))
	case first.named:
		it.header = format.AppendTarHeader(nil, e, 0)
	}
	return nil
}

// isLink reports whether it is a further link of a file that came before.
func (it *item) isLink() bool { return it.group != nil && it.entry.LinkTo != format.Root }

// lead makes it the first of its group, for those that follow.
func (it *item) lead() {
	if it.group == nil || it.entry.LinkTo != format.Root {
		return
	}
	entry := it.entry
	it.group.entry, it.group.frames, it.group.lists = &entry, it.frames, it.lists
	it.group.inChunks = it.group.inChunks || inChunks(&entry)
	it.group.named = it.named || it.kept || it.action == plan.Refer
}

// readHere reads one entry outside of any batch.
func (s *sequencer) readHere(it *item) error {
	it.action = plan.Decide(&it.entry, s.o.Settings.SplitBytes)
	if it.action == plan.Chunks {
		return s.omit(it, errLinkUnread)
	}
	buf := make([]byte, it.entry.Size)
	if _, err := s.reader.item(it, buf); err != nil || it.omitted {
		return err
	}
	s.reader.head(it, nil)
	return nil
}

// whole stores a member with all of an entry's content, or without any.
func (s *sequencer) whole(ctx context.Context, it *item) error {
	m := format.Member{Path: it.entry.Path, Kind: it.entry.Kind}
	if it.action != plan.Whole || len(it.pieces) == 0 {
		if it.action == plan.Whole {
			m.SHA256 = it.entry.SHA256
		}
		it.named = true
		_, _, err := s.member(ctx, pack.Small, it.header, nil, m)
		return err
	}
	span, f, err := s.content(ctx, pack.Small, it, it.header, string(it.entry.Path), it.pieces[0], m)
	it.named = f != nil
	span.SHA256 = format.Hash{} // it is the file's
	it.entry.Spans, it.frames = []format.Span{span}, appendFrame(nil, f)
	return err
}

// content stores a member with content p, or a link in its place if the band has that content already; or nothing, if another
// band has it. It returns where the content is, and in which frame of this run.
func (s *sequencer) content(ctx context.Context, stream pack.Stream, it *item, header []byte, name string, p piece, m format.Member) (format.Span, *frame, error) {
	m.SHA256 = p.sum
	if c, ok := s.known[stream].find(p.sum); ok {
		span := format.Span{Frame: &c.frame.Frame, Offset: c.offset, Bytes: c.bytes, HoleBytes: p.hole, SHA256: p.sum}
		_, _, err := s.member(ctx, stream, format.AppendTarCopyHeader(nil, &it.entry, name, c.member), nil, m)
		return span, c.frame, err
	}
	if span, ok, err := s.finder.find(ctx, it, p); ok || err != nil {
		span.HoleBytes, span.SHA256 = p.hole, p.sum
		return span, nil, err
	}
	f, offset, err := s.member(ctx, stream, header, p.data, m)
	if err != nil {
		return format.Span{}, nil, err
	}
	s.known[stream].add(p.sum, copyOf{member: name, frame: f, offset: offset, bytes: uint32(len(p.data))})
	return format.Span{Frame: &f.Frame, Offset: offset, Bytes: uint32(len(p.data)), HoleBytes: p.hole, SHA256: p.sum}, f, nil
}

// member puts a member into the open frame of a stream, and says which that is and where in it the content lies.
func (s *sequencer) member(ctx context.Context, stream pack.Stream, header, data []byte, m format.Member) (*frame, uint32, error) {
	padding := format.TarPadding(int64(len(data)))
	if s.cuts.EndsBefore(stream, int64(len(header)+len(data)+padding), s.at) {
		if err := s.endFrame(ctx, stream); err != nil {
			return nil, 0, err
		}
	}
	f := s.open[stream]
	if f == nil {
		f = newFrame(stream, s.at, s.store.rawBuffer())
		s.open[stream] = f
	}
	f.raw = append(f.raw, header...)
	m.Offset, m.Bytes = uint32(len(f.raw)), uint32(len(data))
	f.raw = append(f.raw, data...)
	f.raw = append(f.raw, make([]byte, padding)...)
	f.members = append(f.members, m)
	return f, m.Offset, nil
}

// enter puts an entry into the open hunk.
func (s *sequencer) enter(ctx context.Context, it *item) error {
	e := &it.entry
	bytes := indexBytes(e)
	if s.hunks.EndsBefore(e.Path, bytes) {
		if err := s.endHunk(ctx); err != nil {
			return err
		}
	}
	for _, f := range it.frames {
		s.hunk.frames = appendFrame(s.hunk.frames, f)
	}
	s.hunk.items = append(s.hunk.items, it)
	return nil
}

// appendFrame appends f to frames unless it is none, or the last of them already.
func appendFrame(frames []*frame, f *frame) []*frame {
	if n := len(frames); f == nil || n > 0 && frames[n-1] == f {
		return frames
	}
	return append(frames, f)
}

// indexBytes is about what an entry takes up in the index.
func indexBytes(e *format.Entry) int64 {
	bytes := 100 + len(e.Path) + len(e.Target) + len(e.LinkTo) + 60*len(e.Spans)
	for _, x := range e.XAttrs {
		bytes += 8 + len(x.Name) + len(x.Value)
	}
	return int64(bytes)
}

func (s *sequencer) endHunk(ctx context.Context) error {
	h := s.hunk
	s.hunk = &hunk{}
	if len(h.items) == 0 {
		return nil
	}
	if s.finder.resumedHits > 0 {
		if err := s.flush(ctx); err != nil {
			return err
		}
	}
	return send(ctx, s.pipeline.index, indexTask{hunk: h})
}

// flush ends the open frames and blocks. While what an earlier run has stored is found again, blocks fill slowly, and hunks would wait
// for them: a backup that is stopped again and again might never get a hunk stored.
func (s *sequencer) flush(ctx context.Context) error {
	s.finder.resumedHits = 0
	for stream := range pack.Streams {
		s.cuts.End(stream)
		if err := s.endFrame(ctx, stream); err != nil {
			return err
		}
	}
	return send(ctx, s.frames, assembly{flush: true})
}

// endFrame sends the open frame of a stream on.
func (s *sequencer) endFrame(ctx context.Context, stream pack.Stream) error {
	f := s.open[stream]
	if f == nil {
		return nil
	}
	s.open[stream] = nil
	if err := send(ctx, s.frames, assembly{frame: f}); err != nil {
		return err
	}
	return send(ctx, s.compress, f)
}

// endStale ends frames and blocks that have been open for long, so that the index does not wait for them.
func (s *sequencer) endStale(ctx context.Context) error {
	if s.at-s.checked < pack.Window/4 {
		return nil
	}
	s.checked = s.at
	for stream := range pack.Streams {
		if s.cuts.EndsStale(stream, s.at) {
			if err := s.endFrame(ctx, stream); err != nil {
				return err
			}
		}
	}
	return send(ctx, s.frames, assembly{at: s.at})
}
