package reindex

import (
	"cmp"
	"slices"
	"sort"

	"dura/archive/format"
)

// Only is the range of one path.
func Only(p format.Path) Range { return Range{From: p, To: p + "\x00"} } // which no path has

// Part is a part of a file's content, with the holes in it.
type Part struct{ Start, End int64 }

// Spans puts the spans of a part of a file together: of the chunks that the blocks hold, and where these leave room, of also, which are all the spans of
// the file in another band. A chunk that was stored several times, by backups that went on with the band, may be meant by any of its places: so there are
// several answers. None is known to be right until something is found that has its hash.
func (b *Blocks) Spans(p format.Path, part Part, also []format.Span) [][]format.Span {
	var chunks []chunk
	if s := b.own[p]; s != nil {
		chunks = slices.DeleteFunc(slices.Clone(s.chunks), func(c chunk) bool { return c.lost || c.Bytes == 0 || !part.has(&c) })
	}
	earlier := slices.DeleteFunc(chunksOf(also), func(c chunk) bool { return !part.has(&c) })
	latest := slices.Clone(chunks)
	slices.Reverse(latest)
	answers := [][]format.Span{part.tile(chunks, earlier)}
	if last := part.tile(latest, earlier); !slices.EqualFunc(answers[0], last, sameSpan) {
		answers = append(answers, last)
	}
	return answers
}

func (p Part) has(c *chunk) bool {
	return c.start >= p.Start && c.start <= p.End && int64(c.Bytes) <= p.End-c.start
}

func sameSpan(x, y format.Span) bool { return at(&x) == at(&y) && x.HoleBytes == y.HoleBytes }

func chunksOf(spans []format.Span) []chunk {
	chunks := make([]chunk, len(spans))
	var end int64
	for i := range spans {
		s := &spans[i]
		end += s.HoleBytes
		chunks[i] = chunk{start: end, Content: Content{s.Frame, s.Offset, s.Bytes, s.SHA256}}
		end += int64(s.Bytes)
	}
	return chunks
}

// tile takes of each list of chunks, the first one's first, what does not overlap with what was taken.
func (p Part) tile(lists ...[]chunk) []format.Span {
	var taken []chunk // by start
	for _, list := range lists {
		var more []chunk
		for _, c := range byStart(list) {
			if n := len(more); n > 0 && more[n-1].end() > c.start || overlaps(taken, &c) {
				continue
			}
			more = append(more, c)
		}
		taken = byStart(append(taken, more...))
	}
	spans := make([]format.Span, len(taken))
	end := p.Start
	for i, c := range taken {
		spans[i] = format.Span{Frame: c.Frame, Offset: c.Offset, Bytes: c.Bytes, HoleBytes: c.start - end, SHA256: c.SHA256}
		end = c.end()
	}
	return spans
}

func (c *chunk) end() int64 { return c.start + int64(c.Bytes) }

// byStart puts chunks in order, those with one start as they were.
func byStart(chunks []chunk) []chunk {
	return slices.SortedStableFunc(slices.Values(chunks), func(x, y chunk) int { return cmp.Compare(x.start, y.start) })
}

// overlaps reports whether a chunk does with one of others, which are in order and apart from each other.
func overlaps(others []chunk, c *chunk) bool {
	behind := sort.Search(len(others), func(i int) bool { return others[i].end() > c.start })
	return behind < len(others) && others[behind].start < c.end()
}
