package retry_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"dura/archive/storage"
	"dura/archive/storage/memory"
	"dura/archive/storage/retry"
	"dura/archive/storage/storagetest"

	"pgregory.net/rapid"
)

func TestPausesDoubleAndAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var waits []retry.Wait
		inner := memory.New()
		create(t, inner, "a", "x")
		fails := unavailable(storage.OpStat, "a")
		s := retry.New(script(inner, false, fails, fails, fails, fails, fails), retry.Options{
			Now: time.Now, FirstWait: 2 * time.Second, LongWait: 20 * time.Second, Random: func() float64 { return 0 },
			Waiting: func(w retry.Wait) { waits = append(waits, w) },
		})
		start := time.Now()
		if _, err := s.Stat(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		var pauses []time.Duration
		for i, w := range waits {
			pauses = append(pauses, w.For/time.Second)
			if w.Op != storage.OpStat || w.Object != "a" || w.Failed != i+1 || w.Tries != 10 || w.Err != fails {
				t.Errorf("%+v", w)
			}
		}
		if !slices.Equal(pauses, []time.Duration{2, 4, 8, 16, 20}) || time.Since(start) != 50*time.Second {
			t.Errorf("pauses of %d s, %v in all", pauses, time.Since(start))
		}
	})
}

func TestPausesAreShortenedAtRandomByUpToHalf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := patient()
		o.FirstWait = time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "first"))
		o.LongWait = time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "long"))
		o.Tries = rapid.IntRange(1, 100).Draw(t, "tries")
		o.Random = func() float64 { return rapid.Float64Range(0, 0.999999).Draw(t, "random") }
		full := min(o.FirstWait, o.LongWait)
		o.Waiting = func(w retry.Wait) {
			if w.For > full || w.For < full/2 {
				t.Fatalf("pause %d is %v of %v", w.Failed, w.For, full)
			}
			full = min(2*full, o.LongWait)
		}
		s := retry.New(storagetest.NewFaulty(memory.New(), storagetest.Always("", "", storage.KindUnavailable)), o)
		if _, err := s.Stat(context.Background(), "a"); err == nil {
			t.Fatal("no error")
		}
	})
}

func TestItEndsWithHowOftenAndHowLongItTried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			o     retry.Options
			tries int
			took  time.Duration
		}{
			{retry.Options{Tries: 3}, 3, 3 * time.Second},
			{retry.Options{Total: 9 * time.Second}, 4, 7 * time.Second},
			{retry.Options{Tries: 1}, 1, 0},
			{retry.Options{}, 10, (1 + 2 + 4 + 8 + 16 + 30 + 30 + 30 + 30) * time.Second},
		} {
			c.o.Now, c.o.FirstWait, c.o.Random = time.Now, time.Second, func() float64 { return 0 }
			inner := storagetest.NewRecorder(storagetest.NewFaulty(memory.New(), storagetest.Always("", "", storage.KindUnavailable)))
			s := retry.New(inner, c.o)
			_, readErr := s.Read(t.Context(), "a", 0, 1)
			_, statErr := s.Stat(t.Context(), "a")
			errs := []error{s.Create(t.Context(), "a"), readErr, statErr, s.Delete(t.Context(), "a")}
			for _, err := range s.List(t.Context(), "a", storage.Deep) {
				errs = append(errs, err)
			}
			for i, op := range []string{storage.OpCreate, storage.OpRead, storage.OpStat, storage.OpDelete, storage.OpList} {
				var e *storage.Error
				var gave *retry.GaveUpError
				if !errors.As(errs[i], &e) || e.Op != op || e.Object != "a" || e.Kind != storage.KindUnavailable {
					t.Errorf("%s: %v", op, errs[i])
				}
				if !errors.As(errs[i], &gave) || gave.Tries != c.tries || gave.Took != c.took || gave.Err == nil {
					t.Errorf("%s: %v, want %d tries in %v", op, errs[i], c.tries, c.took)
				}
			}
			if got := inner.Counts(); len(errs) != 5 || got.Creates+got.Reads+got.Stats+got.Deletes+got.Lists != 5*c.tries {
				t.Errorf("%d operations took %+v", len(errs), got)
			}
		}
	})
}

func TestOtherFailuresAreReturnedAtOnce(t *testing.T) {
	for kind := storage.KindIO; kind < storage.KindUnavailable; kind++ {
		inner := storagetest.NewRecorder(storagetest.NewFaulty(memory.New(), storagetest.Always("", "", kind)))
		s := retry.New(inner, patient())
		errs := []error{s.Create(t.Context(), "a"), s.Delete(t.Context(), "a")}
		_, err := s.Stat(t.Context(), "a")
		errs = append(errs, err)
		_, err = s.Read(t.Context(), "a", 0, 1)
		errs = append(errs, err)
		for _, err := range s.List(t.Context(), "", storage.Deep) {
			errs = append(errs, err)
		}
		for _, err := range errs {
			var gave *retry.GaveUpError
			if !storage.Is(err, kind) || errors.As(err, &gave) {
				t.Errorf("%v: %v", kind, err)
			}
		}
		if want := (storagetest.Counts{Creates: 1, Deletes: 1, Stats: 1, Reads: 1, Lists: 1}); inner.Counts() != want {
			t.Errorf("%v: %+v", kind, inner.Counts())
		}
	}
}

func TestWithoutFailuresNothingIsAskedTwice(t *testing.T) {
	inner := storagetest.NewRecorder(memory.New())
	s := retry.New(inner, retry.Options{Now: time.Now, TryFor: time.Hour})
	for i := range 10 {
		create(t, s, fmt.Sprint("a/", i), "content")
		if _, err := s.Read(t.Context(), fmt.Sprint("a/", i), 2, 3); err != nil {
			t.Error(err)
		}
	}
	for range s.List(t.Context(), "a/", storage.Deep) {
	}
	if err := s.Create(t.Context(), "a/1", []byte("content")); !storage.Is(err, storage.KindExists) {
		t.Error(err)
	}
	if want := (storagetest.Counts{Creates: 11, Reads: 10, Lists: 1, WrittenBytes: 70, ReadBytes: 30}); inner.Counts() != want {
		t.Errorf("%+v", inner.Counts())
	}
}

func TestTimeoutsAreRepeated(t *testing.T) {
	for _, err := range []error{
		&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded},
		fmt.Errorf("the client: %w", context.DeadlineExceeded),
		&storage.Error{Op: storage.OpStat, Kind: storage.KindIO, Err: &os.PathError{Op: "stat", Err: syscall.ETIMEDOUT}},
	} {
		inner := memory.New()
		create(t, inner, "a", "x")
		if _, got := retry.New(script(inner, false, err, err), patient()).Stat(t.Context(), "a"); got != nil {
			t.Errorf("%v: %v", err, got)
		}
	}
	refused := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED} // its storage would have to say that it is unavailable
	if _, err := retry.New(script(memory.New(), false, refused), patient()).Stat(t.Context(), "a"); err != refused {
		t.Error(err)
	}
}
func TestAListingGoesOnBehindTheLastObject(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		inner := memory.New()
		var want []string
		for i := range rapid.IntRange(0, 60).Draw(t, "objects") {
			name := fmt.Sprintf("a/%03d", i)
			if err := inner.Create(context.Background(), name); err != nil {
				t.Fatal(err)
			}
			want = append(want, name)
		}
		o := patient()
		o.Tries, o.TryFor = 15, time.Hour
		b := &breaking{Storage: inner}
		b.broken.Store(rapid.Int64Range(0, 14).Draw(t, "broken"))
		s := retry.New(b, o)
		stop := rapid.IntRange(0, 80).Draw(t, "stop")
		var got []string
		for info, err := range s.List(context.Background(), "a", storage.Deep) {
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, info.Name); len(got) == stop {
				break
			}
		}
		if stop > 0 && stop < len(want) {
			want = want[:stop]
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}

// settling counts how often it is asked to settle, and fails at first.
type settling struct {
	storage.Storage
	asked int
}

func (s *settling) Settle(ctx context.Context, prefix string) error {
	if s.asked++; s.asked < 3 {
		return unavailable(storage.OpSettle, prefix)
	}
	return nil
}

func TestSettleIsPassedOnAndRepeated(t *testing.T) {
	inner := &settling{Storage: memory.New()}
	if err := storage.Settle(t.Context(), retry.New(inner, patient()), "a"); err != nil || inner.asked != 3 {
		t.Errorf("asked %d times: %v", inner.asked, err)
	}
	if err := storage.Settle(t.Context(), retry.New(memory.New(), patient()), "a"); err != nil {
		t.Error(err)
	}
}
