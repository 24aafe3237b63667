package source_test

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"dura/archive/format"
	"dura/writer/source"
)

func anyPath() *rapid.Generator[format.Path] {
	name := rapid.SampledFrom(append([]string{"b", "0", "aa"}, awkwardNames...))
	return rapid.Custom(func(t *rapid.T) format.Path {
		return format.Path(strings.Join(rapid.SliceOfN(name, 0, 5).Draw(t, "components"), "/"))
	})
}

func TestAStartKnowsWhatBelongsToItsWalk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		behind := anyPath().Draw(t, "behind")
		start := source.Behind(behind)
		paths := rapid.SliceOfN(anyPath(), 1, 50).Draw(t, "paths")
		for _, p := range paths {
			belongs := format.Compare(p, behind) > 0
			if start.Yields(p) != belongs || !(source.Start{}).Yields(p) {
				t.Fatalf("%q behind %q: %v", p, behind, !belongs)
			}
			for dir := p; dir != format.Root; {
				dir, _ = dir.Split()
				if belongs && !start.Enters(dir) || !belongs && start.Wholly(dir) {
					t.Fatalf("%q behind %q: enters %q: %v, wholly: %v", p, behind, dir, start.Enters(dir), start.Wholly(dir))
				}
			}
			// As near as can be: what would be first in it, and last below it.
			first, last := p.Join("\x01"), p
			for range 6 {
				last = last.Join("\xff\xff\xff")
			}
			behindDir, _ := behind.Split()
			if start.Wholly(p) != (start.Yields(first) && p != behindDir) {
				t.Fatalf("wholly %q: %v, behind %q", p, start.Wholly(p), behind)
			}
			if start.Enters(p) != start.Yields(last) {
				t.Fatalf("enters %q: %v, behind %q", p, start.Enters(p), behind)
			}
		}
	})
}

// behind walks from start and returns the entries, and all that the walk tells in a row.
func behind(t testing.TB, o source.Options, start source.Start, roots ...string) (entries []format.Entry, log []string) {
	t.Helper()
	o.Skipped = func(p format.Path, why source.Why) { log = append(log, fmt.Sprintf("%q: %s", p, why.Reason)) }
	src, alarms := local(t, o, roots...)
	for n, err := range src.Walk(t.Context(), start) {
		must(t, err)
		entries = append(entries, n.Entry)
		if o.ReadAhead == 0 { // else it is told ahead
			log = append(log, fmt.Sprintf("%q", n.Entry.Path))
		}
		must(t, n.Handle.Close())
	}
	equal(t, alarms.take(""), nil)
	left := src.Totals()
	told := left.Excluded + left.CacheDirectories + left.OtherFileSystems + left.SkippedContents
	if left.Entries != int64(len(entries)) || o.ReadAhead == 0 && told != int64(len(log)-len(entries)) {
		t.Errorf("%d entries, log %q, but %+v", len(entries), log, left)
	}
	return entries, log
}

// checkBehind compares a walk behind p with one of everything.
func checkBehind(t rapid.TB, all, got []format.Entry, allLog, gotLog []string, p format.Path) {
	t.Helper()
	want := slices.DeleteFunc(slices.Clone(all), func(e format.Entry) bool { return format.Compare(e.Path, p) <= 0 })
	if len(got) != len(want) || len(got) > 0 && !reflect.DeepEqual(got, want) {
		t.Fatalf("behind %q:\ngot  %q\nwant %q", p, pathsOf(got), pathsOf(want))
	}
	if len(gotLog) > len(allLog) || !slices.Equal(gotLog, allLog[len(allLog)-len(gotLog):]) {
		t.Fatalf("behind %q:\ntold %q\nwhere all is %q", p, gotLog, allLog)
	}
}

func pathsOf(entries []format.Entry) (paths []format.Path) {
	for _, e := range entries {
		paths = append(paths, e.Path)
	}
	return paths
}

func TestAWalkBehindAPathIsTheRestOfOne(t *testing.T) {
	top := quickDir(t)
	rapid.Check(t, func(rt *rapid.T) {
		must(t, os.RemoveAll(top+"/d"))
		must(t, os.Mkdir(top+"/d", 0o700))
		t.Chdir(top + "/d")
		paths := randomTree(rt, ".")
		o := source.Options{
			ExcludeCaches: rapid.Bool().Draw(rt, "caches"),
			Exclude:       rapid.SliceOfN(rapid.SampledFrom([]string{"a", "a-/", "/ab/*", "!a/a", `\*`}), 0, 3).Draw(rt, "exclude"),
		}
		if skipped := rapid.SampledFrom(paths).Draw(rt, "skipped"); skipped != format.Root {
			var st unix.Stat_t
			must(t, unix.Lstat(string(skipped), &st))
			o.Skip = func(dev, ino uint64) bool { return ino == uint64(st.Ino) && dev == uint64(st.Dev) }
		}
		all, allLog := behind(t, o, source.Start{}, ".")
		for range rapid.IntRange(1, 8).Draw(rt, "starts") {
			p := rapid.OneOf(rapid.SampledFrom(paths), anyPath()).Draw(rt, "behind")
			if rapid.Bool().Draw(rt, "inside") {
				p = p.Join(string(anyPath().Filter(func(p format.Path) bool { return p != "" }).Draw(rt, "rest")))
			}
			got, log := behind(t, o, source.Behind(p), ".")
			checkBehind(rt, all, got, allLog, log, p)
			with := walkOptions[rapid.SampledFrom([]string{"spilling", "one directory", "all of it"}).Draw(rt, "options")]
			with.Exclude, with.ExcludeCaches, with.Skip = o.Exclude, o.ExcludeCaches, o.Skip
			got, _ = behind(t, with, source.Behind(p), ".")
			checkBehind(rt, all, got, allLog, nil, p)
		}
	})
}

func TestAWalkBehindAPathWithSeveralRoots(t *testing.T) {
	dir := makeTree(t, "w/a/b/c/d", "w/a/b/e", "w/a-b/x/y", "w/a-b/z", "w/d", "w/link -> a", "w/real/sub/file", "w/l -> real", "other/o/p")
	t.Chdir(dir + "/w")
	for _, roots := range []string{
		".", "a/b a-b/x d", "a-b/z a-b/x", "a/b/c/d l/sub a-b", ". a/b a-b/x", "link", "link/b d", "link/ real", "../other/o a/b/c",
	} {
		o := source.Options{Exclude: []string{"e"}}
		all, allLog := behind(t, o, source.Start{}, strings.Fields(roots)...)
		for _, e := range all {
			for _, p := range []format.Path{e.Path, e.Path.Join("b"), e.Path.Join("b/x/y"), e.Path.Join("\xff"), e.Path + "0", "0", "\xff"} {
				got, log := behind(t, o, source.Behind(p), strings.Fields(roots)...)
				checkBehind(t, all, got, allLog, log, p)
			}
		}
	}
}

// What was there when an earlier walk ended may be gone, or something else.
func TestAWalkBehindWhatHasChanged(t *testing.T) {
	for name, c := range map[string]struct{ now, want string }{
		"nothing":                     {"a b/c/d/x b/c/d/y b/c/z b/k/x c/x", "b/c/d/y b/k/x c/x"},
		"it is gone":                  {"b/c/d/y b/k/x c/x", "b/c/d/y b/k/x c/x"},
		"its directory is gone":       {"b/c/z b/k/x c/x", "b/k/x c/x"},
		"its directory is a file now": {"b/c/d b/k/x c/x", "b/k/x c/x"},
		"its directory is a link now": {"b/c/d -> ../k,b/k/x,c/x", "b/k/x c/x"},
		"its parents are gone":        {"a b/k/x c/x", "b/k/x c/x"},
		"its parents are a file now":  {"a b c/x", "c/x"},
		"all is gone":                 {"a", ""},
		"it is a directory now":       {"b/c/d/x/new b/c/d/y c/x", "b/c/d/y b/c/d/x/new c/x"},
		"directories are new":         {"a/new b/c/a/new b/c/d/a/new b/c/d/x b/c/e/new", "b/c/d/a/new b/c/e/new"},
	} {
		t.Run(name, func(t *testing.T) {
			split := func(r rune) bool { return r == ',' || r == ' ' && !strings.Contains(c.now, ",") }
			t.Chdir(makeTree(t, strings.FieldsFunc(c.now, split)...))
			entries, _ := behind(t, source.Options{}, source.Behind("b/c/d/x"), ".")
			var got []string
			for _, e := range entries {
				if e.Kind != format.Directory {
					got = append(got, string(e.Path))
				}
			}
			equal(t, got, strings.Fields(c.want))
		})
	}
}

func TestOnlyTheWayToTheStartIsListed(t *testing.T) {
	dirs, files := 300, 333
	if testing.Short() {
		files = 3
	}
	t.Chdir(quickDir(t))
	const way = 7 // directories inside one another, the working directory among them
	for i := range dirs {
		// Five to a directory, so that many lie beside the way.
		name := fmt.Sprintf("%d/%d/%d/%d/%d/%d", i/3125%5, i/625%5, i/125%5, i/25%5, i/5%5, i%5)
		must(t, os.MkdirAll(name, 0o755))
		for j := range files {
			must(t, os.WriteFile(fmt.Sprintf("%s/%d", name, j), nil, 0o600))
		}
	}
	src, alarms := local(t, source.Options{}, ".")
	all := walk(t, src)
	whole := src.Totals()
	if len(all) < dirs*files || whole.Directories < int64(dirs) {
		t.Fatalf("%d entries, %+v", len(all), whole)
	}
	for _, i := range []int{len(all) - 1, len(all) - 2, len(all) - files/2} {
		rest := 0
		for n, err := range src.Walk(t.Context(), source.Behind(all[i].Path)) {
			must(t, err)
			must(t, n.Handle.Close())
			rest++
		}
		if got := src.Totals(); rest != len(all)-1-i || got.Directories != way {
			t.Errorf("behind entry %d of %d: %d entries, %+v", i, len(all), rest, got)
		}
	}
	equal(t, alarms.take(""), nil)
	t.Logf("%d entries in %d directories, %d of them listed", len(all), whole.Directories, way)
}

// quickDir is a directory in memory where the system has a place for that.
func quickDir(t *testing.T) string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		t.Setenv("TMPDIR", "/dev/shm")
	}
	return tempDir(t)
}
