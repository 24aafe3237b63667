package archive

import (
	"context"

	"dura/archive/format"
)

// Prefetch begins to fetch the frames that hold the content of small files, those without span lists, unless they are cached, and
// returns at once. Neighbours come in one request, so entries are best given in path order. What is brought in stays as long as
// the cache keeps it.
func (a *Archive) Prefetch(entries ...*format.Entry) {
	var frames []*format.Frame
	for _, e := range entries {
		for i := range e.Spans {
			f := e.Spans[i].Frame
			if n := len(frames); n == 0 || f != frames[n-1] && keyOfFrame(f) != keyOfFrame(frames[n-1]) {
				frames = append(frames, f)
			}
		}
	}
	a.prefetchFrames(frames)
}

// Prefetch begins to fetch the hunk that has the entry with this ordinal, unless it is cached, and returns at once. Where its fence
// is not cached, that is all it begins to fetch.
func (b *Band) Prefetch(ordinal int64) {
	if ordinal < 0 || ordinal >= b.Entries() {
		return
	}
	atOnce, cancel := context.WithCancel(context.Background())
	cancel()
	b.at(atOnce, ordinal)
}

// Prefetch begins to fetch the frames that hold bytes bytes of the content from off on, unless they are cached, and returns at
// once. Where a span list is not cached and does not come at once, that is all it begins to fetch.
func (c *Content) Prefetch(off, bytes int64) {
	atOnce, cancel := context.WithCancel(context.Background())
	cancel()
	var frames []*format.Frame
	for end := min(max(off, 0)+bytes, c.Size()); off < end; {
		p, err := c.piece(atOnce, off)
		if err != nil {
			break
		}
		if p.frame != nil {
			frames = append(frames, p.frame)
		}
		off = p.end()
	}
	c.archive.prefetchFrames(frames)
}
