package reindex

import (
	"encoding/binary"
	"maps"
	"math"
	"slices"

	"dura/archive/format"
)

// Sources are what tells of a range.
type Sources struct {
	Range  Range
	Blocks *Blocks        // of the band
	Parent []format.Entry // of the band that unchanged entries were taken from, in that range
	Later  []format.Entry // of a band behind it
	Band   format.BandID
	Alone  bool // there was no band ahead of it that might have had some of its content
	// Find gives an entry that stands outside of the range, as the band's index has it; nil if it can't.
	Find func(format.Path) *format.Entry
}

// Doubt is an entry that could not be rebuilt in full.
type Doubt struct {
	Path format.Path
	Why  Why
}

// Why says what is not known of an entry.
type Why int

const (
	NoContent  Why = iota // where its content is
	NoMetadata            // mode, owner, times
)

// Filled is what a range has.
type Filled struct {
	Entries  []format.Entry // in path order
	Unsummed []int          // of which the hash of the content is not known: files in chunks, whose spans tell
	Doubts   []Doubt
	Exact    int // how many entries are as another index has them; the others lack what tar has no room for
}

// Fill puts a range together. Of each path the band's own blocks count most, then the parent.
func Fill(s Sources) Filled {
	f := &filling{Sources: s, later: byPath(s.Later), entries: map[format.Path]*format.Entry{}, exact: map[format.Path]bool{}, unsummed: map[format.Path]bool{}}
	paths := s.Blocks.in(s.Range)
	for _, p := range paths {
		if !s.Blocks.own[p].isLink {
			f.own(p, s.Blocks.own[p])
		}
	}
	for i := range s.Parent {
		f.inherit(&s.Parent[i])
	}
	for _, p := range paths {
		if s.Blocks.own[p].isLink {
			f.link(p, s.Blocks.own[p])
		}
	}
	return f.filled()
}

type filling struct {
	Sources
	later    map[format.Path]*format.Entry
	entries  map[format.Path]*format.Entry
	exact    map[format.Path]bool
	unsummed map[format.Path]bool
	doubts   []Doubt
}

func byPath(entries []format.Entry) map[format.Path]*format.Entry {
	m := make(map[format.Path]*format.Entry, len(entries))
	for i := range entries {
		m[entries[i].Path] = &entries[i]
	}
	return m
}

func (f *filling) doubt(p format.Path, why Why) { f.doubts = append(f.doubts, Doubt{p, why}) }

// own makes an entry of what the blocks hold of it.
func (f *filling) own(p format.Path, s *seen) {
	if needsMeta := s.kind == format.Symlink || s.kind == format.CharDevice || s.kind == format.BlockDevice; s.lost && s.kind != format.File || needsMeta && s.meta == nil {
		f.doubt(p, NoContent) // what it leads to
		return
	}
	e := metadata(p, s)
	known := true
	switch {
	case s.kind != format.File:
	case s.chunks != nil:
		known = f.chunked(e, s)
	case s.lost:
		e.Size, known = max(int64(s.whole.Bytes), 1), false
	default:
		e.Size, e.SHA256 = int64(s.whole.Bytes), s.sum
		if s.whole.Bytes > 0 {
			e.Spans = []format.Span{{Frame: s.whole.Frame, Offset: s.whole.Offset, Bytes: s.whole.Bytes}}
		}
	}
	if l := f.later[p]; l != nil && f.isSame(e, s, l) {
		kept := *l
		f.entries[p], f.exact[p] = &kept, true
		delete(f.unsummed, p)
		return
	}
	if n := f.Blocks.names[p]; n > 0 {
		e.Links, e.Inode, e.Device = n+1, madeUpInode(p), 0
	}
	f.entries[p] = e
	if !known {
		delete(f.unsummed, p)
		e.Spans, e.SHA256 = nil, format.Hash{}
		f.doubt(p, NoContent)
	}
	if s.meta == nil {
		f.doubt(p, NoMetadata)
	}
}

// metadata is an entry without content.
func metadata(p format.Path, s *seen) *format.Entry {
	e := format.Entry{Mode: 0o600}
	if s.kind == format.Directory {
		e.Mode = 0o700
	}
	if s.meta != nil {
		e = s.meta.Entry
	}
	e.Path, e.Kind = p, s.kind
	if e.Kind != format.Symlink {
		e.Target = ""
	}
	if e.Kind != format.CharDevice && e.Kind != format.BlockDevice {
		e.Rdev = format.DeviceNumber{}
	}
	return &e
}

// chunked gives e the spans of its chunks. It reports whether these are known to be all.
func (f *filling) chunked(e *format.Entry, s *seen) bool {
	chunks := byStart(s.chunks)
	known, gapless := true, true
	var end, dataEnd int64
	for i, c := range chunks {
		again := i > 0 && c.start == chunks[i-1].start && c.SHA256 == chunks[i-1].SHA256 && c.Bytes == chunks[i-1].Bytes
		switch {
		case again:
		case c.lost || c.start < dataEnd || c.start > math.MaxInt64-int64(c.Bytes):
			known = false
		case c.Bytes == 0: // a hole ends there
			end = max(end, c.start)
		default:
			gapless = gapless && c.start == dataEnd
			e.Spans = append(e.Spans, format.Span{Frame: c.Frame, Offset: c.Offset, Bytes: c.Bytes, HoleBytes: c.start - dataEnd, SHA256: c.SHA256})
			dataEnd = c.start + int64(c.Bytes)
			end = max(end, dataEnd)
		}
	}
	e.Size = max(end, 1)
	p, told := f.Blocks.progress[e.Path]
	switch {
	case told && p.Size > end:
		e.Size, known = p.Size, false
	case told && p.Size == dataEnd && gapless && !s.lost:
		e.Device, e.Inode, e.MTime, e.CTime = p.Device, p.Inode, p.MTime, p.CTime
	default:
		known = known && f.Alone && !f.Blocks.lost
	}
	f.unsummed[e.Path] = known
	return known
}

// isSame reports whether an entry of a later band is this one: its content is where the blocks hold it, and nowhere newer.
func (f *filling) isSame(e *format.Entry, s *seen, l *format.Entry) bool {
	if l.Kind != e.Kind || l.AsInParent || l.LinkTo != format.Root {
		return false
	}
	if s.meta != nil && (l.Mode != e.Mode || l.Owner != e.Owner || l.MTime.Seconds != e.MTime.Seconds || l.Target != e.Target || l.Rdev != e.Rdev) {
		return false
	}
	if s.kind != format.File {
		return s.meta != nil
	}
	if s.chunks == nil {
		return l.SHA256 == s.sum && !s.sum.IsZero() && (l.Size == 0 || len(l.Spans) == 1 && at(&l.Spans[0]) == placeOf(&s.whole))
	}
	return len(l.SpanLists) == 0 && f.holds(l, s)
}

type place struct {
	band   format.BandID
	block  uint64
	frame  int64
	offset uint32
	bytes  uint32
}

func at(s *format.Span) place {
	return place{s.Frame.Block.Band, s.Frame.Block.Number, s.Frame.Offset, s.Offset, s.Bytes}
}

func placeOf(c *Content) place {
	return place{c.Frame.Block.Band, c.Frame.Block.Number, c.Frame.Offset, c.Offset, c.Bytes}
}

// holds reports whether every chunk is where the spans of l have it, and no span is of a band behind this one.
func (f *filling) holds(l *format.Entry, s *seen) bool {
	starts := map[int64]place{}
	var end int64
	for i := range l.Spans {
		span := &l.Spans[i]
		end += span.HoleBytes
		starts[end] = at(span)
		end += int64(span.Bytes)
		if span.Frame.Block.Band > f.Band {
			return false
		}
	}
	for i := range s.chunks {
		c := &s.chunks[i]
		if c.Bytes == 0 && !c.lost {
			if c.start != l.Size {
				return false
			}
			continue
		}
		if c.lost || starts[c.start] != placeOf(&c.Content) {
			return false
		}
	}
	return true
}

// inherit takes an entry of the parent, unless the band has its own.
func (f *filling) inherit(e *format.Entry) {
	if _, known := f.Blocks.own[e.Path]; known || !f.Range.Has(e.Path) {
		return
	}
	for dir := e.Path; dir != format.Root; {
		dir, _ = dir.Split()
		if s := f.Blocks.own[dir]; s != nil && s.kind != format.Directory {
			return // there was something else in the place of its directory
		}
	}
	kept, exact := *e, true
	if f.Blocks.own[e.LinkTo] != nil && e.LinkTo != format.Root { // which is another file now
		kept.LinkTo, kept.Links, exact = format.Root, 0, false
	}
	f.entries[e.Path], f.exact[e.Path] = &kept, exact
}

// link makes a further name of a file.
func (f *filling) link(p format.Path, s *seen) {
	first := f.entries[s.link]
	if first == nil && !f.Range.Has(s.link) && f.Find != nil {
		first = f.Find(s.link)
	}
	if first == nil || first.LinkTo != format.Root || first.Kind == format.Directory {
		e := metadata(p, s)
		if e.Kind == format.File {
			e.Size = 1
		}
		f.entries[p] = e
		f.doubt(p, NoContent)
		return
	}
	e := *first
	e.Path, e.LinkTo, e.Links = p, first.Path, max(first.Links, 2)
	f.entries[p] = &e
	if f.unsummed[s.link] {
		f.unsummed[p] = true
	}
}

// madeUpInode is for a group of names whose inode is not known, on device 0, where none is.
func madeUpInode(p format.Path) uint64 {
	sum := format.SumBytes([]byte(p))
	return binary.LittleEndian.Uint64(sum[:])
}

func (f *filling) filled() Filled {
	out := Filled{Doubts: f.doubts}
	for _, p := range slices.SortedFunc(maps.Keys(f.entries), format.Compare) {
		if f.unsummed[p] {
			out.Unsummed = append(out.Unsummed, len(out.Entries))
		}
		if f.exact[p] {
			out.Exact++
		}
		out.Entries = append(out.Entries, *f.entries[p])
	}
	return out
}
