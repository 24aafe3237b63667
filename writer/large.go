package writer

import (
	"context"
	"fmt"

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
	runs    []run
	sparse  bool
	broken  bool // the run of the backup stops in the middle of it
	rest    []byte
	end     int64 // of the last chunk
}

// large reads a large file and sends its chunks on, a slab at a time, then the file itself.
func (d *dispatcher) large(ctx context.Context, it *item) error {
	defer it.close()
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
		return d.hand(ctx, &batch{large: it, last: true})
	}
	if it.entry.XAttrs, err = content.XAttrs(); err != nil {
		return err
	}
	it.began = it.entry.Size
	l := &largeReader{
		dispatcher: d, it: it, content: content, chunker: d.pipeline.chunker(),
		sum: newContentSum(it.entry.Size, runs), runs: runs, sparse: sparse,
	}
	return l.all(ctx)
}

// all sends the chunks of all runs, and word that these were all.
func (l *largeReader) all(ctx context.Context) error {
	if err := l.goOn(ctx); err != nil {
		return err
	}
	for _, r := range l.runs {
		if r.end <= l.end && l.end > 0 {
			continue // an earlier run has stored it
		}
		if err := l.run(ctx, run{max(r.start, l.end), r.end}); err != nil {
			return err
		}
		if l.it.omitted || l.it.entry.Unstable || l.broken {
			break
		}
	}
	last := &batch{large: l.it, last: true, broken: l.broken}
	if !l.it.omitted && !l.broken {
		l.sum.finish(&l.it.entry)
		last.chunks = endPiece(&l.it.entry, l.end)
		if err := l.checkUnchanged(l.it, l.content); err != nil {
			return err
		}
	}
	return l.hand(ctx, last)
}

// goOn begins where an earlier run has come to, if the file is still the same.
func (l *largeReader) goOn(ctx context.Context) error {
	prefix, p, err := l.resumed.prefixOf(ctx, &l.it.entry, l.runs)
	if prefix == nil || err != nil {
		return err
	}
	if err := l.sum.goOn(p.Hash, p.End); err != nil {
		return fmt.Errorf("the hash of %q, from where an earlier run has come to: %w", l.it.path, err)
	}
	l.end = p.End
	return l.hand(ctx, &batch{large: l.it, prefix: prefix})
}

// run sends the chunks of one run of data.
func (l *largeReader) run(ctx context.Context, r run) error {
	if err := l.seek(r.start); err != nil {
		return l.omit(l.it, err)
	}
	var rest []byte // read, not yet cut
	for at := r.start; at < r.end; {
		if l.broken = l.stops(); l.broken {
			return nil
		}
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
		ends := int64(len(slab)) < bytes || at+bytes == r.end
		b := &batch{large: l.it, bytes: bytes, slab: slab}
		if b.chunks, rest, err = l.cut(at, slab, ends); err != nil {
			return err
		}
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

// seek goes to start: into data, unless holes are not told apart here.
func (l *largeReader) seek(start int64) error {
	switch {
	case l.sparse:
		return seekData(l.content, start)
	case start > 0:
		return l.content.SeekTo(start)
	}
	return nil
}

// cut cuts slab, which begins at at, into chunks, and returns what can't be cut before more is read.
func (l *largeReader) cut(at int64, slab []byte, ends bool) (chunks []piece, rest []byte, err error) {
	for len(slab) > 0 && (ends || len(slab) >= l.chunker.MaxBytes()) {
		n := l.chunker.Cut(slab)
		p := piece{start: at, hole: at - l.end, data: slab[:n], chunk: true}
		l.sum.data(at, p.data)
		at += int64(n)
		l.end, slab = at, slab[n:]
		if at < l.runs[len(l.runs)-1].end {
			if p.state, err = l.sum.state(); err != nil {
				return nil, nil, err
			}
		}
		chunks = append(chunks, p)
	}
	return chunks, slab, nil
}
