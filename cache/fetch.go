package cache

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// Pending is a value that is there or on its way. It stays until nobody has the Pending any more, whether the cache keeps it
// or not. Where values are counted, each Pending is to be waited for once.
type Pending[V any] struct {
	done  chan struct{}
	value V
	err   error

	mu      *sync.Mutex // the cache's
	waiting int         // for how many the value will be held
	landed  bool        // it has been
}

var closed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// Wait returns the value once it is there, or ctx's error once ctx is done.
func (p *Pending[V]) Wait(ctx context.Context) (V, error) {
	select {
	case <-p.done:
		return p.value, p.err
	default:
	}
	select {
	case <-p.done:
		return p.value, p.err
	case <-ctx.Done():
		return p.leave(ctx.Err())
	}
}

// leave is for who waits no longer: the value is not held for him, unless it has been already.
func (p *Pending[V]) leave(err error) (V, error) {
	p.mu.Lock()
	landed := p.landed
	if !landed {
		p.waiting--
	}
	p.mu.Unlock()
	if landed {
		<-p.done
		return p.value, p.err
	}
	var none V
	return none, err
}

// PanicError is what those who wait get when a fetch panics.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("a fetch panicked: %v\n%s", e.Value, e.Stack) }

var errNotDelivered = errors.New("the fetch ended without this value")

// StartAll begins to fetch, in one call of fetch, the values of those keys that are neither kept nor being fetched, and returns
// at once with what is pending for each key. Fetch is told the places in keys of what it is to bring, and calls done for each of
// them, in any order, as it has them.
func (c *Cache[K, V]) StartAll(keys []K, fetch Fetch[V]) []*Pending[V] {
	return c.start(keys, true, fetch)
}

// PrefetchAll is StartAll for who does not wait.
func (c *Cache[K, V]) PrefetchAll(keys []K, fetch Fetch[V]) { c.start(keys, false, fetch) }

// Fetch brings values: see StartAll.
type Fetch[V any] func(ctx context.Context, places []int, done func(place int, v V, err error))

// single is a fetch of one value.
func single[V any](fetch func(context.Context) (V, error)) Fetch[V] {
	return func(ctx context.Context, _ []int, done func(int, V, error)) {
		v, err := fetch(ctx)
		done(0, v, err)
	}
}

func (c *Cache[K, V]) start(keys []K, waits bool, fetch Fetch[V]) []*Pending[V] {
	pending := make([]*Pending[V], len(keys))
	var mine []int
	c.mu.Lock()
	for i, key := range keys {
		var claimed bool
		if pending[i], claimed = c.claim(key, waits); claimed {
			mine = append(mine, i)
		}
	}
	c.mu.Unlock()
	if len(mine) > 0 {
		go c.run(&flight[K, V]{cache: c, keys: keys, pending: pending, open: mine}, fetch)
	}
	return pending
}

// flight is one call of fetch.
type flight[K comparable, V any] struct {
	cache   *Cache[K, V]
	keys    []K
	pending []*Pending[V]
	open    []int // places not delivered yet
}

// slowFetch is how long a fetch counts among those that may run at a time: what hangs must not keep others from running.
const slowFetch = 2 * time.Second

func (c *Cache[K, V]) run(f *flight[K, V], fetch Fetch[V]) {
	failure := errNotDelivered
	defer func() {
		if r := recover(); r != nil {
			failure = &PanicError{Value: r, Stack: debug.Stack()}
		}
		f.fail(failure)
	}()
	select {
	case c.slots <- struct{}{}:
		release := sync.OnceFunc(func() { <-c.slots })
		defer release()
		late := time.AfterFunc(slowFetch, release)
		defer late.Stop()
	case <-c.lifetime.Done():
	}
	if c.lifetime.Err() != nil {
		failure = ErrClosed
		return
	}
	fetch(c.lifetime, slices.Clone(f.open), f.deliver)
}

// deliver takes one value. It is called by one goroutine at a time.
func (f *flight[K, V]) deliver(place int, v V, err error) {
	i := slices.Index(f.open, place)
	if i < 0 {
		return
	}
	var bytes int64
	if err == nil {
		bytes = f.cache.size(v)
	} else if f.cache.lifetime.Err() != nil {
		err = ErrClosed
	}
	f.open = slices.Delete(f.open, i, i+1)
	f.cache.land(f.keys[place], f.pending[place], sized[V]{v, bytes}, err)
}

// fail ends what was not delivered.
func (f *flight[K, V]) fail(err error) {
	for len(f.open) > 0 {
		var none V
		f.deliver(f.open[0], none, err)
	}
}
