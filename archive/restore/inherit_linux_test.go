package restore

import (
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"dura/archive/archivetest"
	"dura/archive/format"
)

// inheritedACL lets everybody do everything with what is made in a directory.
const inheritedACL = "\x02\x00\x00\x00\x01\x00\x07\x00\xff\xff\xff\xff\x02\x00\x07\x00\xe8\x03\x00\x00\x04\x00\x07\x00\xff\xff\xff\xff\x10\x00\x07\x00\xff\xff\xff\xff\x20\x00\x07\x00\xff\xff\xff\xff"

func TestNothingIsInheritedFromTheDirectoriesThatWereThere(t *testing.T) {
	needRoot(t)
	items := tree(file("file", "x"), file("big", strings.Repeat("x", 3<<20)), directory("dir"), file("dir/file", "x"), directory("dir/empty"), directory("empty"),
		symlink("link", "x"), node("fifo", format.FIFO, mode(0o600)), node("device", format.CharDevice, device(1, 3)), file("linked", "x", links(2)),
		file("second", "x", linkTo("linked")), file("others", "x", owner(3, 4)))
	for _, w := range ways {
		for _, occupiedBy := range []string{"", "other"} {
			dest := tempDir(t)
			for _, err := range []error{
				os.Chown(dest, 0, 77), os.Chmod(dest, 0o777|os.ModeSetgid), unix.Setxattr(dest, defaultACL, []byte(inheritedACL), 0),
			} {
				if err != nil {
					t.Skip("this file system has no ACLs:", err)
				}
			}
			if occupiedBy != "" {
				write(t, dest+"/"+occupiedBy, "x")
			}
			b := open(t, items)
			at := dest
			if occupiedBy == "" {
				at += "/new"
			}
			if r, err := restoreIn(t.Context(), w, b, at, Options{Overwrite: true}); err != nil || r.Totals.Alarms > 0 {
				t.Error(r, err)
			}
			found := look(t, at)
			if occupiedBy != "" {
				delete(found, format.Path(occupiedBy))
			}
			compare(t, found, expected(t, b))
		}
	}
}

func TestUmaskDoesNotMatter(t *testing.T) {
	b := open(t, tree(file("a", "x", mode(0o777)), directory("d", mode(0o1777)), node("f", format.FIFO, mode(0o666))))
	dest := tempDir(t) + "/dest"
	before := unix.Umask(0o077)
	defer unix.Umask(before)
	restoreAll(t, b, dest, Options{})
	unix.Umask(before)
	compare(t, look(t, dest), expected(t, b))
}

func TestDirectoriesThatAreReplacedLoseTheirOtherAttributes(t *testing.T) {
	dest := tempDir(t)
	b := open(t, tree(directory("d", xattr("user.kept", "new")), directory("d/empty"), file("d/x", "x")))
	if err := os.MkdirAll(dest+"/d/empty", 0o700); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"/d", "/d/empty"} {
		for _, attr := range []string{"user.kept", "user.other"} {
			if err := unix.Setxattr(dest+dir, attr, []byte("old"), 0); err != nil && os.Geteuid() == 0 {
				t.Skip("no extended attributes:", err)
			}
		}
	}
	if err := errors.Join(os.Chmod(dest+"/d/empty", 0o500), os.Chmod(dest+"/d", 0o500)); err != nil {
		t.Fatal(err)
	}
	restoreAll(t, b, dest, Options{Overwrite: true})
	compare(t, look(t, dest), expected(t, b))
}

func TestDeleteDoesNotGoIntoOtherFileSystems(t *testing.T) {
	needRoot(t)
	dest := t.TempDir()
	for _, dir := range []string{"/mounted", "/dir/mounted"} {
		if err := os.MkdirAll(dest+dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := unix.Mount("none", dest+dir, "tmpfs", 0, "size=1m"); err != nil {
			t.Skip("can't mount:", err)
		}
		defer unix.Unmount(dest+dir, 0)
		write(t, dest+dir+"/precious", "x")
	}
	as := &alarms{}
	r, err := Restore(t.Context(), open(t, tree(file("a", "x"))), dest, Options{Delete: true, Overwrite: true, Alarms: as})
	if err != nil || r.Removed != 0 {
		t.Error(r, err)
	}
	as.expect(t, dest, "restore/unsupported /dir", "restore/unsupported /mounted")
	for _, dir := range []string{"/mounted", "/dir/mounted"} {
		if _, err := os.Lstat(dest + dir + "/precious"); err != nil {
			t.Error(err)
		}
	}
}

func TestDeleteGoesThroughLargeAndDeepDirectories(t *testing.T) {
	dest := tempDir(t)
	var items []archivetest.Item
	for i := range 300 {
		items = append(items, file(format.Path("kept"+strconv.Itoa(i)), ""))
	}
	b := open(t, tree(items...))
	restoreAll(t, b, dest+"/x", Options{})
	dest += "/x"
	for i := range 500 {
		write(t, dest+"/extra"+strconv.Itoa(i), "x")
	}
	fd, err := unix.Open(dest, openDirFlags, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 500 {
		if i%100 == 0 {
			write(t, "/proc/self/fd/"+strconv.Itoa(fd)+"/more", "x")
		}
		if err := unix.Mkdirat(fd, "deep", 0o700); err != nil {
			t.Fatal(err)
		}
		below, err := unix.Openat(fd, "deep", openDirFlags, 0)
		if err != nil {
			t.Fatal(err)
		}
		unix.Close(fd)
		fd = below
	}
	unix.Close(fd)
	var removed []string
	r := restoreAll(t, b, dest, Options{Delete: true, Overwrite: true, Removed: func(p format.Path) { removed = append(removed, string(p)) }})
	compare(t, look(t, dest), expected(t, b))
	slices.Sort(removed)
	if r.Removed != 502 || len(slices.Compact(removed)) != 502 {
		t.Errorf("%+v, %d told", r, len(removed))
	}
}
