package archive

import (
	"context"
	"io"
	"iter"

	"dura/archive/format"
	"dura/cache"
)

// windowBytes bounds what a reader of segments fetches ahead, decompressed.
const windowBytes = 8 << 20

// Segments yields the data of the file in order, and no holes. It reads ahead. An error stands for one segment, of which Start
// and Bytes say what is lost; the iteration goes on behind it, unless the caller or the context ends it.
func (c *Content) Segments(ctx context.Context) iter.Seq2[Segment, error] {
	return c.between(ctx, 0, c.Size())
}

// between yields the segments that have data in a range of the file; the last one may go beyond its end.
func (c *Content) between(ctx context.Context, start, end int64) iter.Seq2[Segment, error] {
	return func(yield func(Segment, error) bool) {
		r := reader{content: c, at: start, end: end}
		for {
			r.fill(ctx)
			if len(r.ahead) == 0 {
				return
			}
			next := r.pop()
			var raw *rawFrame
			err := next.err
			if err == nil {
				raw, err = next.pending.Wait(ctx)
			}
			if !yield(c.segment(next.piece, raw, err)) || ctx.Err() != nil {
				return
			}
		}
	}
}

// reader fetches the pieces of a range in order.
type reader struct {
	content    *Content
	at, end    int64 // what is not in ahead yet
	ahead      []startedPiece
	aheadBytes int64
}

// startedPiece is a piece on its way, or the error that stands in its place.
type startedPiece struct {
	piece
	pending *cache.Pending[*rawFrame]
	err     error
}

func (r *reader) pop() startedPiece {
	next := r.ahead[0]
	r.ahead = r.ahead[1:]
	r.aheadBytes -= next.rawBytes()
	return next
}

// rawBytes is what a piece keeps in memory until it is yielded.
func (p *piece) rawBytes() int64 {
	if p.frame == nil {
		return 0
	}
	return int64(p.frame.RawBytes)
}

// fill starts pieces once so much of the window is free that neighbours come in one request.
func (r *reader) fill(ctx context.Context) {
	if len(r.ahead) > 0 && r.aheadBytes > windowBytes-maxJoinedBytes {
		return
	}
	var fresh []startedPiece
	for r.at < r.end && r.aheadBytes < windowBytes {
		p, err := r.content.piece(ctx, r.at)
		if err == io.EOF {
			break
		}
		r.at = p.end()
		if err != nil || p.frame != nil {
			fresh = append(fresh, startedPiece{piece: p, err: err})
			r.aheadBytes += p.rawBytes()
		}
		if err != nil {
			break
		}
	}
	r.start(fresh)
	r.ahead = append(r.ahead, fresh...)
}

// start begins to fetch the frames of pieces.
func (r *reader) start(pieces []startedPiece) {
	var frames []*format.Frame
	for i := range pieces {
		if pieces[i].err == nil {
			frames = append(frames, pieces[i].frame)
		}
	}
	pending := r.content.archive.startFrames(frames)
	for i := range pieces {
		if pieces[i].err == nil {
			pieces[i].pending, pending = pending[0], pending[1:]
		}
	}
}
