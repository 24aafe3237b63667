package sourcetest

import (
	"context"
	"iter"
	"sync/atomic"
	"testing"

	"dura/writer/source"
)

// Watch passes src on and, at the end of the test, fails it unless its user closed each handle and each content exactly once.
func Watch(t testing.TB, src source.Source) *Watched {
	w := &Watched{src: src, t: t}
	t.Cleanup(func() {
		if n := w.handles.Load(); n != 0 {
			t.Errorf("%d handles were not closed", n)
		}
		if n := w.contents.Load(); n != 0 {
			t.Errorf("%d contents were not closed", n)
		}
	})
	return w
}

// Watched is a source under watch.
type Watched struct {
	src                source.Source
	t                  testing.TB
	handles, contents  atomic.Int64
	mostHandles, opens atomic.Int64
}

// MostHandles is how many handles were open at one time.
func (w *Watched) MostHandles() int64 { return w.mostHandles.Load() }

// Opens is how many contents were opened.
func (w *Watched) Opens() int64 { return w.opens.Load() }

// Walk is source.Source.Walk.
func (w *Watched) Walk(ctx context.Context, start source.Start) iter.Seq2[source.Node, error] {
	return func(yield func(source.Node, error) bool) {
		for n, err := range w.src.Walk(ctx, start) {
			if err == nil {
				n.Handle = w.handle(n.Handle)
			}
			if !yield(n, err) {
				return
			}
		}
	}
}

func (w *Watched) handle(h source.Handle) source.Handle {
	open := w.handles.Add(1)
	for most := w.mostHandles.Load(); open > most && !w.mostHandles.CompareAndSwap(most, open); {
		most = w.mostHandles.Load()
	}
	return &watchedHandle{Handle: h, w: w}
}

type watchedHandle struct {
	source.Handle
	w      *Watched
	closed atomic.Bool
}

func (h *watchedHandle) Open() (source.Content, error) {
	if h.closed.Load() {
		h.w.t.Errorf("%q: opened by a closed handle", h.Filename())
	}
	c, err := h.Handle.Open()
	if err != nil {
		return nil, err
	}
	h.w.opens.Add(1)
	h.w.contents.Add(1)
	return &watchedContent{Content: c, h: h}, nil
}

func (h *watchedHandle) Close() error {
	if h.closed.Swap(true) {
		h.w.t.Errorf("%q: handle closed twice", h.Filename())
		return nil
	}
	h.w.handles.Add(-1)
	return h.Handle.Close()
}

type watchedContent struct {
	source.Content
	h      *watchedHandle
	closed atomic.Bool
}

func (c *watchedContent) Close() error {
	if c.closed.Swap(true) {
		c.h.w.t.Errorf("%q: content closed twice", c.h.Filename())
		return nil
	}
	c.h.w.contents.Add(-1)
	return c.Content.Close()
}
