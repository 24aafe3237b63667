package source_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"dura/archive/format"
	"dura/writer/source"
)

// mountTmpfs mounts an empty file system; root may.
func mountTmpfs(t *testing.T, dir string) {
	t.Helper()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=32m"); err != nil {
		t.Skipf("only root may mount: %v", err)
	}
	t.Cleanup(func() { must(t, unix.Unmount(dir, unix.MNT_DETACH)) })
}

func TestOneFileSystem(t *testing.T) {
	dir := makeTree(t, "a/mnt/", "a/other/", "b")
	t.Chdir(dir)
	mountTmpfs(t, dir+"/a/mnt")
	mountTmpfs(t, dir+"/a/other")
	makeFile(t, dir, "a/mnt/x/y")
	makeFile(t, dir, "a/other/z")
	var told []string
	o := source.Options{OneFileSystem: true, Skipped: func(p format.Path, why source.Why) {
		told = append(told, string(p)+": "+why.Reason.String())
	}}
	for _, c := range []struct{ roots, paths, told string }{
		{".", "/ a/ b a/mnt/ a/other/", "a/mnt: other file system;a/other: other file system"},
		{"a/mnt", "/ a/ a/mnt/ a/mnt/x/ a/mnt/x/y", ""},
		{". a/mnt", "/ a/ b a/mnt/ a/other/ a/mnt/x/ a/mnt/x/y", "a/other: other file system"},
	} {
		told = nil
		src, alarms := local(t, o, strings.Fields(c.roots)...)
		if got := strings.Join(allPaths(t, src), " "); got != c.paths {
			t.Errorf("%s: got %s\nwant %s", c.roots, got, c.paths)
		}
		if got := strings.Join(told, ";"); got != c.told || int64(len(told)) != src.Totals().OtherFileSystems {
			t.Errorf("%s: told %s, %+v", c.roots, got, src.Totals())
		}
		equal(t, alarms.take(""), nil)
		all, allLog := behind(t, o, source.Start{}, strings.Fields(c.roots)...)
		for _, e := range all {
			got, log := behind(t, o, source.Behind(e.Path), strings.Fields(c.roots)...)
			checkBehind(t, all, got, allLog, log, e.Path)
		}
	}
	src, _ := local(t, source.Options{}, ".")
	if n := len(walk(t, src)); n != 8 {
		t.Errorf("on all file systems there are %d entries", n)
	}
}

// tmpfs where trusted attributes have no bound of their own.
func attrDir(t *testing.T) {
	t.Helper()
	dir := tempDir(t)
	mountTmpfs(t, dir)
	t.Chdir(dir)
	makeFile(t, dir, "dir/file")
	makeFile(t, dir, "link -> nowhere")
	must(t, unix.Mkfifo("fifo", 0o600))
}

func TestXAttrsOfEveryKind(t *testing.T) {
	attrDir(t)
	want := map[string][]format.XAttr{}
	for _, name := range []string{"dir", "dir/file", "link", "fifo"} {
		for _, attr := range []format.XAttr{
			{Name: "trusted.empty", Value: []byte{}}, {Name: "trusted.long", Value: bytes.Repeat([]byte("v"), 60_000)},
			{Name: "trusted.name", Value: []byte(name)}, {Name: "trusted." + strings.Repeat("n", 247), Value: []byte{0, 255}},
		} {
			must(t, unix.Lsetxattr(name, attr.Name, attr.Value, 0))
			want[name] = append(want[name], attr)
		}
	}
	for i := range 100 { // more names than fit at first
		attr := format.XAttr{Name: fmt.Sprintf("trusted.z%03d", i), Value: []byte{}}
		must(t, unix.Lsetxattr("fifo", attr.Name, nil, 0))
		want["fifo"] = append(want["fifo"], attr)
	}
	src, alarms := local(t, source.Options{MaxOpenDirs: 1}, ".")
	for n, err := range src.Walk(t.Context(), source.Start{}) {
		must(t, err)
		path := string(n.Entry.Path)
		attrs, err := n.Handle.XAttrs()
		must(t, err)
		attrs = without(attrs, "security.")
		expected := sortedAttrs(want[path])
		if !reflect.DeepEqual(attrs, expected) {
			t.Errorf("%q has %d xattrs, want %d", path, len(attrs), len(expected))
		}
		if n.Entry.Kind == format.File {
			c, err := n.Handle.Open()
			must(t, err)
			open, err := c.XAttrs()
			must(t, err)
			if !reflect.DeepEqual(without(open, "security."), attrs) {
				t.Errorf("%q has others when it is open", path)
			}
			must(t, c.Close())
		}
		must(t, n.Handle.Close())
	}
	equal(t, alarms.take(""), nil)
}

func without(attrs []format.XAttr, prefix string) (rest []format.XAttr) {
	for _, a := range attrs {
		if !strings.HasPrefix(a.Name, prefix) {
			rest = append(rest, a)
		}
	}
	return rest
}

func TestXAttrsAreBounded(t *testing.T) {
	attrDir(t)
	value := bytes.Repeat([]byte("v"), 64<<10)
	for i := range 140 {
		must(t, unix.Setxattr("fifo", fmt.Sprintf("trusted.%03d", i), value, 0))
	}
	must(t, unix.Setxattr("fifo", "trusted.small", nil, 0))
	src, alarms := local(t, source.Options{}, ".")
	attrs, err := find(t, src, "fifo").Handle.XAttrs()
	must(t, err)
	attrs = without(attrs, "security.")
	const fit = 127 // of 64 KiB and a name, in 8 MiB
	if len(attrs) != fit+1 || attrs[fit-1].Name != fmt.Sprintf("trusted.%03d", fit-1) || attrs[fit].Name != "trusted.small" {
		t.Errorf("%d xattrs", len(attrs))
	}
	equal(t, alarms.take(""), []string{"source/unsupported fifo"})
}

func TestXAttrsOfWhatIsGone(t *testing.T) {
	t.Chdir(makeTree(t, "a"))
	src, alarms := local(t, source.Options{}, ".")
	n := find(t, src, "a")
	must(t, os.Remove("a"))
	if attrs, err := n.Handle.XAttrs(); attrs != nil || err != nil {
		t.Errorf("%v, %v", attrs, err)
	}
	equal(t, alarms.take(""), []string{"source/missing a"})
}

func TestXAttrsThatMayNotBeReadAreRaised(t *testing.T) {
	var dir string
	if !child() {
		dir = makeTree(t, "a")
		must(t, os.Chmod(dir+"/a", 0o600))
		if err := unix.Setxattr(dir+"/a", "user.secret", []byte("x"), 0); err != nil {
			t.Skipf("no xattrs here: %v", err)
		}
		if os.Geteuid() != 0 {
			must(t, os.Chmod(dir+"/a", 0))
		}
	}
	if !inChild(t, dir, nobody) {
		return
	}
	src, alarms := local(t, source.Options{}, ".")
	attrs, err := find(t, src, "a").Handle.XAttrs()
	if len(attrs) != 0 || err != nil {
		t.Errorf("%v, %v", attrs, err)
	}
	equal(t, alarms.take(""), []string{"source/denied a"})
}

func TestHolesAreFound(t *testing.T) {
	dir := tempDir(t)
	t.Chdir(dir)
	const page = 64 << 10 // on every file system that knows holes
	f, err := os.Create("sparse")
	must(t, err)
	for _, at := range []int64{2, 3, 8} {
		_, err := f.WriteAt(bytes.Repeat([]byte{byte(at)}, page), at*page)
		must(t, err)
	}
	must(t, f.Truncate(11*page))
	must(t, f.Close())
	src, _ := local(t, source.Options{}, ".")
	c, err := find(t, src, "sparse").Handle.Open()
	must(t, err)
	defer c.Close()
	var runs []int64
	for at := int64(0); at < 11*page; {
		start, end, err := c.NextData(at)
		must(t, err)
		runs = append(runs, start/page, end/page)
		var first [1]byte
		if start < end {
			if _, err := io.ReadFull(c, first[:]); err != nil || int64(first[0]) != start/page {
				t.Errorf("at %d: read %d, %v", start, first[0], err)
			}
		}
		at = end
	}
	if len(runs) == 2 {
		t.Skip("this file system doesn't tell holes")
	}
	equal(t, runs, []int64{2, 4, 8, 9, 11, 11})
}

// A lease is what Samba takes on the files that its clients have open.
func TestFilesUnderALeaseAreRead(t *testing.T) {
	t.Chdir(makeTree(t, "a"))
	src, _ := local(t, source.Options{}, ".")
	n := find(t, src, "a")
	leased, err := os.OpenFile("a", os.O_RDWR, 0)
	must(t, err)
	defer leased.Close()
	if _, err := unix.FcntlInt(leased.Fd(), unix.F_SETLEASE, unix.F_WRLCK); err != nil {
		t.Skipf("no leases here: %v", err)
	}
	flags := unix.O_RDONLY | unix.O_NONBLOCK | unix.O_CLOEXEC
	if fd, err := unix.Open("a", flags, 0); err != unix.EWOULDBLOCK {
		t.Fatalf("the lease has no effect: %d, %v", fd, err)
	}
	given := make(chan error)
	go func() { // as its holder does once it is asked
		_, err := unix.FcntlInt(leased.Fd(), unix.F_SETLEASE, unix.F_UNLCK)
		given <- err
	}()
	c, err := n.Handle.Open()
	must(t, err)
	must(t, <-given)
	data, err := io.ReadAll(c)
	if string(data) != "content of a" || err != nil {
		t.Errorf("read %q, %v", data, err)
	}
	must(t, c.Close())
}

func TestAccessTimesStay(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Log("as the owner of the files")
	}
	t.Chdir(makeTree(t, "dir/a"))
	old := unix.Timespec{Sec: 1}
	now := unix.Timespec{Nsec: unix.UTIME_NOW}
	for _, name := range []string{"dir/a", "dir"} {
		must(t, unix.UtimesNanoAt(unix.AT_FDCWD, name, []unix.Timespec{old, now}, 0))
	}
	src, _ := local(t, source.Options{}, ".")
	c, err := find(t, src, "dir/a").Handle.Open()
	must(t, err)
	_, err = io.ReadAll(c)
	must(t, errors.Join(err, c.Close()))
	for _, name := range []string{"dir/a", "dir"} {
		var st unix.Stat_t
		must(t, unix.Stat(name, &st))
		if st.Atim.Sec != 1 {
			t.Errorf("%s was read at %d", name, st.Atim.Sec)
		}
	}
}

func sortedAttrs(attrs []format.XAttr) []format.XAttr {
	attrs = slices.Clone(attrs)
	slices.SortFunc(attrs, func(a, b format.XAttr) int { return strings.Compare(a.Name, b.Name) })
	return attrs
}

// Files of proc and sysfs have content, whatever their size says, and know nothing of holes.
func TestFilesWithoutHolesAreAllData(t *testing.T) {
	for _, name := range []string{"/proc/version", "/sys/kernel/mm/transparent_hugepage/enabled"} {
		if _, err := os.Stat(name); err != nil {
			t.Logf("not here: %v", err)
			continue
		}
		src, _ := local(t, source.Options{}, name)
		n := find(t, src, name)
		c, err := n.Handle.Open()
		must(t, err)
		if start, end, err := c.NextData(0); start != 0 || end != n.Entry.Size || err != nil {
			t.Errorf("%s: data from %d to %d, %v", name, start, end, err)
		}
		if data, err := io.ReadAll(c); len(data) == 0 || err != nil {
			t.Errorf("%s: read %d bytes, %v", name, len(data), err)
		}
		must(t, c.Close())
	}
}
