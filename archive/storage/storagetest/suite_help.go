package storagetest

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"

	"dura/archive/storage"
)

func mustCreate(t testing.TB, s storage.Storage, name string, parts ...[]byte) {
	t.Helper()
	if err := s.Create(context.Background(), name, parts...); err != nil {
		t.Fatal(err)
	}
}

func mustDelete(t testing.TB, s storage.Storage, name string) {
	t.Helper()
	if err := s.Delete(context.Background(), name); err != nil {
		t.Fatal(err)
	}
}

// mustHold fails unless the object is there with these bytes, read whole, and with their number for its size.
func mustHold(t testing.TB, s storage.Storage, name string, want []byte) {
	t.Helper()
	got, err := s.Read(context.Background(), name, 0, len(want)+1)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("%s holds %s, want %s", name, brief(got), brief(want))
	}
	info, err := s.Stat(context.Background(), name)
	if err != nil {
		t.Fatal(err)
	}
	if want := (storage.Info{Name: name, SizeBytes: int64(len(want))}); info != want {
		t.Fatalf("stat says %+v, want %+v", info, want)
	}
}

func wantKind(t testing.TB, what string, err error, kind storage.Kind) {
	t.Helper()
	if !storage.Is(err, kind) {
		t.Errorf("%s: got %v, want an error of kind %q", what, err, kind)
	}
}

// list returns the names that a listing yields.
func list(t testing.TB, s storage.Storage, prefix string, depth storage.Depth) []string {
	t.Helper()
	var names []string
	for info, err := range s.List(context.Background(), prefix, depth) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, info.Name)
	}
	return names
}

// inParallel calls f(0) to f(n-1) in the given number of goroutines, and returns the first error.
func inParallel(goroutines, n int, f func(i int) error) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var first error
	for g := range goroutines {
		wg.Go(func() {
			for i := g; i < n; i += goroutines {
				if err := f(i); err != nil {
					mu.Lock()
					if first == nil {
						first = err
					}
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return first
}

// pattern is n bytes that tell which they are and where.
func pattern(n int, seed byte) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i) ^ byte(i>>8)*31 ^ byte(i>>16)*17 ^ seed
	}
	return b
}

func brief(b []byte) string {
	if len(b) <= 32 {
		return fmt.Sprintf("%q", b)
	}
	return fmt.Sprintf("%d bytes from %x", len(b), b[:16])
}
