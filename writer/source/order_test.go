package source_test

import (
	"errors"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dura/archive/format"
	"dura/writer/source"
	"dura/writer/source/sourcetest"
)

// awkward names: what sorts around "/", bytes that are no text, wildcards, long names.
var awkwardNames = []string{
	"a", "a-", "a.", "a0", "ab", "A", " ", "\n", "\x01", "\x7f", "\xff", "\xff\xfe", "é", "e\u0301", "*", "?", "[", `\`, `"`, "'",
	"-rf", "...", ".a", "~", "CACHEDIR.TAG", "12345678", "123456789", "12345678a", "1234567", strings.Repeat("n", 255),
}

// randomTree makes a tree in dir and returns its paths in the order of format.Compare.
func randomTree(t *rapid.T, dir string) []format.Path {
	name := rapid.SampledFrom(awkwardNames)
	paths := map[format.Path]bool{format.Root: true}
	for range rapid.IntRange(0, 60).Draw(t, "entries") {
		p := format.Root
		for range rapid.IntRange(1, 5).Draw(t, "depth") {
			p = p.Join(name.Draw(t, "name"))
			local := dir + "/" + string(p)
			if st, err := os.Lstat(local); err == nil {
				if !st.IsDir() {
					break
				}
				continue
			}
			var err error
			switch rapid.IntRange(0, 4).Draw(t, "kind") {
			case 0:
				err = os.WriteFile(local, []byte("x"), 0o600)
			case 1:
				err = os.Symlink("a", local)
			default:
				err = os.Mkdir(local, 0o700)
			}
			if err != nil {
				t.Fatal(err)
			}
			paths[p] = true
			if st, _ := os.Lstat(local); !st.IsDir() {
				break
			}
		}
	}
	sorted := make([]format.Path, 0, len(paths))
	for p := range paths {
		sorted = append(sorted, p)
	}
	slices.SortFunc(sorted, format.Compare)
	return sorted
}

// walkOptions are ways to walk that must not make a difference.
var walkOptions = map[string]source.Options{
	"plain":         {},
	"spilling":      {MaxNameBytes: 1},
	"some spilling": {MaxNameBytes: 300},
	"one directory": {MaxOpenDirs: 1},
	"ahead":         {ReadAhead: 10},
	"all of it":     {MaxNameBytes: 100, MaxOpenDirs: 1, ReadAhead: 1},
}

func TestWalkIsInPathOrderHoweverItIsMade(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			rt.Fatal(err)
		}
		defer os.RemoveAll(dir)
		want := randomTree(rt, dir)
		var plain []format.Entry
		for name, o := range walkOptions {
			src, alarms := local(t, o, dir)
			var entries []format.Entry
			var got []format.Path
			for _, e := range walk(t, src) {
				// The directories that lead to dir come first.
				if rest, below := strings.CutPrefix("/"+string(e.Path), dir); below {
					got = append(got, format.Path(strings.TrimPrefix(rest, "/")))
					entries = append(entries, e)
				}
			}
			if !slices.Equal(got, want) {
				rt.Fatalf("%s: got %q\nwant %q", name, got, want)
			}
			if plain == nil {
				plain = entries
			}
			if !reflect.DeepEqual(entries, plain) {
				rt.Fatalf("%s: other entries than those of another walk", name)
			}
			if raised := alarms.take(""); raised != nil {
				rt.Fatalf("%s: %q", name, raised)
			}
		}
	})
}

func TestLocalTreesDoWhatASourcePromises(t *testing.T) {
	dir := makeTree(t, "a/b/c", "a/b/d/", "a/link -> nowhere", "a/loop -> .", "b", "c/")
	for _, name := range awkwardNames {
		makeFile(t, dir, "names/"+name+"/x")
		makeFile(t, dir, "files/"+name)
	}
	must(t, os.Truncate(dir+"/b", 1<<20)) // with a hole
	for name, o := range walkOptions {
		t.Run(name, func(t *testing.T) {
			t.Chdir(dir) // what leads to dir may change meanwhile
			src, alarms := local(t, o, "a", ".")
			before := openFiles(t)
			sourcetest.Check(t, sourcetest.Watch(t, src))
			if after := openFiles(t); after != before {
				t.Errorf("%d files were open before and %d after", before, after)
			}
			if raised := alarms.take(""); raised != nil {
				t.Errorf("alarms: %q", raised)
			}
		})
	}
}

func TestSpillingGivesTheSameWalkOfManyNames(t *testing.T) {
	var names []string
	for i := range 40 {
		for j := range 60 {
			names = append(names, strings.Repeat("d", i+1)+"/"+strings.Repeat("s", j+1)+"/")
		}
	}
	t.Chdir(makeTree(t, names...))
	plain, _ := local(t, source.Options{}, ".")
	want := walk(t, plain)
	if plain.Totals().Spills != 0 {
		t.Error("few names were spilled")
	}
	for _, bytes := range []int64{1, 100, 1000, 5000, 20_000, 100_000} {
		src, _ := local(t, source.Options{MaxNameBytes: bytes, TempDir: t.TempDir()}, ".")
		if got := walk(t, src); !reflect.DeepEqual(got, want) {
			t.Errorf("%d bytes: %d entries, or others; want %d", bytes, len(got), len(want))
		}
		if spills := src.Totals().Spills; (spills > 0) != (bytes < 10_000) {
			t.Errorf("%d bytes: %d spills", bytes, spills)
		}
	}
}

func TestWithoutPlaceForNamesTheWalkFails(t *testing.T) {
	dir := makeTree(t, "a", "b", "c")
	src, _ := local(t, source.Options{MaxNameBytes: 1, TempDir: dir + "/missing"}, dir)
	var last error
	for n, err := range src.Walk(t.Context(), source.Start{}) {
		if last = err; err == nil {
			n.Handle.Close()
		}
	}
	if !errors.Is(last, fs.ErrNotExist) {
		t.Errorf("it ends with %v", last)
	}
}
