package storagetest

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"dura/archive/storage"
)

func deleteOne(t testing.TB, s storage.Storage) {
	for _, name := range []string{"a/b", "a/bc", "a/b.c", "c"} {
		mustCreate(t, s, name, []byte(name))
	}
	mustDelete(t, s, "a/b")
	_, err := s.Stat(context.Background(), "a/b")
	wantKind(t, "stat of a deleted object", err, storage.KindNotFound)
	_, err = s.Read(context.Background(), "a/b", 0, 1)
	wantKind(t, "read of a deleted object", err, storage.KindNotFound)
	wantKind(t, "a second delete", s.Delete(context.Background(), "a/b"), storage.KindNotFound)
	for _, name := range []string{"a/bc", "a/b.c", "c"} {
		mustHold(t, s, name, []byte(name))
	}
	if got := list(t, s, "", storage.Deep); len(got) != 3 {
		t.Errorf("listed %q", got)
	}
}

func deleteThenCreate(t testing.TB, s storage.Storage) {
	for i := range 5 {
		content := pattern(10+i, byte(i))
		mustCreate(t, s, "bands/b/object", content)
		mustHold(t, s, "bands/b/object", content)
		mustDelete(t, s, "bands/b/object")
	}
}

func deleteConcurrently(t testing.TB, s storage.Storage) {
	for round, won := range concurrentDeletes(t, s) {
		if won != 1 {
			t.Fatalf("round %d: %d deletes of one object succeeded", round, won)
		}
	}
}

func deletesMayTie(t testing.TB, s storage.Storage) {
	for round, won := range concurrentDeletes(t, s) {
		if won < 1 {
			t.Fatalf("round %d: no delete succeeded", round)
		}
	}
	if got := list(t, s, "", storage.Deep); len(got) != 0 {
		t.Errorf("listed %q", got)
	}
}

// concurrentDeletes is how many of several deletes of one object succeeded, in each of some rounds.
func concurrentDeletes(t testing.TB, s storage.Storage) (succeeded []int64) {
	t.Helper()
	for round := range 10 {
		name := fmt.Sprintf("folder/%d/object", round)
		mustCreate(t, s, name, []byte("x"))
		var won atomic.Int64
		err := inParallel(8, 8, func(int) error {
			err := s.Delete(context.Background(), name)
			if err == nil {
				won.Add(1)
			} else if !storage.Is(err, storage.KindNotFound) {
				return err
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		succeeded = append(succeeded, won.Load())
	}
	return succeeded
}

// createBesideDelete empties folders while objects are created in them.
func createBesideDelete(t testing.TB, s storage.Storage) {
	const workers, rounds = 6, 40
	err := inParallel(workers, workers, func(w int) error {
		for round := range rounds {
			name := fmt.Sprintf("a/b/c/%d-%d", w, round)
			if err := s.Create(context.Background(), name, []byte(name)); err != nil {
				return err
			}
			if round == rounds-1 {
				return nil
			}
			if err := s.Delete(context.Background(), name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for w := range workers {
		name := fmt.Sprintf("a/b/c/%d-%d", w, rounds-1)
		mustHold(t, s, name, []byte(name))
	}
}

func emptyFolderUnseen(t testing.TB, s storage.Storage) {
	mustCreate(t, s, "a/b/c/d", []byte("x"))
	mustCreate(t, s, "z", []byte("z"))
	mustDelete(t, s, "a/b/c/d")
	for _, prefix := range []string{"", "a", "a/", "a/b/c/"} {
		want := 0
		if prefix == "" {
			want = 1
		}
		if got := list(t, s, prefix, storage.Deep); len(got) != want {
			t.Errorf("list %q: got %q", prefix, got)
		}
	}
	_, err := s.Stat(context.Background(), "a/b")
	wantKind(t, "stat of an empty folder", err, storage.KindNotFound)
	mustCreate(t, s, "a/b/c/e", []byte("y"))
	mustHold(t, s, "a/b/c/e", []byte("y"))
}
