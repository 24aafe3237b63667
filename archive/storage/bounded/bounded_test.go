package bounded_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"dura/archive/storage"
	"dura/archive/storage/bounded"
	"dura/archive/storage/memory"
	"dura/archive/storage/storagetest"
)

func TestBoundedKeepsThePromisesOfStorage(t *testing.T) {
	storagetest.Run(t, func(*testing.T) storage.Storage { return bounded.New(memory.New(), bounded.Options{}) })
}

// deaf is a storage that does not return from reads and listings, whatever becomes of their context, until it is woken.
type deaf struct {
	storage.Storage
	wake  chan struct{}
	asked atomic.Int64
}

func (d *deaf) Read(ctx context.Context, name string, offset int64, maxBytes int) ([]byte, error) {
	d.asked.Add(1)
	<-d.wake
	return d.Storage.Read(ctx, name, offset, maxBytes)
}

func (d *deaf) List(ctx context.Context, prefix string, depth storage.Depth) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		for info, err := range d.Storage.List(ctx, prefix, depth) {
			if !yield(info, err) {
				return
			}
			<-d.wake
		}
	}
}

func newMemory(t *testing.T, names ...string) *memory.Storage {
	t.Helper()
	st := memory.New()
	for _, name := range names {
		if err := st.Create(t.Context(), name, []byte("content")); err != nil {
			t.Fatal(err)
		}
	}
	return st
}

func TestWhatDoesNotReturnIsLetGoInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &deaf{Storage: newMemory(t, "a", "b"), wake: make(chan struct{})}
		s := bounded.New(d, bounded.Options{Timeout: 10 * time.Second, MaxStuck: 3})
		for n := range 5 {
			began := time.Now()
			_, err := s.Read(t.Context(), "a", 0, 10)
			if !storage.Is(err, storage.KindUnavailable) || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("read %d: %v", n, err)
			}
			want := 10 * time.Second
			if n >= 3 {
				want = 100 * (1 + 2 + 4) * time.Millisecond // refused, with the pauses between the attempts
			}
			if took := time.Since(began); took != want {
				t.Errorf("read %d took %v, want %v", n, took, want)
			}
		}
		if c := s.Counts(); c.Stuck != 3 || c.TimedOut != 3 || c.Failed != 5 || c.Reads != 5 || d.asked.Load() != 3 {
			t.Errorf("the counts are %+v, of reads %d came through", c, d.asked.Load())
		}
		close(d.wake)
		synctest.Wait()
		if got, err := s.Read(t.Context(), "a", 0, 10); string(got) != "content" || err != nil {
			t.Errorf("awake it reads %q, %v", got, err)
		}
		if c := s.Counts(); c.Stuck != 0 || c.ReadBytes != 7 {
			t.Errorf("awake the counts are %+v", c)
		}
	})
}

func TestAListingThatStopsIsLetGoInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &deaf{Storage: newMemory(t, "a", "b"), wake: make(chan struct{})}
		defer close(d.wake)
		s := bounded.New(d, bounded.Options{Timeout: 10 * time.Second})
		var seen []string
		began := time.Now()
		for info, err := range s.List(t.Context(), "", storage.Deep) {
			if err != nil {
				seen = append(seen, "error")
				if !storage.Is(err, storage.KindUnavailable) {
					t.Error(err)
				}
				break
			}
			seen = append(seen, info.Name)
			time.Sleep(time.Minute) // what the caller takes does not count
		}
		if !slices.Equal(seen, []string{"a", "error"}) || time.Since(began) != 70*time.Second {
			t.Errorf("it listed %q in %v", seen, time.Since(began))
		}
	})
}

func TestACallerMayLeaveAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &deaf{Storage: newMemory(t, "a"), wake: make(chan struct{})}
		defer close(d.wake)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		_, err := bounded.New(d, bounded.Options{}).Read(ctx, "a", 0, 1)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

func TestTriesAreBounded(t *testing.T) {
	for name, c := range map[string]struct {
		kind   storage.Kind
		fails  int // of the first operations
		begun  int
		passes bool
	}{
		"none is needed":       {storage.KindUnavailable, 0, 1, true},
		"the third succeeds":   {storage.KindUnavailable, 2, 3, true},
		"four are all":         {storage.KindUnavailable, 9, 4, false},
		"not worth another":    {storage.KindIO, 1, 1, false},
		"what is not there":    {storage.KindNotFound, 1, 1, false},
		"nor what is not ours": {storage.KindDenied, 1, 1, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			for op, do := range map[string]func(storage.Storage) error{
				storage.OpRead: func(s storage.Storage) error {
					_, err := s.Read(t.Context(), "a", 0, 1)
					return err
				},
				storage.OpStat: func(s storage.Storage) error {
					_, err := s.Stat(t.Context(), "a")
					return err
				},
				storage.OpList: func(s storage.Storage) (err error) {
					for _, err = range s.List(t.Context(), "", storage.Deep) {
					}
					return err
				},
			} {
				begun := 0
				faulty := storagetest.NewFaulty(newMemory(t, "a"), func(o storagetest.Operation) error {
					begun = o.Number
					if o.Number <= c.fails {
						return o.Error(c.kind)
					}
					return nil
				})
				err := do(bounded.New(faulty, bounded.Options{}))
				if begun != c.begun || (err == nil) != c.passes || err != nil && !storage.Is(err, c.kind) {
					t.Errorf("%s, %s: %d were begun, %v", name, op, begun, err)
				}
			}
		})
	}
}
