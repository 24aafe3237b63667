package retry_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"dura/archive/storage"
	"dura/archive/storage/memory"
	"dura/archive/storage/retry"
	"dura/archive/storage/storagetest"
)

// slow takes its time with operations until it has been asked so many times.
type slow struct {
	storage.Storage
	asked, fast int
}

func (s *slow) delay(ctx context.Context) error {
	if s.asked++; s.asked >= s.fast {
		return nil
	}
	select {
	case <-time.After(time.Hour):
		return nil
	case <-ctx.Done():
		return fmt.Errorf("slow: %w", ctx.Err())
	}
}

func (s *slow) Stat(ctx context.Context, name string) (storage.Info, error) {
	if err := s.delay(ctx); err != nil {
		return storage.Info{}, err
	}
	return s.Storage.Stat(ctx, name)
}

func (s *slow) List(ctx context.Context, prefix string, depth storage.Depth) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		for info, err := range s.Storage.List(ctx, prefix, depth) {
			if err := s.delay(ctx); err != nil {
				yield(storage.Info{}, err)
				return
			}
			if !yield(info, err) {
				return
			}
		}
	}
}

func TestATryThatTakesTooLongIsEndedAndRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := memory.New()
		create(t, inner, "a", "x")
		o := retry.Options{Now: time.Now, TryFor: time.Minute, FirstWait: time.Second, Random: func() float64 { return 0 }}
		start := time.Now()
		if _, err := retry.New(&slow{Storage: inner, fast: 3}, o).Stat(t.Context(), "a"); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took != 2*time.Minute+3*time.Second {
			t.Errorf("it took %v", took)
		}
		o.Tries = 2
		_, err := retry.New(&slow{Storage: inner, fast: 99}, o).Stat(t.Context(), "a")
		var gave *retry.GaveUpError
		if !errors.As(err, &gave) || gave.Took != 2*time.Minute+time.Second || !storage.Is(err, storage.KindUnavailable) {
			t.Error(err)
		}
	})
}

// Whoever iterates may take as long as he likes between two objects; the storage may not.
func TestAListingMayTakeLongButNotItsSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := memory.New()
		for i := range 10 {
			create(t, inner, fmt.Sprint("a", i), "x")
		}
		o := retry.Options{Now: time.Now, TryFor: time.Minute, FirstWait: time.Second, Random: func() float64 { return 0 }}
		start, n := time.Now(), 0
		for _, err := range retry.New(&slow{Storage: inner, fast: 3}, o).List(t.Context(), "a", storage.Deep) {
			if err != nil {
				t.Fatal(err)
			}
			n++
			time.Sleep(time.Hour)
		}
		if took := time.Since(start); n != 10 || took != 10*time.Hour+2*time.Minute+3*time.Second {
			t.Errorf("%d objects took %v", n, took)
		}
	})
}

func TestACancelledContextEndsAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		inner := storagetest.NewRecorder(storagetest.NewFaulty(memory.New(), storagetest.Always("", "", storage.KindUnavailable)))
		s := retry.New(inner, retry.Options{Now: time.Now, FirstWait: time.Minute, TryFor: time.Minute})
		start := time.Now()
		err := s.Create(ctx, "a")
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 3*time.Second || inner.Counts().Creates != 1 {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		for _, err := range s.List(ctx, "a", storage.Deep) {
			if !errors.Is(err, context.DeadlineExceeded) && !storage.Is(err, storage.KindUnavailable) {
				t.Error(err)
			}
		}
		if time.Since(start) != 3*time.Second {
			t.Errorf("it went on for %v", time.Since(start))
		}
	})
}
