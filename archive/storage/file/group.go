package file

import (
	"context"
	"sync"
)

// group lets many who want the same thing done share the doing: a call returns once do has run, having begun after the
// call. While one run goes on, all who come wait for the next.
type group struct {
	mu   sync.Mutex
	next *run          // not begun
	last chan struct{} // closed once the newest run is over; nil if there was none
}

type run struct {
	over chan struct{}
	err  error
}

// run returns what do returned, or ctx's error once ctx is done; do runs to its end then too. Each run is counted in
// unfinished.
func (g *group) run(ctx context.Context, unfinished *sync.WaitGroup, do func() error) error {
	g.mu.Lock()
	r := g.next
	if r == nil {
		r = &run{over: make(chan struct{})}
		before := g.last
		g.next, g.last = r, r.over
		unfinished.Go(func() { g.perform(r, before, do) })
	}
	g.mu.Unlock()
	select {
	case <-r.over:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g *group) perform(r *run, before <-chan struct{}, do func() error) {
	if before != nil {
		<-before
	}
	g.mu.Lock()
	g.next = nil // who comes from here on waits for another
	g.mu.Unlock()
	r.err = do()
	close(r.over)
}
