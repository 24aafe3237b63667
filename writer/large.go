package writer

import (
	"context"

	"dura/archive/format"
	"dura/writer/source"
)

// slabBytes is how much of a large file is read at a time, beyond what one chunk may need.
const slabBytes = 2 << 20

// largeReader cuts one large file into chunks as it is read.
type largeReader struct {
	*dispatcher
	it      *item
	content source.Content
	chunker *format.Chunker
	sum     *contentSum
	sparse  bool
	rest    []byte
	end     int64 // of the last chunk
}

// large reads a large file and sends its chunks on, a slab at a time, then the file itself.
func (d *dispatcher) large(ctx context.Context, it *item) error {
	defer it.close()
	last := &batch{large: it, last: true}
	content, err := it.handle.Open()
	if err == nil {
		defer content.Close()
		err = (&reader{pipeline: d.pipeline}).stat(it, content)
	}
	runs, sparse := []run{{0, it.entry.Size}}, it.blocks*512 < it.entry.Size
	if err == nil && sparse {
		runs, err = dataRuns(content, it.entry.Size)
	}
	if err != nil {
		if err := d.omit(it, err); err != nil {
			return err
		}
		return d.hand(ctx, last)
	}
	if it.entry.XAttrs, err = content.XAttrs(); err != nil {
		return err
	}
	l := &largeReader{
		dispatcher: d, it: it, content: content, chunker: format.NewChunker(d.o.Settings),
		sum: newContentSum(it.entry.Size, runs), sparse: sparse,
	}
	for _, r := range runs {
		if err := l.run(ctx, r); err != nil {
			return err
		}
		if it.omitted || it.entry.Unstable {
			break
		}
	}
	if !it.omitted {
		l.sum.finish(&it.entry)
		last.chunks = endPiece(&it.entry, l.end)
		if err := d.checkUnchanged(it, content); err != nil {
			return err
		}
	}
	return d.hand(ctx, last)
}

// run sends the chunks of one run of data.
func (l *largeReader) run(ctx context.Context, r run) error {
	if l.sparse {
		if err := seekData(l.content, r.start); err != nil {
			return l.omit(l.it, err)
		}
	}
	var rest []byte // read, not yet cut
	for at := r.start; at < r.end; {
		bytes := min(r.end-at, int64(l.chunker.MaxBytes()+slabBytes))
		if err := l.budget.acquire(ctx, bytes); err != nil {
			return context.Cause(ctx)
		}
		slab := l.budget.slab(int(bytes))
		kept := copy(slab, rest)
		n, err := readFull(l.content, slab[kept:])
		if err != nil {
			l.budget.release(bytes)
			return l.omit(l.it, err)
		}
		slab = slab[:kept+n]
		l.sum.data(at+int64(kept), slab[kept:])
		ends := int64(len(slab)) < bytes || at+bytes == r.end
		b := &batch{large: l.it, bytes: bytes, slab: slab}
		b.chunks, rest = l.cut(at, slab, ends)
		rest = append(l.rest[:0], rest...) // the slab is used again
		l.rest = rest
		if err := l.hand(ctx, b); err != nil {
			return err
		}
		at += int64(len(slab) - len(rest))
		if ends && at < r.end { // it was cut short meanwhile
			l.it.entry.Size, l.it.entry.Unstable = at, true
			return nil
		}
	}
	return nil
}

// cut cuts slab, which begins at at, into chunks, and returns what can't be cut before more is read.
func (l *largeReader) cut(at int64, slab []byte, ends bool) (chunks []piece, rest []byte) {
	for len(slab) > 0 && (ends || len(slab) >= l.chunker.MaxBytes()) {
		n := l.chunker.Cut(slab)
		chunks = append(chunks, piece{start: at, hole: at - l.end, data: slab[:n], chunk: true})
		at += int64(n)
		l.end, slab = at, slab[n:]
	}
	return chunks, slab
}
