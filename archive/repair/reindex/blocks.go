package reindex

import (
	"crypto/sha256"
	"maps"
	"slices"
	"sort"

	"dura/archive/format"
)

// contentsKept is how many contents of each stream are remembered at least, for the links that stand for them: as many as writers do.
const contentsKept = 1 << 16

// contents remembers the last ones: contentsKept to twice as many.
type contents struct{ now, before map[format.Hash]Content }

func (c *contents) add(one Content) {
	if len(c.now) >= contentsKept {
		c.now, c.before = nil, c.now
	}
	if c.now == nil {
		c.now = map[format.Hash]Content{}
	}
	c.now[one.SHA256] = one
}

func (c *contents) get(sum format.Hash) (Content, bool) {
	if found, ok := c.now[sum]; ok {
		return found, true
	}
	found, ok := c.before[sum]
	if ok {
		c.add(found)
	}
	return found, ok
}

// Blocks is what the blocks of a band hold in some ranges. Blocks are added in the order of their numbers, each once.
type Blocks struct {
	ranges   []Range // in order, apart from each other
	own      map[format.Path]*seen
	progress map[format.Path]format.Progress // the last one of each file
	known    [2]contents                     // of each stream
	names    map[format.Path]uint32          // how many further names a file has
	lost     bool                            // a block can't be read
	sorted   []format.Path                   // of own; nil: it has changed
}

// NewBlocks is for what lies in these ranges.
func NewBlocks(ranges []Range) *Blocks {
	return &Blocks{ranges: union(ranges), own: map[format.Path]*seen{}, progress: map[format.Path]format.Progress{}, names: map[format.Path]uint32{}}
}

// Lose notes that a block can't be read: what it held is not known.
func (b *Blocks) Lose() { b.lost = true }

var emptySum = format.Hash(sha256.Sum256(nil))

// Add adds a block by its footer. Headers gives the tar members of one of its frames; those it can't give, it leaves out.
func (b *Blocks) Add(block *format.Block, f *format.Footer, headers func(frame *format.Frame) ([]format.TarMember, error)) error {
	frames := make([]*format.Frame, len(f.Frames))
	for i := range f.Frames {
		frame := f.Frames[i]
		frame.Block = block
		frames[i] = &frame
	}
	var of *format.Frame
	var tars map[uint32]*format.TarMember
	for i := range f.Members {
		m := &f.Members[i]
		c := Content{frames[m.Frame], m.Offset, m.Bytes, m.SHA256}
		c, lost := b.resolve(m, c)
		in := b.has(m.Path)
		if !in && !isLink(m) { // of which the file may be asked for
			continue
		}
		if frame := frames[m.Frame]; of != frame {
			got, err := headers(frame)
			if err != nil {
				return err
			}
			of, tars = frame, map[uint32]*format.TarMember{}
			for j := range got {
				tars[got[j].Offset] = &got[j]
			}
		}
		if to, is := linkOf(m, tars[m.Offset]); is && b.has(to) {
			b.names[to]++
		}
		if in {
			b.member(m, c, lost, tars[m.Offset])
		}
	}
	if p := f.Progress; p != nil && b.has(p.Path) {
		kept := *p
		kept.Blocks, kept.SpanLists = nil, nil
		b.progress[p.Path] = kept
	}
	return nil
}

// isLink reports whether a member is a further name of a regular file.
func isLink(m *format.Member) bool { return m.Kind == format.File && !m.Chunk && m.SHA256.IsZero() }

// linkOf is the file that a member is a further name of, if it is one.
func linkOf(m *format.Member, tar *format.TarMember) (to format.Path, is bool) {
	switch {
	case tar == nil || m.Chunk || !m.SHA256.IsZero():
	case tar.Link != "":
		to, is = format.Path(tar.Link), true
	case m.Kind == format.File && tar.Entry.Kind == format.Symlink:
		to, is = format.LinkedFrom(m.Path, tar.Entry.Target)
	}
	return to, is && format.ValidPath(string(to)) && to != m.Path && to != format.Root
}

// resolve finds the content of a member that is a link to an earlier one, and remembers that of any other.
func (b *Blocks) resolve(m *format.Member, c Content) (content Content, lost bool) {
	stream := &b.known[0]
	if m.Chunk {
		stream = &b.known[1]
	}
	switch {
	case m.Bytes > 0:
		stream.add(c)
	case !m.SHA256.IsZero() && m.SHA256 != emptySum:
		earlier, ok := stream.get(m.SHA256)
		return earlier, !ok
	}
	return c, false
}

func (b *Blocks) has(p format.Path) bool {
	behind := sort.Search(len(b.ranges), func(i int) bool { return format.Compare(b.ranges[i].From, p) > 0 })
	return behind > 0 && b.ranges[behind-1].Has(p)
}

// union is all that ranges have, and perhaps where one of them begins behind.
func union(ranges []Range) []Range {
	sorted := slices.Clone(ranges)
	slices.SortFunc(sorted, func(x, y Range) int { return format.Compare(x.From, y.From) })
	var all []Range
	for _, r := range sorted {
		r.Behind = false
		if n := len(all); n > 0 && !all[n-1].IsBehind(r.From) {
			last := &all[n-1]
			if r.To == format.Root || last.To != format.Root && format.Compare(r.To, last.To) > 0 {
				last.To = r.To
			}
			continue
		}
		all = append(all, r)
	}
	return all
}

// in are the paths of a range that the blocks hold, in order.
func (b *Blocks) in(r Range) []format.Path {
	if len(b.sorted) != len(b.own) {
		b.sorted = slices.SortedFunc(maps.Keys(b.own), format.Compare)
	}
	from := sort.Search(len(b.sorted), func(i int) bool { return !r.IsAhead(b.sorted[i]) })
	to := sort.Search(len(b.sorted), func(i int) bool { return r.IsBehind(b.sorted[i]) })
	return b.sorted[from:max(from, to)]
}

// member takes up a member of a path that is asked for.
func (b *Blocks) member(m *format.Member, c Content, lost bool, tar *format.TarMember) {
	s := b.own[m.Path]
	if m.Chunk {
		if s == nil || s.chunks == nil {
			s = &seen{kind: format.File}
		}
		if s.meta == nil {
			s.meta = tar
		}
		s.chunks = append(s.chunks, chunk{m.Start, c, lost})
		b.own[m.Path] = s
		return
	}
	s = &seen{kind: m.Kind, meta: tar, whole: c, sum: m.SHA256, lost: lost}
	b.own[m.Path] = s
	if s.link, s.isLink = linkOf(m, tar); !s.isLink && isLink(m) || tar != nil && tar.Link != "" && m.SHA256.IsZero() && !s.isLink {
		s.lost = true
	}
}
