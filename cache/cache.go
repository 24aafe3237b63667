// Package cache keeps values in memory up to a number of bytes, the most recently used ones, and sees to it that of all who
// want the same value at the same time only one fetches it. It knows nothing of what the values are, and stands on golang-lru,
// which counts entries; the bytes are counted here.
package cache

import (
	"context"
	"errors"
	"math"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

const defaultFetches = 16

// ErrClosed is what a wait ends with when the cache is closed before the value is there.
var ErrClosed = errors.New("the cache is closed")

// Options set up a Cache. Size must be set.
type Options[V any] struct {
	MaxBytes int64         // what the values kept may have together; 0: none is kept
	Size     func(V) int64 // how many bytes a value has; asked once for each
	Fetches  int           // how many fetches run at a time; 0: 16

	// Hold and Drop, if they are set, count who has a value, so that what it is made of can be used again once nobody has it. A
	// fetch brings it held once. The cache holds what it keeps until it drops it, and each value that it gives away for whoever gets
	// it: who is to drop it, once, when he is done, and need not if it is not to be used again. Both are called with the cache
	// locked.
	Hold, Drop func(V)
}

// Cache keeps the values that were used last. It is safe for concurrent use.
//
// Fetches run on a context of their own, which ends with Close: whoever waits for one may leave, and it goes on for the
// others, and for the cache. An error is told to all who wait, and not kept. A fetch must not wait for the same cache.
type Cache[K comparable, V any] struct {
	maxBytes int64
	size     func(V) int64
	hold     func(V)
	drop     func(V)
	lifetime context.Context
	end      context.CancelFunc
	slots    chan struct{}

	mu      sync.Mutex
	kept    *simplelru.LRU[K, sized[V]]
	flights map[K]*Pending[V] // under way
	stats   Stats
}

type sized[V any] struct {
	value V
	bytes int64
}

// Stats count what happened since the cache was made. Bytes and Values are what it keeps now.
type Stats struct {
	Hits, Misses, Joined int64 // Joined: others had begun to fetch the value already
	Evicted              int64
	PassedThrough        int64 // too large to be kept
	Bytes, Values        int64
}

// New makes an empty cache.
func New[K comparable, V any](o Options[V]) *Cache[K, V] {
	if o.Fetches <= 0 {
		o.Fetches = defaultFetches
	}
	kept, err := simplelru.NewLRU[K, sized[V]](math.MaxInt, nil)
	if err != nil {
		panic(err) // it refuses sizes below one alone
	}
	c := &Cache[K, V]{
		maxBytes: o.MaxBytes, size: o.Size, hold: o.Hold, drop: o.Drop,
		slots: make(chan struct{}, o.Fetches), kept: kept, flights: map[K]*Pending[V]{},
	}
	if c.hold == nil || c.drop == nil {
		c.hold, c.drop = func(V) {}, func(V) {}
	}
	c.lifetime, c.end = context.WithCancel(context.Background())
	return c
}

// Close ends the context of all fetches, those to come included. What is kept can still be had.
func (c *Cache[K, V]) Close() { c.end() }

// Stats says what happened so far.
func (c *Cache[K, V]) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.Values = int64(c.kept.Len())
	return c.stats
}

// Cached returns the value of key if it is kept.
func (c *Cache[K, V]) Cached(key K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok := c.kept.Get(key)
	if ok {
		c.stats.Hits++
		c.hold(v.value)
	}
	return v.value, ok
}

// Get returns the value of key, fetched if it is not kept. When ctx is done it returns ctx's error; the fetch goes on.
func (c *Cache[K, V]) Get(ctx context.Context, key K, fetch func(context.Context) (V, error)) (V, error) {
	if v, ok := c.Cached(key); ok {
		return v, nil
	}
	return c.Start(key, fetch).Wait(ctx)
}

// Start begins to fetch the value of key, unless it is kept or being fetched, and returns at once.
func (c *Cache[K, V]) Start(key K, fetch func(context.Context) (V, error)) *Pending[V] {
	return c.StartAll([]K{key}, single(fetch))[0]
}

// Prefetch is Start for who does not wait.
func (c *Cache[K, V]) Prefetch(key K, fetch func(context.Context) (V, error)) {
	c.PrefetchAll([]K{key}, single(fetch))
}

// claim returns what is pending for key, and whether the caller is to fetch it. The caller holds mu.
func (c *Cache[K, V]) claim(key K, waits bool) (p *Pending[V], mine bool) {
	if v, ok := c.kept.Get(key); ok {
		c.stats.Hits++
		if waits {
			c.hold(v.value)
		}
		return &Pending[V]{done: closed, value: v.value}, false
	}
	p, flies := c.flights[key]
	if flies {
		c.stats.Joined++
	} else {
		c.stats.Misses++
		p = &Pending[V]{done: make(chan struct{}), mu: &c.mu}
		c.flights[key] = p
	}
	if waits {
		p.waiting++
	}
	return p, !flies
}

// land ends the flight of key.
func (c *Cache[K, V]) land(key K, p *Pending[V], v sized[V], err error) {
	c.mu.Lock()
	delete(c.flights, key)
	if err == nil {
		for range p.waiting {
			c.hold(v.value)
		}
		c.keep(key, v)
	}
	p.landed = true
	c.mu.Unlock()
	p.value, p.err = v.value, err
	close(p.done)
}

// keep takes over a value and drops the oldest until the rest fits. The caller holds mu.
func (c *Cache[K, V]) keep(key K, v sized[V]) {
	if v.bytes > c.maxBytes {
		c.stats.PassedThrough++
		c.drop(v.value)
		return
	}
	for c.stats.Bytes+v.bytes > c.maxBytes {
		_, oldest, _ := c.kept.RemoveOldest()
		c.stats.Bytes -= oldest.bytes
		c.stats.Evicted++
		c.drop(oldest.value)
	}
	c.kept.Add(key, v)
	c.stats.Bytes += v.bytes
}
