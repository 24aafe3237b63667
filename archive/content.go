package archive

import (
	"context"
	"errors"
	"fmt"
	"io"

	"dura/archive/format"
)

// Content is the content of a file. It is safe for concurrent use, costs little to make, and need not be closed.
type Content struct {
	archive *Archive
	entry   *format.Entry
	ends    []int64 // of its spans, or of its span lists
}

// Segment is a run of a file's content: data, or a hole.
type Segment struct {
	Start  int64
	Bytes  int64       // how long it is
	Data   []byte      // shared with the cache, not to be modified; nil in a hole, and where it could not be read
	SHA256 format.Hash // of Data, where that is a whole span whose hash the index has

	raw *rawFrame // what Data is in; held
}

// End is where the segment ends.
func (s Segment) End() int64 { return s.Start + s.Bytes }

// Release says that Data is not looked at any more, so that its memory can be used again. It may be left, and must not be done twice.
func (s Segment) Release() {
	if s.raw != nil {
		s.raw.drop()
	}
}

// Content gives the content of an entry of kind File, as Band's methods return them.
func (a *Archive) Content(e *format.Entry) *Content {
	c := &Content{archive: a, entry: e}
	if len(e.SpanLists) == 0 {
		c.ends = spanEnds(e.Spans)
		return c
	}
	c.ends = make([]int64, len(e.SpanLists))
	var end int64
	for i := range e.SpanLists {
		end += e.SpanLists[i].ContentBytes // within the size: the decoder has checked it
		c.ends[i] = end
	}
	return c
}

// Size is how many bytes there are, holes included.
func (c *Content) Size() int64 { return c.entry.Size }

var errNotStored = errors.New("its content is not stored")

// stored reports whether there is content that can be read. Without a hash even holes are not known to be holes.
func (c *Content) stored() bool {
	e := c.entry
	return e.Kind == format.File && !e.AsInParent && (e.Size == 0 || !e.SHA256.IsZero() || !e.DataSHA.IsZero())
}

// unreadable says why nothing at off can be read.
func (c *Content) unreadable(off int64) error {
	e := c.entry
	switch {
	case e.Kind != format.File:
		return &Error{Op: opRead, Path: e.Path, Kind: KindNotAFile}
	case off < 0:
		return fmt.Errorf("read %q: offset %d is negative", e.Path, off)
	}
	return &Error{Op: opRead, Path: e.Path, Kind: KindMissing, Err: errNotStored}
}

// failed names the entry in err.
func (c *Content) failed(err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	named := *e
	named.Path = c.entry.Path
	return &named
}

// At is what lies at off, up to the end of a span or a hole. At or behind the end of the file the error is io.EOF. With another
// error the segment is what is lost.
func (c *Content) At(ctx context.Context, off int64) (Segment, error) {
	p, err := c.piece(ctx, off)
	s := Segment{Start: p.start, Bytes: p.bytes}
	if err != nil || p.frame == nil {
		return s, err
	}
	raw, err := c.archive.frame(ctx, p.frame)
	return c.segment(p, raw, err)
}

// segment is a piece whose frame is raw.
func (c *Content) segment(p piece, raw *rawFrame, err error) (Segment, error) {
	s := Segment{Start: p.start, Bytes: p.bytes}
	if err != nil {
		return s, c.failed(err)
	}
	from, to := int64(p.from), int64(p.from)+p.bytes
	s.Data, s.SHA256, s.raw = raw.bytes[from:to:to], p.sum, raw
	return s, nil
}

// NextData finds the next run of data at or behind off: its start and end. Without any both are the size. It reads no content.
func (c *Content) NextData(ctx context.Context, off int64) (start, end int64, err error) {
	start, end = -1, off
	for {
		p, err := c.piece(ctx, end)
		switch {
		case err == io.EOF && start < 0:
			return c.Size(), c.Size(), nil
		case err == io.EOF:
			return start, end, nil
		case err != nil:
			return 0, 0, err
		case p.frame == nil && start >= 0:
			return start, end, nil
		case p.frame != nil && start < 0:
			start = p.start
		}
		end = p.end()
	}
}

// ReadAt fills p from offset off on; holes read as zeros. Fewer bytes than asked for come with an error, at the end io.EOF.
func (c *Content) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, c.unreadable(off)
	}
	if off >= c.Size() {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), c.Size()-off))
	at := off
	for s, err := range c.between(ctx, off, off+int64(n)) {
		if err != nil {
			return int(at - off), err
		}
		clear(p[at-off : s.Start-off])
		at = s.Start + int64(copy(p[s.Start-off:n], s.Data))
		s.Release()
	}
	clear(p[at-off : n])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
