package source_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dura/archive/alarm/alarmtest"
	"dura/archive/format"
	"dura/writer/source"
)

// alarms keeps what is raised.
type alarms struct{ alarmtest.Alarms }

// take returns what was raised since it was asked last, as condition and filename without dir.
func (a *alarms) take(dir string) []string { return alarmtest.Lines(a.Take(), dir+"/") }

// makeTree makes files; a name that ends in "/" is a directory, "a -> b" a symbolic link. It returns the directory.
func makeTree(t testing.TB, names ...string) string {
	t.Helper()
	dir := tempDir(t)
	for _, name := range names {
		makeFile(t, dir, name)
	}
	return dir
}

func makeFile(t testing.TB, dir, name string) {
	t.Helper()
	link, target, isLink := strings.Cut(name, " -> ")
	local := dir + "/" + link
	must(t, os.MkdirAll(filepath.Dir(local), 0o755))
	switch {
	case isLink:
		must(t, os.Symlink(target, local))
	case strings.HasSuffix(name, "/"):
		must(t, os.MkdirAll(local, 0o755))
	default:
		must(t, os.WriteFile(local, []byte("content of "+name), 0o644))
	}
}

// tempDir is a directory that other users may enter, too, without symbolic links in its name.
func tempDir(t testing.TB) string {
	t.Helper()
	base, err := filepath.EvalSymlinks(os.TempDir())
	must(t, err)
	dir, err := os.MkdirTemp(base, "source-test-")
	must(t, err)
	must(t, os.Chmod(dir, 0o755))
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	return dir
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// local is a source of roots that raises its alarms in the result.
func local(t testing.TB, o source.Options, roots ...string) (*source.Trees, *alarms) {
	t.Helper()
	var a alarms
	if o.Alarms == nil {
		o.Alarms = &a
	}
	src, err := source.Local(roots, o)
	must(t, err)
	return src, &a
}

// walk returns the entries, and closes the handles.
func walk(t testing.TB, src source.Source) (entries []format.Entry) {
	t.Helper()
	for n, err := range src.Walk(context.Background(), source.Start{}) {
		must(t, err)
		entries = append(entries, n.Entry)
		must(t, n.Handle.Close())
	}
	return entries
}

// pathsBelow is a walk's paths below top, with "/" behind directories.
func pathsBelow(t testing.TB, src source.Source, top string) (paths []string) {
	t.Helper()
	prefix := strings.TrimPrefix(top, "/") + "/"
	for _, e := range walk(t, src) {
		p := string(e.Path)
		if below, ok := strings.CutPrefix(p, prefix); ok {
			if e.Kind == format.Directory {
				below += "/"
			}
			paths = append(paths, below)
		}
	}
	return paths
}

// find opens a walk's node of that path; the handle is closed at the end of the test.
func find(t testing.TB, src source.Source, path string) source.Node {
	t.Helper()
	var found source.Node
	for n, err := range src.Walk(context.Background(), source.Start{}) {
		must(t, err)
		if string(n.Entry.Path) == strings.TrimPrefix(path, "/") {
			found = n
			t.Cleanup(func() { n.Handle.Close() })
			break
		}
		n.Handle.Close()
	}
	if found.Handle == nil {
		t.Fatalf("there is no %q", path)
	}
	return found
}

func equal[T comparable](t testing.TB, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got  %#v\nwant %#v", got, want)
	}
}

// openFiles counts what this process has open.
func openFiles(t testing.TB) int {
	t.Helper()
	list, err := os.ReadDir("/dev/fd")
	must(t, err)
	return len(list)
}
