package source_test

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"dura/archive/format"
	"dura/writer/source"
)

func TestMetadata(t *testing.T) {
	t.Chdir(makeTree(t, "dir/", "file", "link -> to\nany \xff where", "old", "far"))
	must(t, unix.Mkfifo("fifo", 0o600))
	must(t, makeSocket("socket"))
	must(t, os.Link("file", "hard"))
	must(t, os.Link("link", "hardlink"))
	must(t, unix.Chmod("file", 0o6754))
	must(t, unix.Chmod("dir", 0o1777))
	must(t, os.Chtimes("old", time.Time{}, time.Unix(-100_000, 123_456_789)))
	far := unix.Timespec{Sec: 11_000_000_000, Nsec: 5}
	must(t, unix.UtimesNanoAt(unix.AT_FDCWD, "far", []unix.Timespec{far, far}, 0))
	names := func(uid, gid uint32) (string, string) { return fmt.Sprint("u", uid), fmt.Sprint("g", gid) }
	src, alarms := local(t, source.Options{Names: names}, ".")
	got := map[string]format.Entry{}
	for _, e := range walk(t, src) {
		got[string(e.Path)] = e
	}
	equal(t, alarms.take(""), nil)
	for path, want := range map[string]format.Entry{
		"":         {Kind: format.Directory, Mode: 0o755},
		"dir":      {Kind: format.Directory, Mode: 0o1777},
		"file":     {Kind: format.File, Mode: 0o6754, Size: int64(len("content of file")), Links: 2},
		"hard":     {Kind: format.File, Mode: 0o6754, Size: int64(len("content of file")), Links: 2},
		"link":     {Kind: format.Symlink, Mode: got["link"].Mode, Target: "to\nany \xff where", Links: got["hardlink"].Links},
		"fifo":     {Kind: format.FIFO, Mode: 0o600},
		"socket":   {Kind: format.Socket, Mode: got["socket"].Mode},
		"old":      {Kind: format.File, Mode: 0o644, Size: int64(len("content of old"))},
		"far":      {Kind: format.File, Mode: 0o644, Size: int64(len("content of far"))},
		"hardlink": {Kind: format.Symlink, Mode: got["link"].Mode, Target: "to\nany \xff where", Links: got["link"].Links},
	} {
		e := got[path]
		var st unix.Stat_t
		must(t, unix.Lstat("./"+path, &st))
		want.Path = format.Path(path)
		want.Owner = format.Owner{UID: st.Uid, GID: st.Gid, User: fmt.Sprint("u", st.Uid), Group: fmt.Sprint("g", st.Gid)}
		want.Device, want.Inode = uint64(st.Dev), uint64(st.Ino)
		want.MTime = format.Time{Seconds: int64(st.Mtim.Sec), Nanos: uint32(st.Mtim.Nsec)}
		want.CTime = format.Time{Seconds: int64(st.Ctim.Sec), Nanos: uint32(st.Ctim.Nsec)}
		if !reflect.DeepEqual(e, want) {
			t.Errorf("%q:\ngot  %+v\nwant %+v", path, e, want)
		}
	}
	if got["old"].MTime != (format.Time{Seconds: -100_000, Nanos: 123_456_789}) {
		t.Errorf("before 1970: %+v", got["old"].MTime)
	}
	if got["far"].MTime.Seconds != 11_000_000_000 {
		t.Logf("the file system doesn't hold times after 2262: %+v", got["far"].MTime)
	}
	if got["hard"].Inode != got["file"].Inode {
		t.Error("hard links differ in their inode")
	}
}

func TestDevices(t *testing.T) {
	src, _ := local(t, source.Options{}, "/dev/null", "/dev/zero")
	var st unix.Stat_t
	must(t, unix.Lstat("/dev/zero", &st))
	n := find(t, src, "dev/zero")
	want := format.DeviceNumber{Major: unix.Major(uint64(st.Rdev)), Minor: unix.Minor(uint64(st.Rdev))}
	if n.Entry.Kind != format.CharDevice || n.Entry.Rdev != want || n.Entry.Size != 0 {
		t.Errorf("%+v", n.Entry)
	}
}

func TestOwnersOfTheSystemHaveNames(t *testing.T) {
	dir := makeTree(t, "a")
	src, _ := local(t, source.Options{}, dir)
	got := find(t, src, dir+"/a").Entry.Owner
	if got.UID != uint32(os.Geteuid()) || got.User == "" && got.UID == 0 {
		t.Errorf("%+v", got)
	}
}

func TestLinkTargetsOfAnyLength(t *testing.T) {
	t.Chdir(makeTree(t))
	for _, bytes := range []int{1, 1023, 1024, 1025, 4000} {
		target := strings.Repeat("t", bytes)
		if err := os.Symlink(target, "link"); err != nil {
			t.Logf("%d bytes: %v", bytes, err)
			continue
		}
		src, _ := local(t, source.Options{}, "link")
		if got := find(t, src, "link").Entry.Target; got != target {
			t.Errorf("%d bytes became %d", bytes, len(got))
		}
		must(t, os.Remove("link"))
	}
}

func TestFilenamesAreLocal(t *testing.T) {
	dir := makeTree(t, "w/a/b")
	t.Chdir(dir + "/w")
	for root, want := range map[string]string{
		".": "a/b", "a": "a/b", "./a": "./a/b", "a/": "a/b", "a/b": "a/b", "../w": "../w/a/b", dir + "/w": dir + "/w/a/b",
	} {
		src, _ := local(t, source.Options{}, root)
		var last string
		for n, err := range src.Walk(t.Context(), source.Start{}) {
			must(t, err)
			last = n.Handle.Filename()
			must(t, n.Handle.Close())
		}
		if last != want {
			t.Errorf("%s: %q, want %q", root, last, want)
		}
	}
}

func TestBlocksHintAtHoles(t *testing.T) {
	t.Chdir(makeTree(t, "a"))
	must(t, os.Truncate("a", 10<<20))
	src, _ := local(t, source.Options{}, ".")
	if n := find(t, src, "a"); n.Entry.Size != 10<<20 || n.Blocks*512 >= n.Entry.Size {
		t.Errorf("%d bytes in %d blocks", n.Entry.Size, n.Blocks)
	}
}
