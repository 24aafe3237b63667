package verify

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash"
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
	return r.raise(alarm.Alarm{Area: alarm.Band, Condition: archive.AlarmOf(err).Condition, Filename: string(e.Path), Err: err})
}

// content reads a file to its end. It tells of each object that is damaged, and returns the first error.
func (r *run) content(ctx context.Context, e *format.Entry) (readBytes int64, failure error) {
	s := newContentSum(e)
	for segment, err := range r.archive.Content(e).Segments(ctx) {
		if err == nil {
			readBytes += segment.Bytes
			err = s.add(&segment)
		} else if err := r.found(ctx, objectOf(err)); err != nil {
			return readBytes, err
		}
		if err != nil && failure == nil {
			failure = err
		}
	}
	if failure == nil {
		failure = s.end()
	}
	return readBytes, failure
}

// contentSum compares content with the hashes that an entry has.
type contentSum struct {
	entry     *format.Entry
	hash      hash.Hash
	at        int64
	holeBytes int64
}

func newContentSum(e *format.Entry) *contentSum { return &contentSum{entry: e, hash: sha256.New()} }

func (s *contentSum) add(segment *archive.Segment) error {
	if err := s.hole(segment.Start); err != nil {
		return err
	}
	s.hash.Write(segment.Data)
	s.at = segment.End()
	if !segment.SHA256.IsZero() && format.SumBytes(segment.Data) != segment.SHA256 {
		return s.mismatch("span")
	}
	return nil
}

// hole goes on to end. Holes count as zeros where SHA256 has the hash, but no more of them than the format allows: hostile sizes
// would keep it busy for ever.
func (s *contentSum) hole(end int64) error {
	s.holeBytes += end - s.at
	if !s.entry.DataSHA.IsZero() {
		s.at = end
		return nil
	}
	if s.holeBytes > format.MaxHashedHoles {
		return s.mismatch("size of its holes")
	}
	var zeros [32 << 10]byte
	for s.at < end {
		n := min(end-s.at, int64(len(zeros)))
		s.hash.Write(zeros[:n])
		s.at += n
	}
	return nil
}

func (s *contentSum) end() error {
	if err := s.hole(s.entry.Size); err != nil {
		return err
	}
	want := s.entry.SHA256
	if !s.entry.DataSHA.IsZero() {
		want = s.entry.DataSHA
	}
	if s.entry.Size == 0 && want.IsZero() || format.Hash(s.hash.Sum(nil)) == want {
		return nil
	}
	return s.mismatch("content")
}

func (s *contentSum) mismatch(what string) error {
	return &archive.Error{Op: "verify", Path: s.entry.Path, Kind: archive.KindMismatch, Err: &format.MismatchError{What: what}}
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
