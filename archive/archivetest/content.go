package archivetest

import (
	"maps"
	"slices"
	"strings"

	"dura/archive/format"
)

// Item is an entry to write. Size, SHA256, Spans and SpanLists of a File come from Content.
type Item struct {
	format.Entry
	Content []Part
}

// Part is a piece of a file: data behind a hole.
type Part struct {
	HoleBytes int64
	Data      []byte
}

// Tree makes items of paths and what they hold: a path that ends in / is a directory, and so is one that another one is below;
// every other one is a file. The directories above are made, too. Items come in path order.
func Tree(files map[string]string) []Item {
	all := map[format.Path]Item{}
	for name, content := range files {
		p, isDir := strings.CutSuffix(name, "/")
		path := format.Path(p)
		if isDir {
			all[path] = Dir(path)
		} else if _, above := all[path]; !above {
			all[path] = File(path, []byte(content))
		}
		for path != format.Root {
			path, _ = path.Split()
			all[path] = Dir(path)
		}
	}
	paths := slices.SortedFunc(maps.Keys(all), format.Compare)
	items := make([]Item, len(paths))
	for i, p := range paths {
		items[i] = all[p]
	}
	return items
}

// Dir is a directory.
func Dir(p format.Path) Item { return Item{Entry: entry(p, format.Directory, 0o755)} }

// File is a file without holes.
func File(p format.Path, content []byte) Item {
	it := Item{Entry: entry(p, format.File, 0o644)}
	if len(content) > 0 {
		it.Content = []Part{{Data: content}}
	}
	return it
}

func entry(p format.Path, k format.Kind, mode uint32) format.Entry {
	return format.Entry{
		Path: p, Kind: k, Mode: mode, Owner: format.Owner{UID: 1000, GID: 1000, User: "user", Group: "group"},
		MTime: format.TimeOf(Time), CTime: format.TimeOf(Time),
	}
}

// openFrame is a frame that is being filled.
type openFrame struct {
	raw     []byte
	members []format.Member
	frame   *format.Frame
}

// Write writes the whole band, but for its tail: blocks, span lists, hunks and fences.
func (b *Band) Write(items []Item) (entries []format.Entry, hunks []format.HunkRef, fences []format.FenceRef) {
	b.t.Helper()
	for _, it := range items {
		entries = append(entries, b.store(it))
	}
	b.endFrame()
	b.endBlock()
	for i := range entries {
		b.splitSpans(&entries[i])
	}
	for run := range slices.Chunk(entries, b.HunkEntries) {
		hunks = append(hunks, b.Hunk(run))
	}
	for run := range slices.Chunk(hunks, b.FenceHunks) {
		fences = append(fences, b.Fence(run))
	}
	return entries, hunks, fences
}

// Directories stores a block of directories alone: nothing in the index refers to one.
func (b *Band) Directories(paths ...format.Path) {
	b.t.Helper()
	for _, p := range paths {
		e := Dir(p).Entry
		b.member(&e, nil, false, 0)
	}
	b.endFrame()
	b.endBlock()
}

// Complete writes the whole band.
func (b *Band) Complete(items []Item) format.Tail {
	b.t.Helper()
	_, _, fences := b.Write(items)
	return b.Tail(fences)
}

// store packs an item's content.
func (b *Band) store(it Item) format.Entry {
	e := it.Entry
	if b.Metadata && (e.Kind != format.File && e.Kind != format.Socket || e.LinkTo != format.Root || e.Size == 0 && len(it.Content) == 0) {
		b.member(&e, nil, false, 0)
	}
	if e.Kind != format.File || e.AsInParent || len(it.Content) == 0 && e.Size > 0 {
		return e
	}
	var content []byte
	var hole, start int64
	split := len(it.Content) > 1 || len(it.Content) == 1 && len(it.Content[0].Data) > b.SpanBytes
	for _, part := range it.Content {
		content = append(append(content, make([]byte, part.HoleBytes)...), part.Data...)
		hole += part.HoleBytes
		start += part.HoleBytes
		for data := range slices.Chunk(part.Data, b.SpanBytes) {
			s := b.member(&e, data, split, start)
			start += int64(len(data))
			s.HoleBytes, hole = hole, 0
			if split {
				s.SHA256 = format.SumBytes(data)
			}
			e.Spans = append(e.Spans, s)
		}
	}
	e.Size, e.SHA256 = int64(len(content)), format.SumBytes(content)
	if split && hole > 0 { // at its end
		b.member(&e, nil, true, e.Size)
	}
	return e
}

// member adds a tar member to the open frame.
func (b *Band) member(e *format.Entry, data []byte, chunk bool, start int64) format.Span {
	if len(b.open.raw) > 0 && len(b.open.raw)+len(data) > b.FrameBytes {
		b.endFrame()
	}
	if b.open.frame == nil {
		b.open.frame = &format.Frame{}
	}
	o := &b.open
	if chunk {
		o.raw = format.AppendTarPartHeader(o.raw, e, start, int64(len(data)))
	} else {
		o.raw = format.AppendTarHeader(o.raw, e, int64(len(data)))
	}
	s := format.Span{Frame: o.frame, Offset: uint32(len(o.raw)), Bytes: uint32(len(data))}
	m := format.Member{Path: e.Path, Kind: e.Kind, Offset: s.Offset, Bytes: s.Bytes, Chunk: chunk, Start: start}
	if !chunk && e.Kind == format.File && e.LinkTo == format.Root || len(data) > 0 {
		m.SHA256 = format.SumBytes(data)
	}
	o.members = append(o.members, m)
	o.raw = append(o.raw, data...)
	o.raw = append(o.raw, make([]byte, format.TarPadding(int64(len(data))))...)
	return s
}

func (b *Band) endFrame() {
	if b.open.frame == nil {
		return
	}
	b.frames = append(b.frames, b.open)
	b.open = openFrame{}
	if len(b.frames) == b.BlockFrames {
		b.endBlock()
	}
}

// endBlock stores the open block, and only then tells its frames where they are.
func (b *Band) endBlock() {
	b.t.Helper()
	if len(b.frames) == 0 {
		return
	}
	var builder format.BlockBuilder
	block := new(format.Block)
	for _, o := range b.frames {
		stored := b.encoder.Append(nil, o.raw)
		f := o.frame
		f.Block, f.StoredBytes, f.RawBytes, f.Sum = block, uint32(len(stored)), uint32(len(o.raw)), format.SumFrame(stored)
		f.Offset = builder.AddFrame(stored, f.RawBytes, f.Sum, o.members)
	}
	parts, ref := builder.Finish(b.ID, b.next(format.BlockObject), b.encoder)
	ref.StoredBytes, ref.SHA256, ref.Seal = b.put(ref.Name(), parts...)
	*block = ref
	b.frames = nil
}

// splitSpans moves the spans of a file that has many of them into lists.
func (b *Band) splitSpans(e *format.Entry) {
	b.t.Helper()
	if len(e.Spans) <= b.SpansInline {
		return
	}
	for run := range slices.Chunk(e.Spans, b.SpansInline) {
		e.SpanLists = append(e.SpanLists, b.Spans(run))
	}
	e.Spans = nil
}

func (b *Band) sumsText() []byte {
	var text []byte
	for _, name := range slices.Sorted(maps.Keys(b.sums)) {
		text = format.AppendSum(text, name, b.sums[name])
	}
	return text
}
