package storagetest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"dura/archive/storage"
	"dura/archive/storage/memory"
	"dura/archive/storage/storagetest"
)

func TestCrashingKeepsWhatWasAcknowledged(t *testing.T) {
	for _, fate := range []storagetest.Fate{storagetest.Undone, storagetest.Done} {
		for after := range 5 {
			inner := memory.New()
			s := storagetest.NewCrashing(inner, after, fate)
			var want []string
			for i := range 5 {
				name := fmt.Sprint("object-", i)
				err := s.Create(context.Background(), name, []byte(name))
				if (err == nil) != (i < after) || err != nil && !errors.Is(err, storagetest.ErrCrashed) {
					t.Fatalf("crash after %d: create %d returns %v", after, i, err)
				}
				if i < after || i == after && fate == storagetest.Done {
					want = append(want, name)
				}
			}
			if got := names(t, inner); !slices.Equal(got, want) {
				t.Errorf("crash after %d: found %q, want %q", after, got, want)
			}
			if !s.Crashed() || s.Operations() != 5 {
				t.Errorf("crash after %d: crashed %v, %d operations", after, s.Crashed(), s.Operations())
			}
		}
	}
}

func TestCrashingEndsReadsToo(t *testing.T) {
	ctx := context.Background()
	inner := memory.New()
	create(t, inner, "a", "x")
	create(t, inner, "b", "y")
	s := storagetest.NewCrashing(inner, 1, storagetest.Undone)
	listed := 0
	for _, err := range s.List(ctx, "", storage.Deep) {
		if err != nil {
			t.Fatalf("after %d: %v", listed, err)
		}
		listed++
	}
	if s.Crashed() || listed != 2 {
		t.Errorf("crashed %v, listed %d", s.Crashed(), listed)
	}
	_, err := s.Stat(ctx, "a")
	if !errors.Is(err, storagetest.ErrCrashed) || !s.Crashed() {
		t.Errorf("stat: %v", err)
	}
	_, err = s.Read(ctx, "a", 0, 1)
	if !errors.Is(err, storagetest.ErrCrashed) {
		t.Errorf("read: %v", err)
	}
}

// slow lets a create go on for as long as during runs.
type slow struct {
	storage.Storage
	during func()
}

func (s *slow) Create(ctx context.Context, name string, parts ...[]byte) error {
	err := s.Storage.Create(ctx, name, parts...)
	if during := s.during; during != nil {
		s.during = nil
		during()
	}
	return err
}

func TestCrashingInterruptsCreatesThatAreUnderWay(t *testing.T) {
	ctx := context.Background()
	for fate, want := range map[storagetest.Fate][]string{storagetest.Undone: nil, storagetest.Done: {"slow"}} {
		inner := &slow{Storage: memory.New()}
		s := storagetest.NewCrashing(inner, 1, fate)
		inner.during = func() {
			if _, err := s.Stat(ctx, "slow"); !errors.Is(err, storagetest.ErrCrashed) {
				t.Errorf("stat: %v", err)
			}
		}
		if err := s.Create(ctx, "slow"); !errors.Is(err, storagetest.ErrCrashed) {
			t.Errorf("create: %v", err)
		}
		if got := names(t, inner); !slices.Equal(got, want) {
			t.Errorf("found %q, want %q", got, want)
		}
	}
}
