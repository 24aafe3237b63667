package format

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestPathOrderKeepsDirectoriesTogetherAheadOfWhatIsBelow(t *testing.T) {
	want := []Path{
		"", "a", "a-b", "a.b", "b", "\xff",
		"a/a", "a/b", "a/z", "a/b/c", "a/b/d", "a/b/c/d", "a/z/a",
		"a-b/x", "a.b/x", "b/a", "\xff/a",
	}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, Compare)
	if !slices.Equal(got, want) {
		t.Fatalf("got %q\nwant %q", got, want)
	}
}

// reference compares by FORMAT.md's words: parents component by component, a prefix first, then the names.
func reference(a, b Path) int {
	if a == "" || b == "" {
		return len(a) - len(b)
	}
	as, bs := strings.Split(string(a), "/"), strings.Split(string(b), "/")
	if c := slices.Compare(as[:len(as)-1], bs[:len(bs)-1]); c != 0 {
		return c
	}
	return strings.Compare(as[len(as)-1], bs[len(bs)-1])
}

func sign(n int) int { return min(1, max(-1, n)) }

func paths() *rapid.Generator[Path] {
	name := rapid.SampledFrom([]string{"a", "b", "ab", "a-", "a.", "aa", "\x01", "\xff", "-", "0"})
	return rapid.Custom(func(t *rapid.T) Path {
		return Path(strings.Join(rapid.SliceOfN(name, 0, 5).Draw(t, "components"), "/"))
	})
}

func TestCompareIsTheReferenceOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := paths().Draw(t, "a"), paths().Draw(t, "b")
		if got, want := Compare(a, b), sign(reference(a, b)); got != want {
			t.Fatalf("Compare(%q, %q) = %d, want %d", a, b, got, want)
		}
	})
}

func TestDirectoriesCompareAsWhatIsInThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := paths().Draw(t, "a"), paths().Draw(t, "b")
		want := Compare(a.Join("x"), b.Join("x"))
		if got := CompareDirs(a, b); got != want {
			t.Fatalf("CompareDirs(%q, %q) = %d, want %d", a, b, got, want)
		}
	})
}

func TestSubtreesAreOneRun(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ps := rapid.SliceOfN(paths(), 1, 40).Draw(t, "paths")
		dir := rapid.SampledFrom(ps).Draw(t, "dir")
		slices.SortFunc(ps, Compare)
		runs, inside := 0, false
		for _, p := range ps {
			below := p != dir && p.Within(dir)
			if below && !inside {
				runs++
			}
			if p != dir || dir == Root {
				inside = below
			}
		}
		if runs > 1 {
			t.Fatalf("what is below %q is in %d runs of %q", dir, runs, ps)
		}
	})
}

func TestValidPath(t *testing.T) {
	for path, want := range map[string]bool{
		"": true, "a": true, "a/b": true, "\xff\n": true, "...": true, "a/..b": true,
		"/": false, "/a": false, "a/": false, "a//b": false, ".": false, "..": false, "a/../b": false, "a/.": false,
		"a\x00": false, strings.Repeat("a/", MaxPathBytes): false,
	} {
		if got := ValidPath(path); got != want {
			t.Errorf("ValidPath(%.20q) = %v", path, got)
		}
	}
}

func TestRelativeLeadsThere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from, to := paths().Draw(t, "from"), paths().Draw(t, "to")
		if from == Root || to == Root || to == from || from.Within(to) {
			return
		}
		dir, _ := from.Split()
		if got := filepath.Join("/", string(dir), Relative(from, to)); got != "/"+string(to) {
			t.Fatalf("from %q to %q: %q leads to %q", from, to, Relative(from, to), got)
		}
	})
}

// FuzzPaths holds any three strings that pass for paths to the order's laws.
func FuzzPaths(f *testing.F) {
	f.Add("", "a", "a/b")
	f.Add("a/b", "a-b", "a/b/c")
	f.Add("\xff/.", "a//b", "..")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		for _, s := range []string{a, b, c} {
			if !ValidPath(s) {
				return
			}
		}
		x, y, z := Path(a), Path(b), Path(c)
		if Compare(x, y) != -Compare(y, x) || Compare(x, y) != sign(reference(x, y)) || (Compare(x, y) == 0) != (x == y) {
			t.Fatalf("%q and %q: %d and %d", x, y, Compare(x, y), Compare(y, x))
		}
		if Compare(x, y) <= 0 && Compare(y, z) <= 0 && Compare(x, z) > 0 {
			t.Fatalf("%q, %q, %q are in no order", x, y, z)
		}
		if parent, name := x.Split(); x != Root && (parent.Join(name) != x || !x.Within(parent) || filepath.Clean("/"+a) != "/"+a) {
			t.Fatalf("%q is %q and %q", x, parent, name)
		}
	})
}
