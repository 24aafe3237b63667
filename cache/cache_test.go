package cache_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"dura/cache"
)

var errBroken = errors.New("broken")

func bytesOf(v []byte) int64 { return int64(len(v)) }

func newCache(maxBytes int64) *cache.Cache[int, []byte] {
	return cache.New[int](cache.Options[[]byte]{MaxBytes: maxBytes, Size: bytesOf})
}

func brings(n int) func(context.Context) ([]byte, error) {
	return func(context.Context) ([]byte, error) { return make([]byte, n), nil }
}

func TestBoundIsKeptUnderParallelLoad(t *testing.T) {
	const bound, keys, valueBytes, readers, reads = 100_000, 1000, 1000, 8, 5000
	c := newCache(bound)
	var worst atomic.Int64
	var wg sync.WaitGroup
	for seed := range uint64(readers) {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(seed, 0))
			for range reads {
				key := random.IntN(keys)
				v, err := c.Get(t.Context(), key, brings(valueBytes/2+key))
				if err != nil || len(v) != valueBytes/2+key {
					t.Errorf("key %d: %d bytes, %v", key, len(v), err)
					return
				}
				if kept := c.Stats().Bytes; kept > worst.Load() {
					worst.Store(kept)
				}
			}
		})
	}
	wg.Wait()
	s := c.Stats()
	if worst.Load() > bound || s.Bytes > bound {
		t.Errorf("it kept %d of %d bytes", worst.Load(), bound)
	}
	if s.Evicted == 0 || s.Hits == 0 || s.Bytes < bound*9/10 {
		t.Errorf("the load proves nothing: %+v", s)
	}
	if total := s.Hits + s.Misses + s.Joined; total != readers*reads {
		t.Errorf("%d requests are counted as %d", readers*reads, total)
	}
}

// The model is a list of keys, the one used last in front.
func TestWhatWasUsedLastIsKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const bound = 20
		c := newCache(bound)
		var model []int
		for range 200 {
			key := rapid.IntRange(0, 12).Draw(t, "key") // of as many bytes
			fetched := false
			if _, err := c.Get(context.Background(), key, func(context.Context) ([]byte, error) {
				fetched = true
				return make([]byte, key), nil
			}); err != nil {
				t.Fatal(err)
			}
			var kept []int
			hit, used := false, key
			for _, k := range model {
				if hit = hit || k == key; k != key {
					kept = append(kept, k)
				}
			}
			if fetched == hit {
				t.Fatalf("key %d with %v kept: fetched %v", key, model, fetched)
			}
			model = []int{key}
			for _, k := range kept {
				if used += k; used > bound {
					break
				}
				model = append(model, k)
			}
		}
	})
}

func TestOneFetchServesAllWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(1000)
		var fetches atomic.Int64
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				v, err := c.Get(t.Context(), 1, func(context.Context) ([]byte, error) {
					fetches.Add(1)
					time.Sleep(time.Hour)
					return []byte("value"), nil
				})
				if string(v) != "value" || err != nil {
					t.Errorf("%q %v", v, err)
				}
			})
		}
		wg.Wait()
		if s := c.Stats(); fetches.Load() != 1 || s.Misses != 1 || s.Joined != 99 {
			t.Errorf("%d fetches, %+v", fetches.Load(), s)
		}
	})
}

func TestWhoWaitsMayLeaveAndTheFetchGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(1000)
		ctx, cancel := context.WithCancel(t.Context())
		slow := func(ctx context.Context) ([]byte, error) {
			time.Sleep(time.Minute)
			return []byte("value"), ctx.Err()
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := c.Get(ctx, 1, slow); !errors.Is(err, context.Canceled) {
				t.Error("the one who left got", err)
			}
		})
		wg.Go(func() {
			if v, err := c.Get(t.Context(), 1, slow); string(v) != "value" || err != nil {
				t.Error("the one who stayed got", v, err)
			}
		})
		synctest.Wait()
		cancel()
		wg.Wait()
		if v, ok := c.Cached(1); !ok || string(v) != "value" {
			t.Error("the value is not kept")
		}
	})
}

func TestErrorsAreToldAndNotKept(t *testing.T) {
	c := newCache(1000)
	if _, err := c.Get(t.Context(), 1, func(context.Context) ([]byte, error) { return nil, errBroken }); err != errBroken {
		t.Error(err)
	}
	if v, err := c.Get(t.Context(), 1, brings(5)); len(v) != 5 || err != nil {
		t.Error(v, err)
	}
}

func TestAFetchThatPanicsOrExitsFailsThoseWhoWait(t *testing.T) {
	c := newCache(1000)
	_, err := c.Get(t.Context(), 1, func(context.Context) ([]byte, error) { panic("bad luck") })
	var p *cache.PanicError
	if !errors.As(err, &p) || p.Value != "bad luck" || len(p.Stack) == 0 {
		t.Error(err)
	}
	if _, err := c.Get(t.Context(), 1, func(context.Context) ([]byte, error) { runtime.Goexit(); return nil, nil }); err == nil {
		t.Error("a fetch that exits brings a value")
	}
	if v, err := c.Get(t.Context(), 1, brings(5)); len(v) != 5 || err != nil {
		t.Error("after a panic:", v, err)
	}
}

func TestValuesLargerThanTheCachePassThrough(t *testing.T) {
	c := newCache(10)
	for range 2 {
		if v, err := c.Get(t.Context(), 1, brings(5)); len(v) != 5 || err != nil {
			t.Error(v, err)
		}
		if v, err := c.Get(t.Context(), 2, brings(11)); len(v) != 11 || err != nil {
			t.Error(v, err)
		}
	}
	if s := c.Stats(); s.PassedThrough != 2 || s.Evicted != 0 || s.Hits != 1 || s.Bytes != 5 {
		t.Errorf("%+v", s)
	}
}

func TestCloseEndsWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(10)
		hangs := c.Start(1, func(ctx context.Context) ([]byte, error) { <-ctx.Done(); return nil, ctx.Err() })
		synctest.Wait()
		c.Close()
		if _, err := hangs.Wait(t.Context()); err != cache.ErrClosed {
			t.Error(err)
		}
		if _, err := c.Get(t.Context(), 2, brings(1)); err != cache.ErrClosed {
			t.Error(err)
		}
	})
}

func TestNoMoreFetchesRunAtATimeThanAllowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cache.New[int](cache.Options[[]byte]{MaxBytes: 1000, Size: bytesOf, Fetches: 3})
		var running, most atomic.Int64
		var all []*cache.Pending[[]byte]
		for key := range 10 {
			all = append(all, c.Start(key, func(context.Context) ([]byte, error) {
				most.Store(max(most.Load(), running.Add(1)))
				time.Sleep(time.Second)
				running.Add(-1)
				return nil, nil
			}))
		}
		for _, p := range all {
			if _, err := p.Wait(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if most.Load() != 3 {
			t.Error(most.Load(), "at a time")
		}
	})
}

func TestStartAllFetchesWhatIsMissingInOneCall(t *testing.T) {
	c := newCache(1000)
	if _, err := c.Get(t.Context(), 2, brings(2)); err != nil {
		t.Fatal(err)
	}
	calls := 0
	pending := c.StartAll([]int{1, 2, 3, 1, 4}, func(_ context.Context, places []int, done func(int, []byte, error)) {
		calls++
		if len(places) != 3 || places[0] != 0 || places[1] != 2 || places[2] != 4 {
			t.Error(places)
		}
		done(2, make([]byte, 3), nil)
		done(0, make([]byte, 1), nil)
		done(0, nil, errBroken) // too late
	})
	for i, want := range []int{1, 2, 3, 1} {
		if v, err := pending[i].Wait(t.Context()); len(v) != want || err != nil {
			t.Error(i, v, err)
		}
	}
	if _, err := pending[4].Wait(t.Context()); err == nil {
		t.Error("a value that fetch did not bring is there")
	}
	if calls != 1 {
		t.Error(calls, "calls")
	}
}

func TestAPendingValueOutlastsItsEviction(t *testing.T) {
	c := newCache(10)
	p := c.Start(1, brings(6))
	if _, err := c.Get(t.Context(), 2, brings(7)); err != nil {
		t.Fatal(err)
	}
	if v, err := p.Wait(t.Context()); len(v) != 6 || err != nil {
		t.Error(v, err)
	}
}

func BenchmarkHit(b *testing.B) {
	c := newCache(1 << 20)
	c.Get(b.Context(), 1, brings(1000))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c.Get(b.Context(), 1, brings(1000))
		}
	})
}

func BenchmarkMiss(b *testing.B) {
	c := newCache(0)
	value := make([]byte, 1)
	b.ReportAllocs()
	for b.Loop() {
		c.Get(b.Context(), 1, func(context.Context) ([]byte, error) { return value, nil })
	}
}

func TestWhatHangsKeepsNoOthersFromBeingFetched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const fetches = 4
		c := cache.New[int](cache.Options[[]byte]{MaxBytes: 1000, Size: bytesOf, Fetches: fetches})
		hang := make(chan struct{})
		for key := range fetches {
			c.Start(key, func(context.Context) ([]byte, error) {
				<-hang
				return []byte{byte(key)}, nil
			})
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := c.Get(ctx, fetches, brings(1)); err != nil {
			t.Errorf("beside fetches that hang: %v", err)
		}
		close(hang)
		if v, err := c.Get(ctx, 0, brings(2)); err != nil || len(v) != 1 {
			t.Errorf("what no longer hangs: %v, %v", v, err)
		}
	})
}
