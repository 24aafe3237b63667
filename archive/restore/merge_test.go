package restore

import (
	"os"
	"slices"
	"strings"
	"testing"

	"dura/archive/archivetest"
	"dura/archive/format"
)

// occupied makes a destination in which something else has the place of much of what occupying() has.
func occupied(t *testing.T) string {
	t.Helper()
	dest := tempDir(t) + "/dest"
	for _, dir := range []string{"", "/same", "/merged", "/merged/extra dir", "/dir for file", "/dir for file/x", "/dir for link", "/extra", "/elsewhere"} {
		if err := os.Mkdir(dest+dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []string{
		"/file", "/merged/file", "/merged/extra", "/merged/extra dir/x", "/file for dir", "/dir for file/x/y", "/extra/x", "/elsewhere/precious", "/hard",
		"/file for fifo",
	} {
		write(t, dest+f, "old")
	}
	for link, target := range map[string]string{"/link": "old", "/link for dir": "elsewhere", "/link for file": "elsewhere/precious"} {
		if err := os.Symlink(target, dest+link); err != nil {
			t.Fatal(err)
		}
	}
	return dest
}

func occupying() []archivetest.Item {
	return tree(
		directory("", mode(0o700)), directory("same"), directory("merged", mode(0o700)), file("merged/file", "new"), file("merged/new", "new"),
		directory("file for dir"), file("file for dir/x", "new"), directory("file for dir/y"), file("file for dir/y/z", "new"),
		file("dir for file", "new"), symlink("dir for link", "new"), file("file", "new"), symlink("link", "new"),
		directory("link for dir"), file("link for dir/precious", "new"), file("link for file", "new"), directory("elsewhere"),
		file("first", "new", links(2)), file("hard", "new", linkTo("first")), node("file for fifo", format.FIFO), file("new", "new"),
	)
}

// inTheWay are the alarms for what can't be restored without Overwrite, and those that remain with it.
var (
	dirsInTheWay  = []string{"/dir for file", "/dir for link"}
	otherInTheWay = []string{"/file", "/merged/file", "/file for dir", "/link", "/link for dir", "/link for file", "/hard", "/file for fifo"}
)

func exists(names ...string) (kinds []string) {
	for _, name := range names {
		kinds = append(kinds, "restore/exists "+name)
	}
	return kinds
}

const dryRun way = "dry run"

func TestWhatIsThereIsKeptOrReplacedAsAsked(t *testing.T) {
	for _, c := range []struct {
		name   string
		o      Options
		alarms []string
		result Result
		isNew  []format.Path // what the band has there now
		gone   []format.Path
	}{
		{
			name: "nothing asked", alarms: exists(slices.Concat(dirsInTheWay, otherInTheWay, []string{"", "/merged"})...),
			result: Result{Left: 12, Passed: 4}, isNew: []format.Path{"new", "merged/new", "first"},
		},
		{
			name: "delete", o: Options{Delete: true}, alarms: exists(slices.Concat(dirsInTheWay, otherInTheWay, []string{"", "/merged"})...),
			result: Result{Left: 12, Passed: 4, Removed: 4}, isNew: []format.Path{"new", "merged/new", "first"},
			gone: []format.Path{"extra", "extra/x", "merged/extra", "merged/extra dir", "merged/extra dir/x", "elsewhere/precious"},
		},
		{
			name: "overwrite", o: Options{Overwrite: true}, alarms: exists(dirsInTheWay...), result: Result{Left: 2},
			isNew: []format.Path{
				"", "merged", "file", "merged/file", "merged/new", "file for dir", "file for dir/x", "file for dir/y", "file for dir/y/z", "link",
				"link for dir", "link for dir/precious", "link for file", "first", "hard", "file for fifo", "new", "same", "elsewhere",
			},
		},
		{
			name: "overwrite and delete", o: Options{Overwrite: true, Delete: true}, result: Result{Removed: 4},
			isNew: []format.Path{
				"", "merged", "file", "merged/file", "merged/new", "file for dir", "file for dir/x", "file for dir/y", "file for dir/y/z", "link",
				"link for dir", "link for dir/precious", "link for file", "first", "hard", "file for fifo", "new", "same", "elsewhere",
				"dir for file", "dir for link",
			},
			gone: []format.Path{
				"extra", "extra/x", "merged/extra", "merged/extra dir", "merged/extra dir/x", "elsewhere/precious", "dir for file/x", "dir for file/x/y",
			},
		},
	} {
		for _, how := range append(ways[:], dryRun) {
			t.Run(c.name+", "+string(how), func(t *testing.T) {
				dest := occupied(t)
				before := look(t, dest)
				b := open(t, occupying())
				want := expected(t, b)
				as := &alarms{}
				o := c.o
				o.Alarms, o.DryRun = as, how == dryRun
				var removed []string
				o.Removed = func(p format.Path) { removed = append(removed, string(p)) }
				o.Workers = 1
				r, err := restoreIn(t.Context(), how, b, dest, o)
				if err != nil {
					t.Fatal(err)
				}
				as.expect(t, dest, c.alarms...)
				if r.Left != c.result.Left || r.Passed != c.result.Passed || r.Removed != c.result.Removed || int(r.Removed) != len(removed) {
					t.Errorf("%+v, want %+v; removed %q", r, c.result, removed)
				}
				after := look(t, dest)
				if o.DryRun {
					compare(t, after, before)
					return
				}
				for p, was := range before {
					switch {
					case slices.Contains(c.isNew, p):
						if after[p] != want[p] {
							t.Errorf("%q: %s, want %s", p, after[p], want[p])
						}
					case slices.Contains(c.gone, p):
						if after[p] != "" {
							t.Errorf("%q is still there: %s", p, after[p])
						}
					case after[p] != was && !strings.HasPrefix(was, "kind 2"): // directories have other times
						t.Errorf("%q: %s, and was %s", p, after[p], was)
					}
				}
				for _, p := range c.isNew {
					if _, was := before[p]; !was && after[p] != want[p] {
						t.Errorf("%q: %s, want %s", p, after[p], want[p])
					}
				}
				if left := temporaries(after); len(left) > 0 {
					t.Errorf("left over: %q", left)
				}
			})
		}
	}
}

func TestDestinationGetsTheRootsMetadataOnlyWhereItIsTheBands(t *testing.T) {
	band := func(t *testing.T, sources ...string) (testBand, []archivetest.Item) {
		return testBand{sources: sources}, tree(directory("", mode(0o711), mtime(1, 2)), directory("usr", mode(0o750), mtime(3, 4)), file("usr/x", "x"))
	}
	for _, c := range []struct {
		name       string
		sources    []string
		there      bool
		occupied   bool
		overwrite  bool
		paths      []format.Path
		rootIsBand bool
		alarms     []string
	}{
		{name: "new", sources: []string{"/usr"}, rootIsBand: true},
		{name: "new, for part of the band", sources: []string{"."}, paths: []format.Path{"usr/x"}, rootIsBand: true},
		{name: "empty", sources: []string{"."}, there: true, rootIsBand: true},
		{name: "empty, and the source is elsewhere", sources: []string{"/usr"}, there: true},
		{name: "empty, for part of the band", sources: []string{"."}, there: true, paths: []format.Path{"usr"}},
		{name: "occupied", sources: []string{"."}, there: true, occupied: true, alarms: exists("")},
		{name: "occupied, overwriting", sources: []string{"."}, there: true, occupied: true, overwrite: true, rootIsBand: true},
		{name: "occupied, overwriting, and the source is elsewhere", sources: []string{"/usr"}, there: true, occupied: true, overwrite: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			tb, items := band(t, c.sources...)
			b := tb.open(t, items)
			dest := tempDir(t) + "/dest"
			if c.there {
				if err := os.Mkdir(dest, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if c.occupied {
				write(t, dest+"/other", "x")
			}
			as := &alarms{}
			if _, err := Restore(t.Context(), b, dest, Options{Alarms: as, Overwrite: c.overwrite, Paths: c.paths}); err != nil {
				t.Fatal(err)
			}
			as.expect(t, dest, c.alarms...)
			got, want := look(t, dest), expected(t, b)
			if (got[""] == want[""]) != c.rootIsBand {
				t.Errorf("destination: %s, band: %s", got[""], want[""])
			}
			if got["usr"] != want["usr"] || got["usr/x"] != want["usr/x"] {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func TestDeleteStaysWithinWhatWasNamed(t *testing.T) {
	items := tree(directory("home"), directory("home/me"), file("home/me/file", "x"), directory("home/me/dir"), directory("home/you"))
	for _, c := range []struct {
		name    string
		sources []string
		paths   []format.Path
		gone    []string
	}{
		{name: "a path", sources: []string{"."}, paths: []format.Path{"home/me"}, gone: []string{"/home/me/extra", "/home/me/dir/extra"}},
		{name: "a file", sources: []string{"."}, paths: []format.Path{"home/me/file"}},
		{name: "a source", sources: []string{"/home/me/"}, gone: []string{"/home/me/extra", "/home/me/dir/extra"}},
		{name: "relative sources", sources: []string{"../home/you", "home/me/dir"}, gone: []string{"/home/me/dir/extra", "/home/you/extra"}},
		{name: "everything", sources: []string{"."}, gone: []string{"/extra", "/home/extra", "/home/me/extra", "/home/me/dir/extra", "/home/you/extra"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dest := tempDir(t)
			all := []string{"/extra", "/home/extra", "/home/me/extra", "/home/me/dir/extra", "/home/you/extra"}
			for _, dir := range []string{"/home/me/dir", "/home/you"} {
				if err := os.MkdirAll(dest+dir, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			for _, name := range all {
				write(t, dest+name, "x")
			}
			b := testBand{sources: c.sources}.open(t, items)
			r, err := Restore(t.Context(), b, dest, Options{Delete: true, Overwrite: true, Paths: c.paths})
			if err != nil || int(r.Removed) != len(c.gone) {
				t.Error(r, err)
			}
			for _, name := range all {
				if _, err := os.Lstat(dest + name); os.IsNotExist(err) != slices.Contains(c.gone, name) {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
}

func TestDirectoriesThatOnlyLeadAreLeftAsTheyAre(t *testing.T) {
	b := open(t, tree(directory("home", mode(0o700), mtime(1, 1)), directory("home/me", mode(0o700), mtime(2, 2)), file("home/me/file", "x")))
	dest := tempDir(t)
	if err := os.Mkdir(dest+"/home", 0o755); err != nil {
		t.Fatal(err)
	}
	restoreAll(t, b, dest, Options{Overwrite: true, Paths: []format.Path{"home/me/file"}})
	got, want := look(t, dest), expected(t, b)
	if !strings.Contains(got["home"], "mode 0755") || got["home/me"] != want["home/me"] || got["home/me/file"] != want["home/me/file"] {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestOnlyTheSubtreesNamedAreRestored(t *testing.T) {
	items := tree(
		directory("a", mtime(1, 1)), directory("a/b", mtime(2, 2)), file("a/b/x", "x"), directory("a/b/c"), file("a/b/c/y", "y"), directory("a/d"), file("a/z", "z"),
		directory("a.b"), file("a.b/x", "x"), directory("b"), directory("b/e"), file("b/e/f", "f"), file("b/first", "1", links(3)), file("b/second", "1", linkTo("b/first"), links(3)),
		file("b/third", "1", linkTo("b/first"), links(3)),
	)
	for _, paths := range [][]format.Path{
		{"a"}, {"a/b"}, {"a/b/c", "a/b"}, {"a/b/x", "a/d"}, {"b/e/f", "a.b", "a/b/c/y"}, {"a/z", "a", "a/z"}, {""}, {"", "a"}, {"b/second", "b/third"},
		{"b/e", "b"}, {"a/b/c/y", "a/b/x", "a/z", "a/d"},
	} {
		t.Run(strings.Join(asStrings(paths), " "), func(t *testing.T) {
			b := testBand{Band: archivetest.Band{HunkEntries: 2}}.open(t, items)
			dest := tempDir(t) + "/dest"
			restoreAll(t, b, dest, Options{Paths: paths})
			want := map[format.Path]string{}
			for p, d := range expected(t, b) {
				for _, asked := range paths {
					if p.Within(asked) || asked.Within(p) && p != asked && isDirEntry(d) {
						want[p] = d
					}
				}
			}
			if paths[0] == "b/second" { // the first name is not restored
				want["b/second"] = strings.Replace(want["b/second"], ` linked to "b/first"`, "", 1)
				want["b/third"] = strings.Replace(want["b/third"], `"b/first"`, `"b/second"`, 1)
			}
			compare(t, look(t, dest), want)
		})
	}
}

func isDirEntry(description string) bool { return strings.HasPrefix(description, "kind 2 ") }

func asStrings(paths []format.Path) (s []string) {
	for _, p := range paths {
		s = append(s, string(p))
	}
	return s
}
