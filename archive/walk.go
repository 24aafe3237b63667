package archive

import (
	"cmp"
	"context"
	"io"
	"iter"

	"dura/archive/format"
	"dura/cache"
)

// hunksAhead is how many hunks a walk fetches ahead of the one it is in.
const hunksAhead = 4

// beforeAll stands ahead of every name of a directory: no name begins with it.
const beforeAll = "\x00"

// ReadDir yields the entries of the directory dir by name, those behind the name from; "" for all. A dir that isn't there is
// KindNotFound, one that is something else KindNotADirectory.
//
// An error stands for the entries of one index object that could not be read. The iteration goes on behind it, unless the
// caller or the context ends it.
func (b *Band) ReadDir(ctx context.Context, dir format.Path, from string) iter.Seq2[Located, error] {
	return func(yield func(Located, error) bool) {
		w := b.walk(dir.Join(from+beforeAll), func(p format.Path) bool {
			parent, name := p.Split()
			return parent == dir && name != ""
		})
		found := false
		ended := !w.each(ctx, func(e Located, err error) bool {
			found = true
			return yield(e, err)
		})
		if ended || found || from != "" || dir == format.Root {
			return
		}
		switch e, err := b.Lookup(ctx, dir); {
		case err != nil:
			yield(Located{}, err)
		case e.Kind != format.Directory:
			yield(Located{}, &Error{Op: opLookup, Band: b.id, Path: dir, Kind: KindNotADirectory})
		}
	}
}

// Subtree yields the entry at p, then everything below it, in path order, reading ahead. Errors are as in ReadDir.
func (b *Band) Subtree(ctx context.Context, p format.Path) iter.Seq2[Located, error] {
	return func(yield func(Located, error) bool) {
		key := p
		if p != format.Root {
			e, err := b.Lookup(ctx, p)
			if !yield(e, err) || Is(err, KindNotFound) || ctx.Err() != nil || err == nil && e.Kind != format.Directory {
				return
			}
			key = p.Join(beforeAll)
		}
		b.walk(key, func(q format.Path) bool { return q.Within(p) }).each(ctx, yield)
	}
}

// Hunks yields references to the hunks of the band in path order. Errors are as in ReadDir, of fences.
func (b *Band) Hunks(ctx context.Context) iter.Seq2[format.HunkRef, error] {
	return func(yield func(format.HunkRef, error) bool) {
		c := cursor{band: b}
		for {
			at, err := c.next(ctx)
			switch {
			case err == io.EOF:
				return
			case err != nil:
				if !yield(format.HunkRef{}, err) || ctx.Err() != nil {
					return
				}
			case !yield(*at.ref, nil):
				return
			}
		}
	}
}

// IndexedHunk is a hunk and its entries, which are shared and must not be modified.
type IndexedHunk struct {
	Ref     format.HunkRef
	Start   int64 // ordinal of the first entry
	Entries []format.Entry
}

// Index yields the hunks of the band in path order, from the one that p is in, reading ahead. Errors are as in ReadDir. Entries that
// refer to the parent by their path are as they are stored.
func (b *Band) Index(ctx context.Context, p format.Path) iter.Seq2[IndexedHunk, error] {
	return func(yield func(IndexedHunk, error) bool) {
		w := b.walk(p, func(format.Path) bool { return true })
		for w.fill(ctx); len(w.ahead) > 0; w.fill(ctx) {
			s := w.ahead[0]
			w.ahead = w.ahead[1:]
			h, err := s.wait(ctx)
			if err != nil {
				if !yield(IndexedHunk{}, w.band.failed(format.Root, err)) || ctx.Err() != nil {
					return
				}
				continue
			}
			w.fill(ctx)
			if !yield(IndexedHunk{*s.ref, s.start, h.entries}, nil) {
				return
			}
		}
	}
}

// Resolve gives an entry of the band that refers to the parent by its path the content that it has there, as Lookup does.
func (b *Band) Resolve(ctx context.Context, e *format.Entry) (*format.Entry, error) {
	located, err := b.resolved(ctx, Located{Entry: e})
	return located.Entry, err
}

// cursor goes through the hunks of a band in path order.
type cursor struct {
	band        *Band
	fence, hunk int
	refs        *fence      // of that fence; nil until it is needed
	seek        format.Path // in the first fence, begin at the hunk this is in
}

// next is the next hunk's place, or io.EOF. After another error it goes on behind the fence that can't be read.
func (c *cursor) next(ctx context.Context) (place, error) {
	if c.fenceEnds() {
		c.fence, c.hunk, c.refs = c.fence+1, 0, nil
	}
	if c.fence >= len(c.band.fences) {
		return place{}, io.EOF
	}
	if c.refs == nil {
		f, err := c.band.fence(ctx, c.fence)
		if err != nil {
			c.fence, c.seek = c.fence+1, format.Root
			return place{}, err
		}
		c.refs, c.hunk = f, f.hunkOf(c.seek)
		c.seek = format.Root
	}
	c.hunk++
	return c.band.place(c.refs, c.fence, c.hunk-1), nil
}

func (c *cursor) fenceEnds() bool { return c.refs != nil && c.hunk == len(c.refs.refs) }

// walk goes through a run of entries: those at or behind a key for which within holds.
type walk struct {
	cursor
	key    format.Path
	within func(format.Path) bool
	ahead  []startedHunk
	ended  bool // nothing of the run lies behind what is in ahead
}

// startedHunk is a hunk on its way, or the error that stands in its place.
type startedHunk struct {
	place
	pending *cache.Pending[indexObject]
	err     error
}

func (b *Band) walk(key format.Path, within func(format.Path) bool) *walk {
	w := &walk{cursor: cursor{band: b, seek: key}, key: key, within: within}
	if len(b.fences) > 0 {
		w.fence = b.fenceOf(key)
	}
	return w
}

// each yields the run. It reports whether it came to its end, and not the caller's.
func (w *walk) each(ctx context.Context, yield func(Located, error) bool) bool {
	for {
		w.fill(ctx)
		if len(w.ahead) == 0 {
			return true
		}
		s := w.ahead[0]
		w.ahead = w.ahead[1:]
		h, err := s.wait(ctx)
		if err != nil {
			if !yield(Located{}, w.band.failed(format.Root, err)) || ctx.Err() != nil {
				return false
			}
			continue
		}
		w.fill(ctx)
		if more, ok := w.hunk(ctx, s.place, h, yield); !more {
			return ok
		}
	}
}

// hunk yields the entries of one hunk. More is whether to go on behind it, and ok, if not, whether the run ended there.
func (w *walk) hunk(ctx context.Context, at place, h *hunk, yield func(Located, error) bool) (more, ok bool) {
	for i := h.from(w.key); i < len(h.entries); i++ {
		e := &h.entries[i]
		if !w.within(e.Path) {
			return false, true
		}
		if !yield(w.band.resolved(ctx, Located{e, at.start + int64(i)})) {
			return false, false
		}
	}
	return true, true
}

// fill starts hunks until enough are on their way.
func (w *walk) fill(ctx context.Context) {
	for !w.ended && len(w.ahead) <= hunksAhead {
		if w.fenceEnds() && w.beyond(w.band.firstPath(w.fence+1)) {
			w.ended = true
			return
		}
		at, err := w.next(ctx)
		switch {
		case err == io.EOF, err == nil && w.beyond(at.ref.FirstPath):
			w.ended = true
		case err != nil:
			w.ahead = append(w.ahead, startedHunk{err: err})
			w.ended = ctx.Err() != nil
		default:
			k := hunkKey(at.ref)
			a := w.band.archive
			w.ahead = append(w.ahead, startedHunk{place: at, pending: a.index.Start(k, a.fetchIndex(k))})
		}
	}
}

// beyond reports whether a hunk that begins at p has nothing of the run.
func (w *walk) beyond(p format.Path) bool { return format.Compare(p, w.key) > 0 && !w.within(p) }

func (s *startedHunk) wait(ctx context.Context) (*hunk, error) {
	if err := cmp.Or(ctx.Err(), s.err); err != nil {
		return nil, err
	}
	object, err := s.pending.Wait(ctx)
	if err != nil {
		return nil, err
	}
	h := object.(*hunk)
	return h, checkHunk(h, s.ref, s.next)
}
