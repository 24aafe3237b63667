package restore

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestFullFileSystemEndsTheRun(t *testing.T) {
	needRoot(t)
	dest := t.TempDir()
	if err := unix.Mount("none", dest, "tmpfs", 0, "size=6m"); err != nil {
		t.Skip("can't mount a small file system:", err)
	}
	defer unix.Unmount(dest, 0)
	b := open(t, many())
	want := expected(t, b)
	for i, w := range ways {
		at := dest + "/" + strconv.Itoa(i)
		as := &alarms{}
		_, err := restoreIn(t.Context(), w, b, at, Options{Alarms: as})
		var e *Error
		if !errors.As(err, &e) || !errors.Is(err, unix.ENOSPC) || !strings.HasPrefix(e.Path, at) {
			t.Errorf("%s: %v", w, err)
		}
		as.expect(t, dest)
		found := look(t, at)
		if files := whole(t, found, want); files < 20 && i == 0 {
			t.Errorf("only %d files", files)
		}
		if err := os.RemoveAll(at); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFullTableOfInodesEndsTheRun(t *testing.T) {
	needRoot(t)
	dest := t.TempDir()
	if err := unix.Mount("none", dest, "tmpfs", 0, "nr_inodes=50"); err != nil {
		t.Skip("can't mount a small file system:", err)
	}
	defer unix.Unmount(dest, 0)
	b := open(t, many())
	_, err := Restore(t.Context(), b, dest+"/x", Options{})
	if !errors.Is(err, unix.ENOSPC) {
		t.Error(err)
	}
	whole(t, look(t, dest+"/x"), expected(t, b))
}

func TestReadOnlyFileSystemEndsTheRun(t *testing.T) {
	needRoot(t)
	dest := t.TempDir()
	if err := unix.Mount("none", dest, "tmpfs", unix.MS_RDONLY, "size=1m"); err != nil {
		t.Skip("can't mount a read-only file system:", err)
	}
	defer unix.Unmount(dest, 0)
	b := open(t, many())
	as := &alarms{}
	for _, at := range []string{dest, dest + "/new", dest + "/new/er"} {
		_, err := Restore(t.Context(), b, at, Options{Alarms: as})
		var e *Error
		if !errors.As(err, &e) || !errors.Is(err, unix.EROFS) {
			t.Errorf("%s: %v", at, err)
		}
	}
	as.expect(t, dest)
}
