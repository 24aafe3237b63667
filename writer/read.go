package writer

import (
	"context"
	"crypto/sha256"
	"io"

	"dura/archive/alarm"
	"dura/archive/format"
	"dura/writer/plan"
	"dura/writer/source"
)

// read serves batches until there are no more.
func (p *pipeline) read(ctx context.Context) error {
	r := &reader{pipeline: p, chunker: p.chunker()}
	for {
		select {
		case b, more := <-p.work:
			if !more {
				return nil
			}
			if err := r.batch(b); err != nil {
				return err
			}
			close(b.done)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

type reader struct {
	*pipeline
	chunker *format.Chunker
}

func (r *reader) batch(b *batch) error {
	for i := range b.chunks {
		b.chunks[i].sum = sha256.Sum256(b.chunks[i].data)
	}
	if len(b.items) == 0 {
		return nil
	}
	b.data = r.budget.buffer(int(b.bytes))
	headers := make([]byte, 0, len(b.items)*600)
	free := b.data
	for i := range b.items {
		it := &b.items[i]
		if it.isLink() {
			continue // the sequencer knows what became of the first
		}
		var err error
		if free, err = r.item(it, free); err != nil {
			return err
		}
		it.close()
		headers = r.head(it, headers)
	}
	return nil
}

// head makes the header of it's member, if it is to have one of its own, at the end of headers.
func (r *reader) head(it *item, headers []byte) []byte {
	if it.omitted || !it.action.HasMember() || len(it.pieces) > 0 && it.pieces[0].chunk {
		return headers
	}
	start := len(headers)
	headers = format.AppendTarHeader(headers, &it.entry, it.entry.Size)
	it.header = headers[start:len(headers):len(headers)]
	return headers
}

// item reads what there is to read of it into free, and returns what is left of that. An error ends the run.
func (r *reader) item(it *item, free []byte) ([]byte, error) {
	h := it.handle
	var err error
	switch it.action {
	case plan.Keep:
		return free, nil
	case plan.Refer:
		return free, r.refer(it)
	}
	if it.action != plan.Whole || it.entry.Size == 0 {
		it.entry.XAttrs, err = h.XAttrs()
		it.entry.AsInParent = it.action == plan.ByPath
		if it.action == plan.Whole {
			it.entry.SHA256 = sha256.Sum256(nil)
		}
		return free, err
	}
	content, err := h.Open()
	if err != nil {
		return free, r.omit(it, err)
	}
	defer content.Close()
	if err := r.stat(it, content); err != nil {
		return free, r.omit(it, err)
	}
	if it.entry.XAttrs, err = content.XAttrs(); err != nil {
		return free, err
	}
	want := min(it.entry.Size, r.o.Settings.SplitBytes)
	if want > int64(len(free)) {
		free = make([]byte, want) // it has grown since the walk
	}
	data, err := r.content(it, content, free[:want])
	if err != nil {
		return free, r.omit(it, err)
	}
	return free[len(data):], r.checkUnchanged(it, content)
}

// refer takes the content from the parent, and the extended attributes too if they can't have changed.
func (r *reader) refer(it *item) (err error) {
	e, old := &it.entry, it.old
	e.Size, e.SHA256, e.DataSHA, e.Spans, e.SpanLists, e.XAttrs = old.Size, old.SHA256, old.DataSHA, old.Spans, old.SpanLists, old.XAttrs
	if e.CTime != old.CTime || r.o.Trust.IgnoreCTime {
		e.XAttrs, err = it.handle.XAttrs()
	}
	return err
}

// stat takes the metadata afresh from the open file, so that they go with the content.
func (r *reader) stat(it *item, content source.Content) error {
	now, err := content.Stat()
	if err != nil {
		return err
	}
	now.Path, now.LinkTo = it.entry.Path, it.entry.LinkTo
	it.entry = now
	return nil
}

// content reads a small file, as one piece or, where it has holes, as chunks between them. It returns what it used of buf.
func (r *reader) content(it *item, content source.Content, buf []byte) ([]byte, error) {
	if it.blocks*512 < it.entry.Size {
		runs, err := dataRuns(content, it.entry.Size)
		if err != nil {
			return nil, err
		}
		if len(runs) != 1 || runs[0] != (run{0, it.entry.Size}) {
			return r.sparse(it, content, runs, buf)
		}
		if err := seekData(content, 0); err != nil {
			return nil, err
		}
	}
	n, err := readFull(content, buf)
	if err != nil {
		return nil, err
	}
	r.noteSize(it, int64(n))
	data := buf[:n]
	it.entry.SHA256 = sha256.Sum256(data)
	if n > 0 {
		it.pieces = []piece{{data: data, sum: it.entry.SHA256}}
	}
	return data, nil
}

// noteSize makes the entry's size what was read, and marks it where that differs from what the file said.
func (r *reader) noteSize(it *item, bytes int64) {
	if bytes != it.entry.Size {
		it.entry.Size, it.entry.Unstable = bytes, true
	}
}

// sparse reads a small file with holes: its runs of data, cut into chunks.
func (r *reader) sparse(it *item, content source.Content, runs []run, buf []byte) ([]byte, error) {
	sum := newContentSum(it.entry.Size, runs)
	used, end := 0, int64(0)
	for _, run := range runs {
		if err := seekData(content, run.start); err != nil {
			return nil, err
		}
		room := min(run.end-run.start, int64(len(buf)-used)) // less than the run where the file has grown large
		n, err := readFull(content, buf[used:used+int(room)])
		if err != nil {
			return nil, err
		}
		data := buf[used : used+n]
		used += n
		sum.data(run.start, data)
		for at := run.start; len(data) > 0; {
			n := r.chunker.Cut(data)
			it.pieces = append(it.pieces, piece{start: at, hole: at - end, data: data[:n], sum: sha256.Sum256(data[:n]), chunk: true})
			at += int64(n)
			end, data = at, data[n:]
		}
		if int64(n) < run.end-run.start {
			it.entry.Size, it.entry.Unstable = run.start+int64(n), true // it was cut short meanwhile, or is here
			break
		}
	}
	sum.finish(&it.entry)
	it.pieces = append(it.pieces, endPiece(&it.entry, end)...)
	return buf[:used], nil
}

// endPiece is an empty chunk that marks the end of a file that ends in a hole, for those who put it together by hand.
func endPiece(e *format.Entry, end int64) []piece {
	if end == e.Size {
		return nil
	}
	return []piece{{start: e.Size, hole: e.Size - end, sum: sha256.Sum256(nil), chunk: true}}
}

// checkUnchanged raises an alarm where the file is no longer as it was when its reading began.
func (p *pipeline) checkUnchanged(it *item, content source.Content) error {
	after, err := content.Stat()
	if err == nil && !it.entry.Unstable && after.Size == it.entry.Size && after.MTime == it.entry.MTime && after.CTime == it.entry.CTime {
		return nil
	}
	it.entry.Unstable = true
	return p.o.Alarms.Raise(alarm.Alarm{
		Area: alarm.Source, Condition: alarm.Mismatch, Filename: it.handle.Filename(),
		Message: "it changed while it was read; what was stored is what was read", Err: err,
	})
}

// omit raises the alarm for an entry that can't be read, and leaves it out.
func (p *pipeline) omit(it *item, err error) error {
	it.omitted = true
	return p.o.Alarms.Raise(alarm.Alarm{
		Area: alarm.Source, Condition: source.ConditionOf(err), Filename: it.handle.Filename(), Err: err,
	})
}

func (p *pipeline) raisePathTooLong(h source.Handle) error {
	return p.o.Alarms.Raise(alarm.Alarm{
		Area: alarm.Source, Condition: alarm.Unsupported, Filename: h.Filename(), Message: "its path is too long",
	})
}

// readFull reads until buf is full or the file ends.
func readFull(r io.Reader, buf []byte) (int, error) {
	n, err := io.ReadFull(r, buf)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return n, err
}
