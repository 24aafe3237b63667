package storagetest_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"dura/archive/storage"
	"dura/archive/storage/memory"
	"dura/archive/storage/storagetest"
)

func TestWrappersThatDoNothingYetKeepThePromisesOfStorage(t *testing.T) {
	for name, wrap := range map[string]func(storage.Storage) storage.Storage{
		"Recorder": func(s storage.Storage) storage.Storage { return storagetest.NewRecorder(s) },
		"Faulty":   func(s storage.Storage) storage.Storage { return storagetest.NewFaulty(s, storagetest.Never()) },
		"Unacknowledged": func(s storage.Storage) storage.Storage {
			return storagetest.NewUnacknowledged(s, storagetest.Never())
		},
		"Delayed":  func(s storage.Storage) storage.Storage { return storagetest.NewDelayed(s, storagetest.Delays{}) },
		"Stale":    func(s storage.Storage) storage.Storage { return storagetest.NewStale(s, 0) },
		"Damaged":  func(s storage.Storage) storage.Storage { return storagetest.NewDamaged(s) },
		"Full":     func(s storage.Storage) storage.Storage { return storagetest.NewFull(s, math.MaxInt64) },
		"Crashing": func(s storage.Storage) storage.Storage { return storagetest.NewCrashing(s, math.MaxInt, 0) },
		"Folding":  func(s storage.Storage) storage.Storage { return storagetest.NewFolding(s) },
	} {
		t.Run(name, func(t *testing.T) {
			storagetest.Run(t, func(*testing.T) storage.Storage { return wrap(memory.New()) })
		})
	}
}

func create(t *testing.T, s storage.Storage, name, content string) {
	t.Helper()
	if err := s.Create(context.Background(), name, []byte(content)); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, s storage.Storage, name string) string {
	t.Helper()
	got, err := s.Read(context.Background(), name, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

func names(t *testing.T, s storage.Storage) []string {
	t.Helper()
	var names []string
	for info, err := range s.List(context.Background(), "", storage.Deep) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, info.Name)
	}
	return names
}

func wantKind(t *testing.T, err error, kind storage.Kind) {
	t.Helper()
	if !storage.Is(err, kind) {
		t.Errorf("got %v, want an error of kind %q", err, kind)
	}
}

func TestRecorderCountsOperationsAndBytes(t *testing.T) {
	ctx := context.Background()
	r := storagetest.NewRecorder(memory.New())
	create(t, r, "a", "0123456789")
	wantKind(t, r.Create(ctx, "a", []byte("again")), storage.KindExists)
	if _, err := r.Read(ctx, "a", 7, 100); err != nil {
		t.Fatal(err)
	}
	names(t, r)
	if _, err := r.Stat(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	if err := r.Delete(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	want := storagetest.Counts{Creates: 2, Reads: 1, Lists: 1, Stats: 1, Deletes: 1, ReadBytes: 3, WrittenBytes: 10}
	if got := r.Counts(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	log := r.Log()
	if len(log) != 6 || log[2].Op != storage.OpRead || log[2].Name != "a" || log[2].OffsetBytes != 7 || log[2].Bytes != 3 {
		t.Errorf("the log is %+v", log)
	}
	if !storage.Is(log[1].Err, storage.KindExists) || log[0].Err != nil {
		t.Errorf("the log has the errors %v and %v", log[0].Err, log[1].Err)
	}
	r.Reset()
	if got := r.Counts(); got != (storagetest.Counts{}) || len(r.Log()) != 0 {
		t.Errorf("after a reset there is %+v", got)
	}
}

func TestRecorderTellsWhatWasOverBeforeWhat(t *testing.T) {
	r := storagetest.NewRecorder(memory.New())
	create(t, r, "block", "")
	for range r.List(context.Background(), "", storage.Deep) {
		create(t, r, "hunk", "")
	}
	log := r.Log()
	block, hunk, list := log[0], log[1], log[2]
	if !(block.Ended < list.Began && list.Began < hunk.Began && hunk.Ended < list.Ended) {
		t.Errorf("block %+v, list %+v, hunk %+v", block, list, hunk)
	}
}

func TestFaultyFailsWhatThePlanSays(t *testing.T) {
	ctx := context.Background()
	inner := memory.New()
	create(t, inner, "a", "x")
	s := storagetest.NewFaulty(inner, storagetest.Nth(2, storage.KindUnavailable))
	create(t, s, "b", "")
	wantKind(t, s.Create(ctx, "c"), storage.KindUnavailable)
	create(t, s, "d", "")
	if got := names(t, inner); !slices.Equal(got, []string{"a", "b", "d"}) {
		t.Errorf("there is %q", got)
	}

	s = storagetest.NewFaulty(inner, storagetest.Always(storage.OpRead, "a", storage.KindIO))
	_, err := s.Read(ctx, "a", 0, 1)
	wantKind(t, err, storage.KindIO)
	read(t, s, "b")
	if _, err := s.Stat(ctx, "a"); err != nil {
		t.Error(err)
	}

	s = storagetest.NewFaulty(inner, storagetest.Always("", "", storage.KindDenied))
	_, err = s.Stat(ctx, "a")
	wantKind(t, err, storage.KindDenied)
	wantKind(t, s.Delete(ctx, "a"), storage.KindDenied)
	for _, err := range s.List(ctx, "", storage.Deep) {
		wantKind(t, err, storage.KindDenied)
	}
}

func TestUnacknowledgedDoesWhatItSaysHasFailed(t *testing.T) {
	ctx := context.Background()
	inner := memory.New()
	s := storagetest.NewUnacknowledged(inner, storagetest.Always("", "a", storage.KindIO))
	wantKind(t, s.Create(ctx, "a", []byte("x")), storage.KindIO)
	if got := read(t, inner, "a"); got != "x" {
		t.Errorf("stored %q", got)
	}
	wantKind(t, s.Create(ctx, "a"), storage.KindExists)
	wantKind(t, s.Delete(ctx, "a"), storage.KindIO)
	if got := names(t, inner); len(got) != 0 {
		t.Errorf("there is %q", got)
	}
}

func TestDelayedTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := storagetest.NewDelayed(memory.New(), storagetest.Delays{Latency: 100 * time.Millisecond, BytesPerSecond: 10})
		wantSince := func(what string, want time.Duration) {
			if got := time.Since(start); got != want {
				t.Errorf("%s took %v, want %v", what, got, want)
			}
			start = time.Now()
		}
		create(t, s, "a", "01234")
		wantSince("create", 600*time.Millisecond)
		if _, err := s.Read(t.Context(), "a", 3, 100); err != nil {
			t.Fatal(err)
		}
		wantSince("read", 300*time.Millisecond)
		names(t, s)
		wantSince("list", 100*time.Millisecond)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Create(ctx, "b", make([]byte, 100)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		wantSince("an abandoned create", time.Second)
		if got := names(t, s); len(got) != 1 {
			t.Errorf("there is %q", got)
		}
	})
}

func TestDelayedSleepsAsItIsTold(t *testing.T) {
	var slept time.Duration
	s := storagetest.NewDelayed(memory.New(), storagetest.Delays{
		Latency: time.Hour,
		Sleep:   func(_ context.Context, d time.Duration) error { slept += d; return nil },
	})
	create(t, s, "a", "x")
	read(t, s, "a")
	if slept != 2*time.Hour {
		t.Errorf("slept %v", slept)
	}
}

func TestStaleListsObjectsLate(t *testing.T) {
	inner := memory.New()
	create(t, inner, "old", "")
	s := storagetest.NewStale(inner, 2)
	create(t, s, "new", "x")
	for i, want := range [][]string{{"old"}, {"old"}, {"new", "old"}} {
		if got := names(t, s); !slices.Equal(got, want) {
			t.Errorf("listing %d: got %q, want %q", i, got, want)
		}
	}
	create(t, s, "newer", "y")
	if got := read(t, s, "newer"); got != "y" {
		t.Errorf("read %q", got)
	}
}

func TestDamagedShowsDamageAndKeepsTheObject(t *testing.T) {
	ctx := context.Background()
	inner := memory.New()
	s := storagetest.NewDamaged(inner)
	for _, name := range []string{"cut", "flipped", "lost"} {
		create(t, s, name, "0123456789")
	}
	s.Truncate("cut", 4)
	s.Flip("flipped", 8)
	s.Flip("flipped", 9*8+3)
	s.Lose("lost")

	if got := read(t, s, "cut"); got != "0123" {
		t.Errorf("cut reads as %q", got)
	}
	if got, err := s.Read(ctx, "cut", 5, 3); err != nil || len(got) != 0 {
		t.Errorf("behind the cut there is %q, %v", got, err)
	}
	if info, err := s.Stat(ctx, "cut"); err != nil || info.SizeBytes != 4 {
		t.Errorf("stat says %+v, %v", info, err)
	}
	if got := read(t, s, "flipped"); got != "0023456781" {
		t.Errorf("flipped reads as %q", got)
	}
	if got, err := s.Read(ctx, "flipped", 8, 2); err != nil || string(got) != "81" {
		t.Errorf("its end reads as %q, %v", got, err)
	}
	_, err := s.Read(ctx, "lost", 0, 1)
	wantKind(t, err, storage.KindNotFound)
	_, err = s.Stat(ctx, "lost")
	wantKind(t, err, storage.KindNotFound)
	wantKind(t, s.Create(ctx, "lost"), storage.KindExists)
	if got := names(t, s); !slices.Equal(got, []string{"cut", "flipped"}) {
		t.Errorf("there is %q", got)
	}
	for info, err := range s.List(ctx, "cut", storage.Shallow) {
		if err != nil || info.SizeBytes != 4 {
			t.Errorf("list says %+v, %v", info, err)
		}
	}
	for _, name := range []string{"cut", "flipped", "lost"} {
		s.Heal(name)
		if got := read(t, s, name); got != "0123456789" {
			t.Errorf("%s heals to %q", name, got)
		}
	}
}

func TestFullStoresWhatFitsAndNothingOfTheRest(t *testing.T) {
	ctx := context.Background()
	s := storagetest.NewFull(memory.New(), 10)
	create(t, s, "a", "012345")
	wantKind(t, s.Create(ctx, "b", []byte("01234")), storage.KindFull)
	wantKind(t, s.Create(ctx, "a", []byte("01234")), storage.KindExists)
	wantKind(t, s.Create(ctx, "../a", []byte("01234")), storage.KindInvalid)
	create(t, s, "c", "0123")
	wantKind(t, s.Create(ctx, "d", []byte("0")), storage.KindFull)
	wantKind(t, s.Create(ctx, "c"), storage.KindExists)
	if err := s.Delete(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	wantKind(t, s.Delete(ctx, "a"), storage.KindNotFound)
	wantKind(t, s.Create(ctx, "e", []byte("0123456")), storage.KindFull)
	s.Grow(1)
	create(t, s, "e", "0123456")
	if got := names(t, s); !slices.Equal(got, []string{"c", "e"}) {
		t.Errorf("there is %q", got)
	}
}

func TestReadOnlyTakesNoWrites(t *testing.T) {
	ctx := context.Background()
	inner := memory.New()
	create(t, inner, "a", "x")
	s := storagetest.NewReadOnly(inner)
	wantKind(t, s.Create(ctx, "b"), storage.KindReadOnly)
	wantKind(t, s.Delete(ctx, "a"), storage.KindReadOnly)
	if got := names(t, s); len(got) != 1 || read(t, s, "a") != "x" {
		t.Errorf("there is %q", got)
	}
}

func TestFoldingTakesNamesForTheSameThatDifferInCase(t *testing.T) {
	ctx := context.Background()
	s := storagetest.NewFolding(memory.New())
	create(t, s, "DURA-ARCHIVE", "x")
	create(t, s, "a/b", "y")
	wantKind(t, s.Create(ctx, "Dura-Archive", []byte("z")), storage.KindExists)
	wantKind(t, s.Create(ctx, "A/b"), storage.KindExists)
	if got := read(t, s, "dura-archive"); got != "x" {
		t.Errorf("read %q", got)
	}
	if err := s.Delete(ctx, "A/B"); err != nil {
		t.Error(err)
	}
	if got := names(t, s); !slices.Equal(got, []string{"DURA-ARCHIVE"}) {
		t.Errorf("there is %q", got)
	}
}

func TestWrappersGoAroundEachOther(t *testing.T) {
	ctx := context.Background()
	inner := storagetest.NewRecorder(memory.New())
	outer := storagetest.NewRecorder(storagetest.NewFaulty(inner, storagetest.Nth(1, storage.KindIO)))
	wantKind(t, outer.Create(ctx, "a"), storage.KindIO)
	create(t, outer, "a", "")
	if outer.Counts().Creates != 2 || inner.Counts().Creates != 1 {
		t.Errorf("outer %+v, inner %+v", outer.Counts(), inner.Counts())
	}
}
