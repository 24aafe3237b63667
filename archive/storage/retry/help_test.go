package retry_test

import (
	"context"
	"iter"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dura/archive/storage"
	"dura/archive/storage/memory"
	"dura/archive/storage/retry"
	"dura/archive/storage/storagetest"
)

// clock is moved by those who sleep.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return ctx.Err()
}

func patient() retry.Options {
	c := new(clock)
	return retry.Options{Now: c.Now, Sleep: c.Sleep, Tries: 1000, Total: 1000 * time.Hour}
}

// dice lets some operations go wrong, up to nine out of ten tries.
type dice struct {
	mu     sync.Mutex
	random *rand.Rand
	rolled atomic.Int64
}

func newDice(seed uint64) *dice { return &dice{random: rand.New(rand.NewPCG(seed, 0))} }

func (d *dice) roll() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.random.IntN(3) != 0 {
		return false
	}
	d.rolled.Add(1)
	return true
}

// plan lets operations go wrong for which it may.
func (d *dice) plan(may func(storagetest.Operation) bool) storagetest.Plan {
	return func(op storagetest.Operation) error {
		if !may(op) || !d.roll() {
			return nil
		}
		return op.Error(storage.KindUnavailable)
	}
}

// breaking is a storage whose listings break off: after 1 object, 2, 4, and so on, up to 16,384; then again after one.
type breaking struct {
	storage.Storage
	broken atomic.Int64
}

func (b *breaking) List(ctx context.Context, prefix string, depth storage.Depth) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		left := 1 << (b.broken.Load() % 15)
		for info, err := range b.Storage.List(ctx, prefix, depth) {
			if left--; left < 0 {
				b.broken.Add(1)
				yield(storage.Info{}, unavailable(storage.OpList, prefix))
				return
			}
			if !yield(info, err) {
				return
			}
		}
	}
}

func TestTheWrapperKeepsThePromisesOfStorage(t *testing.T) {
	t.Run("nothing goes wrong", func(t *testing.T) {
		storagetest.Run(t, func(*testing.T) storage.Storage { return retry.New(memory.New(), patient()) })
	})
	t.Run("with a limit", func(t *testing.T) {
		o := patient()
		o.TryFor = time.Hour
		storagetest.Run(t, func(*testing.T) storage.Storage { return retry.New(memory.New(), o) })
	})

	// An operation that did not happen can't be told from one that did, so that what the name held before may be taken for what
	// was to be stored, and what was missing before for deleted. Those faults are left out here.
	d := newDice(1)
	readers := func(op storagetest.Operation) bool { return op.Op != storage.OpCreate && op.Op != storage.OpDelete }
	t.Run("operations fail", func(t *testing.T) {
		storagetest.Run(t, func(*testing.T) storage.Storage {
			inner := memory.New()
			may := func(op storagetest.Operation) bool {
				_, err := inner.Stat(context.Background(), op.Name)
				return readers(op) || op.Op == storage.OpCreate && err != nil
			}
			return retry.New(storagetest.NewFaulty(inner, d.plan(may)), patient())
		})
	})
	t.Run("acknowledgements are lost", func(t *testing.T) {
		storagetest.Run(t, func(*testing.T) storage.Storage {
			all := func(storagetest.Operation) bool { return true }
			return retry.New(storagetest.NewUnacknowledged(memory.New(), d.plan(all)), patient())
		})
	})
	t.Run("listings break off", func(t *testing.T) {
		var all []*breaking
		storagetest.Run(t, func(*testing.T) storage.Storage {
			b := &breaking{Storage: storagetest.NewFaulty(memory.New(), d.plan(readers))}
			all = append(all, b)
			return retry.New(b, patient())
		})
		var broken int64
		for _, b := range all {
			broken += b.broken.Load()
		}
		if broken < 20 {
			t.Errorf("%d listings broke off", broken)
		}
	})
	if d.rolled.Load() < 1000 {
		t.Errorf("%d operations went wrong", d.rolled.Load())
	}
}

func unavailable(op, name string) error {
	return &storage.Error{Op: op, Object: name, Kind: storage.KindUnavailable}
}

// scripted fails its operations with these errors, one after the other, and performs those for which there is nil or nothing. After
// done it is performed and fails nevertheless.
type scripted struct {
	*storagetest.Recorder
	script []error
	done   bool
}

func script(inner storage.Storage, done bool, errs ...error) *scripted {
	s := &scripted{script: errs, done: done}
	plan := func(storagetest.Operation) error {
		if len(s.script) == 0 {
			return nil
		}
		err := s.script[0]
		s.script = s.script[1:]
		return err
	}
	if done {
		s.Recorder = storagetest.NewRecorder(storagetest.NewUnacknowledged(inner, plan))
	} else {
		s.Recorder = storagetest.NewRecorder(storagetest.NewFaulty(inner, plan))
	}
	return s
}

func create(t *testing.T, s storage.Storage, name, content string) {
	t.Helper()
	if err := s.Create(t.Context(), name, []byte(content)); err != nil {
		t.Fatal(err)
	}
}
