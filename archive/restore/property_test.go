package restore

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dura/archive/archivetest"
	"dura/archive/format"
)

// drawTree draws a tree of few names, with directories that are empty, deep, and side by side under names that sort oddly.
func drawTree(t *rapid.T) []archivetest.Item {
	names := rapid.SampledFrom([]string{"a", "a.b", "a b", "b", "\xff", "\x01"})
	kinds := rapid.SampledFrom([]format.Kind{format.Directory, format.Directory, format.Directory, format.File, format.File, format.Symlink, format.FIFO})
	all := map[format.Path]archivetest.Item{format.Root: directory("")}
	dirs := []format.Path{format.Root}
	for i := range rapid.IntRange(0, 60).Draw(t, "entries") {
		p := rapid.SampledFrom(dirs).Draw(t, "parent").Join(names.Draw(t, "name"))
		if _, taken := all[p]; taken {
			continue
		}
		when := mtime(int64(i), uint32(i))
		switch kind := kinds.Draw(t, "kind"); kind {
		case format.Directory:
			all[p] = directory(p, mode(rapid.SampledFrom([]uint32{0o755, 0o500, 0o700, 0o1777}).Draw(t, "mode")), when)
			dirs = append(dirs, p)
		case format.File:
			all[p] = file(p, strings.Repeat("content", rapid.IntRange(0, 300).Draw(t, "size")), when)
		case format.Symlink:
			all[p] = symlink(p, "target", when)
		default:
			all[p] = node(p, kind, when)
		}
	}
	var items []archivetest.Item
	for _, it := range all {
		items = append(items, it)
	}
	return tree(items...)
}

// isNamed reports whether p is in one of paths; if there are none, everything is.
func isNamed(p format.Path, paths []format.Path) bool {
	return len(paths) == 0 || slices.ContainsFunc(paths, p.Within)
}

func TestAnyTreeAndAnyPartOfItComesBack(t *testing.T) {
	top := tempDir(t)
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		items := drawTree(rt)
		b := testBand{Band: archivetest.Band{
			HunkEntries: rapid.IntRange(1, 20).Draw(rt, "hunk"), FrameBytes: rapid.IntRange(100, 5000).Draw(rt, "frame"), SpanBytes: 1000,
		}}.open(t, items)
		var paths []format.Path
		for range rapid.IntRange(0, 3).Draw(rt, "paths") {
			paths = append(paths, rapid.SampledFrom(items).Draw(rt, "path").Path)
		}
		want := map[format.Path]string{}
		for p, d := range expected(t, b) {
			if isNamed(p, paths) || slices.ContainsFunc(paths, func(asked format.Path) bool { return asked.Within(p) }) {
				want[p] = d
			}
		}
		runs++
		dest := fmt.Sprintf("%s/%d", top, runs)
		o := Options{
			Paths: paths, Workers: rapid.IntRange(1, 3).Draw(rt, "workers"), MaxOpenDirs: rapid.IntRange(1, 4).Draw(rt, "open"),
		}
		restoreAll(t, b, dest, o)
		compare(t, look(t, dest), want)
		// Once more over the result, and over what somebody has put there meanwhile. Directories that only lead to what was
		// asked for stay as they are: a user may not be able to put anything there.
		if os.Geteuid() != 0 && len(paths) > 0 {
			return
		}
		changed := rapid.SampledFrom(items).Draw(rt, "changed").Path
		_ = os.WriteFile(dest+"/"+string(changed)+"/extra", []byte("x"), 0o600) // where it is a directory of ours
		o.Overwrite, o.Delete = true, true
		restoreAll(t, b, dest, o)
		for p, d := range look(t, dest) {
			_, name := p.Split()
			switch named := isNamed(p, paths); {
			case name == "extra" && named:
				rt.Fatalf("%q is still there", p)
			case name == "extra":
			case want[p] != d && (named || !strings.HasPrefix(d, "kind 2")): // what only leads there keeps what it has
				rt.Fatalf("%q: %s, want %s", p, d, want[p])
			}
		}
		if t.Failed() {
			rt.Fatal("see above")
		}
	})
}

// BenchmarkSmallFiles restores 5,000 files of 8 KiB in 500 directories to the test's temporary directory: with TMPDIR on a
// tmpfs it shows what restoring costs beyond the file system.
func BenchmarkSmallFiles(b *testing.B) {
	const dirs, files, bytes = 500, 10, 8 << 10
	items := []archivetest.Item{directory("")}
	for d := range dirs {
		p := format.Path(fmt.Sprintf("dir%03d", d))
		items = append(items, directory(p))
		for f := range files {
			items = append(items, file(p.Join(fmt.Sprint("file", f)), strings.Repeat(fmt.Sprintf("%06d%02d", d, f), bytes/8)))
		}
	}
	band := open(b, tree(items...))
	top := b.TempDir()
	b.SetBytes(dirs * files * bytes)
	for i := 0; b.Loop(); i++ {
		if _, err := Restore(b.Context(), band, fmt.Sprintf("%s/%d", top, i), Options{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/(dirs*files), "µs/file")
}
