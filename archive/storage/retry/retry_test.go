package retry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
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

func TestACreateThatWasPerformedAndNotAcknowledgedSucceeds(t *testing.T) {
	large := bytes.Repeat([]byte("0123456789abcde"), 200_000)
	for what, parts := range map[string][][]byte{
		"small": {[]byte("in "), nil, []byte("parts")}, "empty": {}, "large": {large[:5], large[5:2_500_000], large[2_500_000:]},
	} {
		fails := unavailable(storage.OpCreate, "a")
		inner := script(memory.New(), true, fails)
		s := retry.New(inner, patient())
		if err := s.Create(t.Context(), "a", parts...); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if got := inner.Counts(); got.Creates != 2 || got.Stats != 1 || got.ReadBytes != int64(len(bytes.Join(parts, nil))) || got.Deletes > 0 {
			t.Errorf("%s: %+v", what, got)
		}
	}
}

// appearing has an object appear under the name that is created, as if it came from elsewhere, and fails the first create.
type appearing struct {
	storage.Storage
	object []byte
	once   bool
}

func (a *appearing) Create(ctx context.Context, name string, parts ...[]byte) error {
	if !a.once {
		a.once = true
		if err := a.Storage.Create(ctx, name, a.object); err != nil {
			return err
		}
		return unavailable(storage.OpCreate, name)
	}
	return a.Storage.Create(ctx, name, parts...)
}

func TestACreateThatFindsOtherBytesFails(t *testing.T) {
	want := bytes.Repeat([]byte("x"), 3<<20)
	change := func(at int) []byte { b := bytes.Clone(want); b[at] ^= 1; return b }
	for what, object := range map[string][]byte{
		"none": {}, "fewer": want[1:], "more": append(bytes.Clone(want), 'x'),
		"another first": change(0), "another last": change(len(want) - 1), "another between": change(1<<20 + 1),
	} {
		inner := &appearing{Storage: memory.New(), object: object}
		s := retry.New(inner, patient())
		if err := s.Create(t.Context(), "a", want[:7], want[7:]); !storage.Is(err, storage.KindExists) {
			t.Errorf("%s: %v", what, err)
		}
		if got, err := inner.Read(t.Context(), "a", 0, len(want)+1); err != nil || !bytes.Equal(got, object) {
			t.Errorf("%s: the object is another one now, of %d bytes (%v)", what, len(got), err)
		}
	}
}

// The look at what is there may fail as well, or find it gone.
func TestACreateIsSettledHoweverOftenTheLookFails(t *testing.T) {
	fails := unavailable(storage.OpCreate, "a")
	inner := script(memory.New(), true, fails)
	looks := 0
	s := retry.New(storagetest.NewFaulty(inner, func(op storagetest.Operation) error {
		if op.Op == storage.OpStat || op.Op == storage.OpRead {
			if looks++; looks%3 != 0 {
				return op.Error(storage.KindUnavailable)
			}
		}
		return nil
	}), patient())
	if err := s.Create(t.Context(), "a", []byte("content")); err != nil {
		t.Error(err)
	}
	if got := inner.Counts(); got.Creates != 2 || looks < 5 {
		t.Errorf("%d looks, %+v", looks, got)
	}

	memory := memory.New()
	vanishing := storagetest.NewFaulty(memory, func(op storagetest.Operation) error {
		switch {
		case op.Number == 1:
			create(t, memory, "a", "content")
			return op.Error(storage.KindUnavailable)
		case op.Op == storage.OpStat:
			if err := memory.Delete(context.Background(), "a"); err != nil {
				t.Error(err)
			}
		}
		return nil
	})
	if err := retry.New(vanishing, patient()).Create(t.Context(), "a", []byte("content")); err != nil {
		t.Error(err)
	}
	if got, err := memory.Read(t.Context(), "a", 0, 10); string(got) != "content" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestADeleteThatWasPerformedAndNotAcknowledgedSucceeds(t *testing.T) {
	inner := memory.New()
	create(t, inner, "a", "x")
	if err := retry.New(script(inner, true, unavailable(storage.OpDelete, "a")), patient()).Delete(t.Context(), "a"); err != nil {
		t.Error(err)
	}
	if err := retry.New(inner, patient()).Delete(t.Context(), "a"); !storage.Is(err, storage.KindNotFound) {
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
