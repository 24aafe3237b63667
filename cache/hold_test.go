package cache_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"dura/cache"
)

// counted is a value that knows how often it is held. Once nobody holds it its memory is somebody else's.
type counted struct {
	key   int
	holds atomic.Int64
	gone  atomic.Bool
}

func newCounted(key int) *counted {
	v := &counted{key: key}
	v.holds.Store(1)
	return v
}

func (v *counted) drop() {
	if v.holds.Add(-1) == 0 {
		v.gone.Store(true)
	}
}

func newCountingCache(t *testing.T, maxBytes int64) *cache.Cache[int, *counted] {
	return cache.New[int](cache.Options[*counted]{
		MaxBytes: maxBytes, Size: func(*counted) int64 { return 1 },
		Hold: func(v *counted) {
			if v.holds.Add(1) < 2 {
				t.Errorf("value %d is given away after nobody held it", v.key)
			}
		},
		Drop: (*counted).drop,
	})
}

func TestValuesAreHeldAsLongAsSomebodyHasThem(t *testing.T) {
	const kept, keys, readers, reads = 5, 20, 8, 3000
	c := newCountingCache(t, kept)
	var mu sync.Mutex
	var all []*counted
	var wg sync.WaitGroup
	for seed := range uint64(readers) {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(seed, 0))
			for range reads {
				key := random.IntN(keys)
				fetch := func(context.Context) (*counted, error) {
					v := newCounted(key)
					mu.Lock()
					all = append(all, v)
					mu.Unlock()
					return v, nil
				}
				if random.IntN(3) == 0 {
					c.Prefetch(key, fetch)
					continue
				}
				ctx, cancel := context.WithCancel(t.Context())
				if random.IntN(4) == 0 {
					cancel() // he leaves, or gets it if it is there
				}
				v, err := c.Get(ctx, key, fetch)
				cancel()
				if err != nil {
					continue
				}
				if v.gone.Load() || v.key != key {
					t.Errorf("for %d there is %d, gone %v", key, v.key, v.gone.Load())
				}
				v.drop()
			}
		})
	}
	wg.Wait()
	c.Get(t.Context(), -1, func(context.Context) (*counted, error) { return newCounted(-1), nil })
	for key := range keys { // what is under way lands
		if v, err := c.Get(t.Context(), key, func(context.Context) (*counted, error) { return newCounted(key), nil }); err == nil {
			v.drop()
		}
	}
	held := 0
	for _, v := range all {
		if n := v.holds.Load(); n < 0 || n > 1 {
			t.Errorf("value %d is held %d times at the end", v.key, n)
		} else if n == 1 {
			held++
		}
	}
	if held > kept {
		t.Errorf("%d values are held, and %d kept", held, kept)
	}
	if s := c.Stats(); s.Evicted == 0 || s.Joined == 0 {
		t.Errorf("the load proves nothing: %+v", s)
	}
}

func TestAValueIsHeldForEachWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCountingCache(t, 0) // which keeps nothing
		slow := func(context.Context) (*counted, error) {
			time.Sleep(time.Second)
			return newCounted(1), nil
		}
		c.Prefetch(1, slow)
		ctx, cancel := context.WithCancel(t.Context())
		waiting := []*cache.Pending[*counted]{c.Start(1, slow), c.Start(1, slow), c.Start(1, slow)}
		left := c.Start(1, slow)
		synctest.Wait()
		cancel()
		if _, err := left.Wait(ctx); err != context.Canceled {
			t.Error(err)
		}
		for i, p := range waiting {
			v, err := p.Wait(t.Context())
			if err != nil || v.gone.Load() || v.holds.Load() != int64(len(waiting)-i) {
				t.Fatal(v, err)
			}
			v.drop()
			if last := i == len(waiting)-1; v.gone.Load() != last {
				t.Error("when", i+1, "have dropped it, it is gone:", v.gone.Load())
			}
		}
	})
}
