package archive

import (
	"context"
	"io"
	"sort"
	"unsafe"

	"dura/archive/format"
)

// spanList is a decoded span list.
type spanList struct {
	spans []format.Span
	ends  []int64
}

// spanEnds is where each span ends, holes included, counted from where the first one's hole begins. Hostile sums that don't fit
// end up negative.
func spanEnds(spans []format.Span) []int64 {
	ends := make([]int64, len(spans))
	var end int64
	for i := range spans {
		if end >= 0 {
			end += spans[i].HoleBytes
		}
		if end >= 0 {
			end += int64(spans[i].Bytes)
		}
		ends[i] = end
	}
	return ends
}

func (l *spanList) memoryBytes() int64 {
	var last *format.Frame
	return spansMemoryBytes(l.spans, &last) + int64(len(l.ends))*int64(unsafe.Sizeof(l.ends[0]))
}

// spanList gives a span list of the entry's.
func (a *Archive) spanList(ctx context.Context, r *format.SpanListRef) (*spanList, error) {
	object, err := a.getIndex(ctx, spansKey(r))
	if err != nil {
		return nil, err
	}
	l := object.(*spanList)
	if n := len(l.ends); n == 0 && r.ContentBytes != 0 || n > 0 && l.ends[n-1] != r.ContentBytes {
		return nil, contradiction(r.Band, spansKey(r).name(), "its spans do not cover the %d bytes expected", r.ContentBytes)
	}
	return l, nil
}

// Spans reads the spans that r refers to. They are shared and must not be modified.
func (a *Archive) Spans(ctx context.Context, r format.SpanListRef) ([]format.Span, error) {
	l, err := a.spanList(ctx, &r)
	if err != nil {
		return nil, err
	}
	return l.spans, nil
}

// piece is a run of a file's content: a part of a span, or a hole.
type piece struct {
	start int64
	bytes int64
	frame *format.Frame // nil: a hole
	from  uint32        // in the decompressed frame
	sum   format.Hash   // of a whole span, if it has one
}

func (p *piece) end() int64 { return p.start + p.bytes }

// piece is what lies at off, up to the end of the span or the hole, or io.EOF at or behind the end of the file. With another
// error it is what can't be told of.
func (c *Content) piece(ctx context.Context, off int64) (piece, error) {
	e := c.entry
	if off >= e.Size {
		return piece{}, io.EOF
	}
	if off < 0 || !c.stored() {
		return piece{start: off, bytes: e.Size - max(off, 0)}, c.unreadable(off)
	}
	if len(e.SpanLists) == 0 {
		return pieceOf(e.Spans, c.ends, 0, off, e.Size), nil
	}
	i := sort.Search(len(c.ends), func(i int) bool { return c.ends[i] > off })
	if i == len(c.ends) {
		return piece{start: off, bytes: e.Size - off}, nil // the hole at the end
	}
	list, err := c.archive.spanList(ctx, &e.SpanLists[i])
	if err != nil {
		return piece{start: off, bytes: c.ends[i] - off}, c.failed(err)
	}
	return pieceOf(list.spans, list.ends, c.ends[i]-e.SpanLists[i].ContentBytes, off, c.ends[i]), nil
}

// pieceOf finds off among spans that begin at start and, with the hole behind them, end at end.
func pieceOf(spans []format.Span, ends []int64, start, off, end int64) piece {
	i := sort.Search(len(ends), func(i int) bool { return start+ends[i] > off })
	if i == len(ends) {
		return piece{start: off, bytes: end - off}
	}
	s := &spans[i]
	spanEnd := start + ends[i]
	data := spanEnd - int64(s.Bytes)
	if off < data {
		return piece{start: off, bytes: data - off}
	}
	p := piece{start: off, bytes: spanEnd - off, frame: s.Frame, from: s.Offset + uint32(off-data)}
	if off == data {
		p.sum = s.SHA256
	}
	return p
}
