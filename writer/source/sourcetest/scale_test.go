package sourcetest_test

import (
	"io"
	"reflect"
	"runtime"
	"testing"

	"dura/archive/format"
	"dura/writer/source"
	"dura/writer/source/sourcetest"
)

func TestTreesOfAnySizeDoWhatASourcePromises(t *testing.T) {
	for _, s := range []sourcetest.Scale{
		{Entries: 1}, {Entries: 2}, {Entries: 3, FilesPer: 1}, {Entries: 1000}, {Entries: 1000, FanOut: 1, FilesPer: 50},
		{Entries: 3000, FanOut: 2, FilesPer: 1, ContentEvery: 10, ContentBytes: 5000, Changed: 7}, {Entries: 2000, FilesPer: 5000},
		{Entries: 777, Changed: 700, Change: 3},
	} {
		sourcetest.Check(t, s.Source())
		if n := len(walkAll(t, s.Source(), source.Start{})); n != s.Entries {
			t.Errorf("%+v: %d entries", s, n)
		}
	}
}

func walkAll(t testing.TB, src source.Source, start source.Start) (entries []format.Entry) {
	t.Helper()
	for n, err := range src.Walk(t.Context(), start) {
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, n.Entry)
		n.Handle.Close()
	}
	return entries
}

func TestSoManyFilesChange(t *testing.T) {
	before := sourcetest.Scale{Entries: 5000, ContentEvery: 3, ContentBytes: 100}
	plain := walkAll(t, before.Source(), source.Start{})
	sets := map[format.Path]int{}
	for change := range 3 {
		for _, k := range []int{0, 1, 50, 4000} {
			after := before
			after.Changed, after.Change = k, change
			changed := 0
			for i, e := range walkAll(t, after.Source(), source.Start{}) {
				if e.Path != plain[i].Path || e.Inode != plain[i].Inode {
					t.Fatalf("%q became %q", plain[i].Path, e.Path)
				}
				if reflect.DeepEqual(e, plain[i]) {
					continue
				}
				changed++
				if k == 50 {
					sets[e.Path]++
				}
				if e.Kind != format.File || e.MTime == plain[i].MTime || e.CTime == plain[i].CTime {
					t.Errorf("%+v became %+v", plain[i], e)
				}
			}
			if changed != k {
				t.Errorf("change %d: %d files are other ones, want %d", change, changed, k)
			}
		}
	}
	if len(sets) < 100 {
		t.Errorf("3 sets of 50 changes have %d files in all", len(sets))
	}
}

func TestChangedFilesHaveOtherContent(t *testing.T) {
	content := func(s sourcetest.Scale) (all string) {
		for n, err := range s.Source().Walk(t.Context(), source.Start{}) {
			if err != nil {
				t.Fatal(err)
			}
			if n.Entry.Kind == format.File {
				c, err := n.Handle.Open()
				if err != nil {
					t.Fatal(err)
				}
				data, err := io.ReadAll(c)
				if err != nil || int64(len(data)) != n.Entry.Size {
					t.Errorf("%q: %d bytes of %d, %v", n.Entry.Path, len(data), n.Entry.Size, err)
				}
				all += string(data)
				c.Close()
			}
			n.Handle.Close()
		}
		return all
	}
	seen := map[string]bool{}
	for _, s := range []sourcetest.Scale{{}, {Changed: 1}, {Changed: 1, Change: 1}, {Changed: 2}} {
		s.Entries, s.ContentEvery, s.ContentBytes = 100, 20, 10
		seen[content(s)] = true
	}
	if len(seen) != 4 {
		t.Errorf("4 trees have %d contents", len(seen))
	}
}

func TestALargeTreeTakesNoMemoryAndStartsAnywhere(t *testing.T) {
	s := sourcetest.Scale{Entries: 5_000_000}
	if testing.Short() {
		s.Entries = 100_000
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	entries, last := 0, format.Root
	for n, err := range s.Source().Walk(t.Context(), source.Start{}) {
		if err != nil {
			t.Fatal(err)
		}
		if entries > 0 && format.Compare(last, n.Entry.Path) >= 0 {
			t.Fatalf("%q comes behind %q", n.Entry.Path, last)
		}
		last = n.Entry.Path
		entries++
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 1<<20 || entries != s.Entries {
		t.Errorf("%d entries, and %d bytes are kept", entries, grown)
	}
	made := testing.AllocsPerRun(1, func() {
		if rest := walkAll(t, s.Source(), source.Behind(last)); rest != nil {
			t.Errorf("%d entries behind the last one", len(rest))
		}
	})
	if made > float64(s.Entries)/50 {
		t.Errorf("it takes %.0f allocations to begin behind %q", made, last)
	}
}

func BenchmarkScale(b *testing.B) {
	s := sourcetest.Scale{Entries: 100_000}
	b.ReportAllocs()
	for b.Loop() {
		for n, err := range s.Source().Walk(b.Context(), source.Start{}) {
			if err != nil {
				b.Fatal(err)
			}
			n.Handle.Close()
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(s.Entries), "ns/entry")
}
