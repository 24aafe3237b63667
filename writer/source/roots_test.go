package source_test

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"dura/archive/format"
	"dura/writer/source"
)

func removeAndWrite(name, content string) error {
	if err := os.RemoveAll(name); err != nil {
		return err
	}
	return os.WriteFile(name, []byte(content), 0o644)
}

// allPaths are a walk's paths, with "/" behind directories.
func allPaths(t *testing.T, src source.Source) (paths []string) {
	t.Helper()
	for _, e := range walk(t, src) {
		name := string(e.Path)
		if e.Kind == format.Directory {
			name += "/"
		}
		paths = append(paths, name)
	}
	return paths
}

func TestRootsAreStoredAsNamed(t *testing.T) {
	dir := makeTree(t, "w/a/b/c", "w/a-b/x", "w/d", "w/link -> a", "w/gone -> nowhere", "other")
	t.Chdir(dir + "/w")
	outer := strings.Split(dir[1:], "/")
	above := make([]string, 0, len(outer)+1) // of what leads to dir
	for i := range len(outer) + 1 {
		above = append(above, strings.Join(outer[:i], "/")+"/")
	}
	for _, c := range []struct {
		roots string
		want  string
	}{
		{".", "/ a/ a-b/ d gone link a/b/ a/b/c a-b/x"},
		{"a", "/ a/ a/b/ a/b/c"},
		{"./a/", "/ a/ a/b/ a/b/c"},
		{"a/b a-b", "/ a/ a-b/ a/b/ a/b/c a-b/x"},
		{"a-b a/b/c d", "/ a/ a-b/ d a/b/ a/b/c a-b/x"},
		{"a/b a", "/ a/ a/b/ a/b/c"},
		{"a a/b/c a ./a", "/ a/ a/b/ a/b/c"},
		{". a/b", "/ a/ a-b/ d gone link a/b/ a/b/c a-b/x"},
		{"../w/a/b", "/ w/ w/a/ w/a/b/ w/a/b/c"},
		{"../../" + outer[len(outer)-1] + "/other", "/ D/ D/other"},
		{"..", "/ other w/ w/a/ w/a-b/ w/d w/gone w/link w/a/b/ w/a/b/c w/a-b/x"},
		{"../other d", "/ d other"},
		{"link", "/ link"},
		{"gone", "/ gone"},
		{"link/", "/ link/ link/b/ link/b/c"},
		{"link/b", "/ link/ link/b/ link/b/c"},
		{dir + "/other", strings.Join(above, " ") + " " + dir[1:] + "/other"},
	} {
		src, alarms := local(t, source.Options{}, strings.Fields(c.roots)...)
		want := strings.ReplaceAll(c.want, " D/", " "+outer[len(outer)-1]+"/")
		if got := strings.Join(allPaths(t, src), " "); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.roots, got, want)
		}
		equal(t, alarms.take(""), nil)
	}
}

func TestDirectoriesThatLeadToRootsHaveTheirOwnMetadata(t *testing.T) {
	dir := makeTree(t, "real/sub/file", "link -> real")
	must(t, os.Chmod(dir, 0o751))
	must(t, os.Chmod(dir+"/real", 0o710))
	must(t, os.Chmod(dir+"/real/sub", 0o702))
	t.Chdir(dir)
	src, _ := local(t, source.Options{}, "link/sub/file")
	for i, want := range []uint32{0o751, 0o710, 0o702, 0o644} {
		e := walk(t, src)[i]
		if e.Mode != want || (i < 3) != (e.Kind == format.Directory) {
			t.Errorf("%q: mode %o, want %o, kind %d", e.Path, e.Mode, want, e.Kind)
		}
	}
}

func TestMissingRoots(t *testing.T) {
	dir := makeTree(t, "a/b", "link -> nowhere")
	for _, missing := range []string{dir + "/x", dir + "/a/x", dir + "/a/b/x", "", dir + "/link/"} {
		_, err := source.Local([]string{dir, missing}, source.Options{})
		var bad *source.RootError
		if !errors.As(err, &bad) || bad.Root != missing {
			t.Errorf("%q: %v", missing, err)
		}
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.ENOTDIR) {
			t.Errorf("%q: %v is another error", missing, err)
		}
	}
	if _, err := source.Local(nil, source.Options{}); err == nil {
		t.Error("no roots: no error")
	}
}

func TestRootsThatClash(t *testing.T) {
	dir := makeTree(t, "w/etc/x/y", "etc/x", "w/other/x", "w/link -> other", "w/same -> etc", "f/etc")
	t.Chdir(dir + "/w")
	for roots, path := range map[string]string{
		"etc ../etc":         "etc",
		". ../etc":           "etc",
		"../etc/x .":         "etc/x",
		"link link/x":        "link/x", // link is stored as a symbolic link
		". link/x":           "link/x",
		"../etc/x etc/x/y":   "etc/x/y", // ../etc/x is a file
		"../etc ../f/../etc": "",
		"other link":         "",
		". etc/x":            "",
		"same/ etc":          "",
	} {
		_, err := source.Local(strings.Fields(roots), source.Options{})
		var clash *source.ClashError
		if found := errors.As(err, &clash); found != (path != "") {
			t.Errorf("%s: %v", roots, err)
		} else if found && string(clash.Path) != path {
			t.Errorf("%s: they clash at %q, not %q", roots, clash.Path, path)
		}
	}
}

func TestRootsThatVanishLater(t *testing.T) {
	dir := makeTree(t, "a/x", "b/x", "c/y/x")
	t.Chdir(dir)
	src, alarms := local(t, source.Options{}, "a", "b", "c/y")
	must(t, os.RemoveAll("b"))
	must(t, os.RemoveAll("c"))
	equal(t, allPaths(t, src), []string{"/", "a/", "a/x"})
	equal(t, alarms.take(dir), []string{"source/missing b", "source/missing c"})
}

func TestErrorsAreSentences(t *testing.T) {
	t.Chdir(makeTree(t, "w/etc/x", "etc/y"))
	for want, f := range map[string]func() error{
		"source w/none: no such file or directory": func() error {
			_, err := source.Local([]string{"w", "w/none"}, source.Options{})
			return err
		},
		"sources ../etc and etc are different and would both be stored at /etc": func() error {
			t.Chdir("w")
			defer t.Chdir("..")
			_, err := source.Local([]string{"../etc", "etc"}, source.Options{})
			return err
		},
		`exclusion 2: "[": syntax error in pattern`: func() error {
			_, err := source.Local([]string{"w"}, source.Options{Exclude: []string{"a", "["}})
			return err
		},
	} {
		if err := f(); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}
