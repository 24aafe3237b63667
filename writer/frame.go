package writer

import (
	"context"

	"dura/archive/format"
	"dura/writer/pack"
)

// frame is a frame on its way into a block.
type frame struct {
	format.Frame // complete once placed is closed

	stream  pack.Stream
	at      pack.Position // of its first member
	raw     []byte
	members []format.Member

	progress *format.Progress // of the file in chunks that goes on behind it
	chain    []format.Block   // with chunks of that, of an earlier run

	stored     []byte
	compressed chan struct{} // closed once stored, StoredBytes, RawBytes and Sum are set
	placed     chan struct{} // closed once block, Block and Offset are set
	block      *block
}

func newFrame(stream pack.Stream, at pack.Position, raw []byte) *frame {
	return &frame{stream: stream, at: at, raw: raw, compressed: make(chan struct{}), placed: make(chan struct{})}
}

// compressFrames compresses frames until there are no more.
func (p *pipeline) compressFrames(ctx context.Context) error {
	enc, err := format.NewEncoder(p.o.Settings.Compression)
	if err != nil {
		return err
	}
	var scratch []byte
	for {
		select {
		case f, more := <-p.compress:
			if !more {
				return nil
			}
			scratch = enc.Append(scratch[:0], f.raw)
			f.stored = append(make([]byte, 0, len(scratch)), scratch...)
			f.StoredBytes, f.RawBytes, f.Sum = uint32(len(f.stored)), uint32(len(f.raw)), format.SumFrame(f.stored)
			p.store.recycleRaw(f.raw)
			f.raw = nil
			close(f.compressed)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
