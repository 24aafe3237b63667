package dedup

import (
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// TestAFullDiskLosesNothing commits until the disk is full, and again when there is room.
func TestAFullDiskLosesNothing(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can mount a small file system")
	}
	dir := t.TempDir()
	must(t, unix.Mount("none", dir, "tmpfs", 0, "size=256k"))
	defer unix.Unmount(dir, unix.MNT_DETACH)
	x := open(t, dir, noDamage(t))
	n, err := 0, error(nil)
	for ; err == nil; n += 1000 {
		fillIndex(t, x, n, n+1000)
		err = x.Commit()
	}
	if !errors.Is(err, unix.ENOSPC) || n < 3000 {
		t.Fatalf("after %d contents: %v", n, err)
	}
	mustHave(t, x, 0, n-1000)
	if files := filesWith(t, dir, ""); len(files) != 1 {
		t.Errorf("there are %v", files)
	}
	must(t, unix.Mount("none", dir, "tmpfs", unix.MS_REMOUNT, "size=1m"))
	must(t, x.Commit())
	mustHave(t, x, 0, n)

	must(t, x.Close())
	must(t, unix.Mount("none", dir, "tmpfs", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
	if y, err := Open(dir, archiveID, Options{}); !errors.Is(err, unix.EROFS) {
		t.Errorf("where nothing can be written there is %v, %v", y, err)
	}
}
