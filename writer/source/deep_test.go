package source_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"dura/archive/format"
	"dura/writer/source"
)

const (
	deepLevels = 3000
	sideEvery  = 3
)

// makeDeep makes directories inside one another, a file at the bottom, and on every sideEvery-th level another
// subdirectory, which is visited on the way up.
func makeDeep(t *testing.T, dir string, levels int) {
	t.Helper()
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	must(t, err)
	t.Cleanup(func() { must(t, exec.Command("rm", "-rf", dir+"/down", dir+"/x").Run()) })
	for i := range levels {
		must(t, unix.Mkdirat(fd, "down", 0o755))
		if i%sideEvery == 0 {
			must(t, unix.Mkdirat(fd, "x", 0o755))
			must(t, unix.Mkdirat(fd, "x/y", 0o755))
		}
		next, err := unix.Openat(fd, "down", unix.O_RDONLY|unix.O_DIRECTORY, 0)
		must(t, err)
		must(t, unix.Close(fd))
		fd = next
	}
	bottom, err := unix.Openat(fd, "bottom", unix.O_CREAT|unix.O_WRONLY, 0o644)
	must(t, err)
	must(t, unix.Close(bottom))
	must(t, unix.Close(fd))
}

func TestDeepTreesNeedFewOpenFiles(t *testing.T) {
	var dir string
	if !child() {
		dir = makeTree(t)
		makeDeep(t, dir, deepLevels)
	}
	if !inChild(t, dir, 0) {
		return
	}
	const files = 40
	must(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: files, Max: files}))
	options := maps.Clone(walkOptions)
	options["more than may be open"] = source.Options{MaxOpenDirs: 1000}
	for name, o := range options {
		if o.MaxOpenDirs == 1 {
			o.MaxOpenDirs = 3
		}
		src, alarms := local(t, o, ".")
		var handles []source.Handle
		last, entries := format.Root, 0
		for n, err := range src.Walk(t.Context(), source.Start{}) {
			must(t, err)
			if entries > 0 && format.Compare(last, n.Entry.Path) >= 0 {
				t.Fatalf("%s: %q comes behind %q", name, n.Entry.Path, last)
			}
			last = n.Entry.Path
			if entries%100 == 0 || strings.HasSuffix(string(last), "bottom") {
				handles = append(handles, n.Handle)
			} else {
				must(t, n.Handle.Close())
			}
			entries++
		}
		if want := 1 + deepLevels + 2*deepLevels/sideEvery + 1; entries != want {
			t.Errorf("%s: %d entries, want %d", name, entries, want)
		}
		equal(t, alarms.take(""), nil)
		useAll(t, handles)
		equal(t, alarms.take(""), nil)
	}
}

// useAll uses handles in order, after some from both ends by turns, and closes them.
func useAll(t *testing.T, handles []source.Handle) {
	t.Helper()
	for i := range 5 {
		for _, h := range []source.Handle{handles[i], handles[len(handles)-1-i]} {
			_, err := h.XAttrs()
			must(t, err)
		}
	}
	opened := 0
	for _, h := range handles {
		_, err := h.XAttrs()
		must(t, err)
		if strings.HasSuffix(h.Filename(), "bottom") {
			c, err := h.Open()
			must(t, err)
			must(t, c.Close())
			opened++
		}
		must(t, h.Close())
	}
	if opened != 1 {
		t.Errorf("the file at the bottom was opened %d times", opened)
	}
}

func TestPathsThatAreTooLongAreLeftOut(t *testing.T) {
	dir := makeTree(t)
	long := strings.Repeat("n", 250)
	t.Chdir(dir)
	t.Cleanup(func() { must(t, exec.Command("rm", "-rf", dir+"/"+long).Run()) })
	fd, err := unix.Open(".", unix.O_RDONLY|unix.O_DIRECTORY, 0)
	must(t, err)
	const levels = format.MaxPathBytes/251 + 3
	for range levels {
		must(t, unix.Mkdirat(fd, long, 0o755))
		next, err := unix.Openat(fd, long, unix.O_RDONLY|unix.O_DIRECTORY, 0)
		must(t, err)
		must(t, unix.Close(fd))
		fd = next
	}
	must(t, unix.Close(fd))
	src, alarms := local(t, source.Options{}, ".")
	entries := walk(t, src)
	if want := 1 + format.MaxPathBytes/251; len(entries) != want {
		t.Errorf("%d entries, want %d", len(entries), want)
	}
	if raised := alarms.take(""); len(raised) != 1 || !strings.HasPrefix(raised[0], "source/unsupported nnn") {
		t.Errorf("%d alarms: %.50q", len(raised), fmt.Sprint(raised))
	}
}

func TestManyNamesInOneDirectory(t *testing.T) {
	if testing.Short() {
		t.Skip("it makes many files")
	}
	dir := makeTree(t)
	const files = 20_000
	for i := range files {
		// In no order.
		must(t, os.WriteFile(fmt.Sprintf("%s/%d", dir, (i*7919)%files), nil, 0o600))
	}
	for _, bytes := range []int64{0, 100_000} {
		src, alarms := local(t, source.Options{MaxNameBytes: bytes}, dir)
		entries := int64(len(walk(t, src)))
		if totals := src.Totals(); entries != totals.Entries || entries < files || (totals.Spills > 0) != (bytes > 0) {
			t.Errorf("%d entries, %+v", entries, totals)
		}
		equal(t, alarms.take(dir), nil)
	}
}
