package storagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"dura/archive/storage"
)

// awkwardNames are names whose byte order is not that of a walk which visits files and folders by their bare names.
func awkwardNames() []string {
	return []string{
		"DURA-ARCHIVE", "README.txt", "_",
		"a-/x", "a-b", "a.b", "a.d/x/y", "a.d/z", "a/-", "a/0/1/2/3/4/5/6/7/8/9", "a/b", "a/b-c/d", "a/b.c", "a0", "a_", "aa/x",
		"bands/2026-01.head", "bands/2026-01.tail", "bands/2026-01/data/000/000000", "bands/2026-01/data/000/000001",
		"bands/2026-01/index/000000", "bands/2026-02.head", "bands/2026-02/data/000/000000", "bands0", "b.", "dura.proto",
	}
}

func createAwkward(t testing.TB, s storage.Storage) []string {
	t.Helper()
	names := awkwardNames()
	slices.Sort(names)
	shuffled := slices.Clone(names)
	for i := range shuffled {
		j := (i*7 + 3) % len(shuffled)
		shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
	}
	for _, name := range shuffled {
		mustCreate(t, s, name, []byte(name))
	}
	return names
}

// selected is what a listing ought to yield, in the words of storage.Storage.
func selected(names []string, prefix string, depth storage.Depth) []string {
	var selected []string
	for _, name := range names {
		rest, ok := strings.CutPrefix(name, prefix)
		if ok && (depth == storage.Deep || !strings.Contains(rest, "/")) {
			selected = append(selected, name)
		}
	}
	return selected
}

func listByPrefix(t testing.TB, s storage.Storage) {
	if got := list(t, s, "", storage.Deep); len(got) != 0 {
		t.Fatalf("the storage isn't empty: it holds %q", got)
	}
	names := createAwkward(t, s)
	prefixes := []string{"", "zz", "/", "//", "a//", "../", "./", ".", "/a", "A", "bands/x/", "a/b/", "\x00", "DURA-ARCHIVE/", strings.Repeat("a/", 600)}
	for _, name := range names {
		for i := range len(name) {
			prefixes = append(prefixes, name[:i+1])
		}
	}
	for _, prefix := range prefixes {
		for _, depth := range []storage.Depth{storage.Deep, storage.Shallow} {
			if got, want := list(t, s, prefix, depth), selected(names, prefix, depth); !slices.Equal(got, want) {
				t.Errorf("list %q at depth %d: got %q, want %q", prefix, depth, got, want)
			}
		}
	}
}

func listSizes(t testing.TB, s storage.Storage) {
	for _, sizeBytes := range []int{0, 1, 1000, 70000} {
		mustCreate(t, s, fmt.Sprintf("folder/%05d", sizeBytes), pattern(sizeBytes, 3))
	}
	for info, err := range s.List(context.Background(), "folder/", storage.Shallow) {
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("folder/%05d", info.SizeBytes); info.Name != want {
			t.Errorf("%s has %d bytes", info.Name, info.SizeBytes)
		}
	}
}

func listInOrder(t testing.TB, s storage.Storage) {
	names := createAwkward(t, s)
	if got := list(t, s, "", storage.Deep); !slices.Equal(got, names) {
		t.Errorf("got %q, want %q", got, names)
	}
}

func listMany(t testing.TB, s storage.Storage) {
	objects := 3_000 // more than two pages of any store
	if testing.Short() {
		objects = 1_000
	}
	name := func(i int) string { return fmt.Sprintf("bands/b/data/%03d/%06d", i%3, i) }
	err := inParallel(32, objects, func(i int) error {
		return s.Create(context.Background(), name(i), []byte(name(i)))
	})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for i := range objects {
		names = append(names, name(i))
	}
	slices.Sort(names)
	for _, prefix := range []string{"", "bands/b/data/001/", "bands/b/data/002/0000"} {
		for _, depth := range []storage.Depth{storage.Deep, storage.Shallow} {
			got, want := list(t, s, prefix, depth), selected(names, prefix, depth)
			if !slices.Equal(got, want) {
				t.Errorf("list %q at depth %d: got %d objects, want %d", prefix, depth, len(got), len(want))
			}
		}
	}
}

func listStops(t testing.TB, s storage.Storage) {
	names := createAwkward(t, s)
	for stop := 1; stop <= len(names); stop++ {
		var got []string
		for info, err := range s.List(context.Background(), "", storage.Deep) {
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, info.Name); len(got) == stop {
				break
			}
		}
		if !slices.Equal(got, names[:stop]) {
			t.Errorf("stopped after %d: got %q", stop, got)
		}
	}
}

// listDuringChanges lists while other objects are created and deleted, and by the hand that lists, too.
func listDuringChanges(t testing.TB, s storage.Storage) {
	names := createAwkward(t, s)
	n := 0
	for i := range 3 {
		var lasting []string
		for info, err := range s.List(context.Background(), "", storage.Deep) {
			if err != nil {
				t.Fatal(err)
			}
			passing := fmt.Sprintf("%s.passing-%d", strings.ToLower(info.Name), n)
			n++
			if !strings.Contains(info.Name, ".passing") {
				lasting = append(lasting, info.Name)
			}
			if n < 100 && strings.HasPrefix(info.Name, "a") {
				mustCreate(t, s, passing, nil)
				if n%2 == 0 {
					mustDelete(t, s, passing)
				}
			}
		}
		if !slices.Equal(lasting, names) {
			t.Errorf("listing %d showed %q of what was there all the time, want %q", i, lasting, names)
		}
	}
}

// listNames holds the optional way to list to what List yields.
func listNames(t testing.TB, s storage.Storage) {
	createAwkward(t, s)
	for _, prefix := range []string{"", "a", "a/", "a/b", "bands/", "bands/2026-01", "zz", "/", "../", "a/b/"} {
		for _, depth := range []storage.Depth{storage.Deep, storage.Shallow} {
			var got []string
			for name, err := range storage.Names(context.Background(), s, prefix, depth) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, name)
			}
			if want := list(t, s, prefix, depth); !slices.Equal(got, want) {
				t.Errorf("names from %q at depth %d: got %q, want %q", prefix, depth, got, want)
			}
		}
	}
	for name, err := range storage.Names(context.Background(), s, "", storage.Deep) {
		if err != nil || name == "" {
			t.Error(name, err)
		}
		break // and it stops
	}
	done, cancel := context.WithCancel(context.Background())
	cancel()
	for name, err := range storage.Names(done, s, "", storage.Deep) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("once the context is done: %q, %v", name, err)
		}
	}
}
