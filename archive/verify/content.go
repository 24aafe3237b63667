package verify

import (
	"context"
	"errors"
	"hash/maphash"
	"sync"

	"golang.org/x/sync/errgroup"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/event"
	"dura/archive/format"
)

// fileWorkers starts what checks the content of files: those that are sent to files, which is nil where none is to be checked. A
// failure ends the senders; wait, when they have ended, waits for the workers.
func (r *run) fileWorkers(ctx context.Context, endSenders func()) (files chan *format.Entry, wait func() error) {
	if r.o.Depth != Files {
		return nil, func() error { return nil }
	}
	files = make(chan *format.Entry, 64)
	g, gctx := errgroup.WithContext(ctx)
	for range r.o.Workers {
		g.Go(func() error {
			for e := range files {
				if err := r.file(gctx, e); err != nil {
					endSenders()
					return err
				}
			}
			return nil
		})
	}
	return files, func() error {
		close(files)
		return g.Wait()
	}
}

// file checks the content of a file, unless it is the same as one that was good.
func (r *run) file(ctx context.Context, e *format.Entry) error {
	id := r.contents.id(e)
	read := int64(0)
	if !r.contents.knows(id) {
		var err error
		if read, err = r.content(ctx, e); err == nil {
			r.contents.add(id)
		} else if err := r.badFile(ctx, e, id, err); err != nil {
			return err
		}
	}
	r.count(func(res *Result, done *event.Totals) {
		res.Files++
		done.Files++
		res.Bytes += read
		if e.LinkTo == format.Root {
			done.ContentBytes += dataBytes(e, read)
		}
	})
	r.o.Events.Send(event.EntryDone{Path: string(e.Path), ContentBytes: e.Size})
	r.progress(string(e.Path))
	return nil
}

// dataBytes is how much of a file's size is not holes, as far as its entry tells; otherwise what was read.
func dataBytes(e *format.Entry, read int64) int64 {
	if len(e.SpanLists) > 0 {
		return read
	}
	var n int64
	for i := range e.Spans {
		n += int64(e.Spans[i].Bytes)
	}
	return n
}

// badFile tells which file it is that damage concerns, once for all bands that have it with this content.
func (r *run) badFile(ctx context.Context, e *format.Entry, id uint64, err error) error {
	var abort *alarm.AbortError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &abort):
		return err
	case r.contents.told(id, e.Path):
		return nil
	}
	a := alarm.Alarm{Area: alarm.Band, Condition: archive.AlarmOf(err).Condition, Filename: string(e.Path), Err: err}
	if object := (*archive.Error)(nil); errors.As(err, &object) {
		a.Message = object.Object
	}
	return r.raise(a)
}

// content reads a file to its end. It tells of each object that is damaged, and returns the first error.
func (r *run) content(ctx context.Context, e *format.Entry) (readBytes int64, failure error) {
	sum := archive.NewContentSum(e)
	for segment, err := range r.archive.Content(e).Segments(ctx) {
		if err == nil {
			readBytes += segment.Bytes
			if err = sum.Add(ctx, &segment); err == nil && !segment.SHA256.IsZero() && format.SumBytes(segment.Data) != segment.SHA256 {
				err = &archive.Error{Op: "verify", Path: e.Path, Kind: archive.KindMismatch, Err: &format.MismatchError{What: "span"}}
			}
			segment.Release()
		} else if err := r.found(ctx, objectOf(err)); err != nil {
			return readBytes, err
		}
		if err != nil && failure == nil {
			failure = err
		}
	}
	if failure == nil {
		failure = sum.End(ctx)
	}
	return readBytes, failure
}

// maxContents is how many good contents are remembered, so that a file that many bands have is checked once: 20 MB or so.
const maxContents = 1 << 20

// contents remembers contents that were good, and files that were not.
type contents struct {
	seed maphash.Seed
	mu   sync.Mutex
	good map[uint64]struct{}
	bad  map[badContent]struct{}
}

// badContent is a file that an alarm has been raised for.
type badContent struct {
	id   uint64
	path format.Path
}

func newContents() *contents {
	return &contents{seed: maphash.MakeSeed(), good: map[uint64]struct{}{}, bad: map[badContent]struct{}{}}
}

// id stands for what an entry says its content is, and where.
func (c *contents) id(e *format.Entry) uint64 {
	var h maphash.Hash
	h.SetSeed(c.seed)
	maphash.WriteComparable(&h, [2]format.Hash{e.SHA256, e.DataSHA})
	maphash.WriteComparable(&h, e.Size)
	for i := range e.Spans {
		s := e.Spans[i]
		f := *s.Frame
		block := *f.Block
		s.Frame, f.Block = nil, nil
		maphash.WriteComparable(&h, s)
		maphash.WriteComparable(&h, f)
		maphash.WriteComparable(&h, block)
	}
	for _, l := range e.SpanLists {
		maphash.WriteComparable(&h, l)
	}
	return h.Sum64()
}

func (c *contents) knows(id uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.good[id]
	return ok
}

func (c *contents) add(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.good) < maxContents {
		c.good[id] = struct{}{}
	}
}

// told notes that a file is bad, and reports whether it was known.
func (c *contents) told(id uint64, path format.Path) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, known := c.bad[badContent{id, path}]
	if len(c.bad) < maxContents {
		c.bad[badContent{id, path}] = struct{}{}
	}
	return known
}
