package disk_test

import (
	"errors"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"dura/cache/disk"

	"golang.org/x/sys/unix"
)

// smallDisk is a file system of a mebibyte.
func smallDisk(t *testing.T, inodes string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("none", dir, "tmpfs", 0, "size=1m,nr_inodes="+inodes); err != nil {
		if os.Getenv("CI") == "true" && os.Geteuid() == 0 {
			t.Fatal(err)
		}
		t.Skip("can't mount a small file system:", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

func TestAFullDiskIsToldOfOnce(t *testing.T) {
	dir, told := smallDisk(t, "30"), &troubles{}
	now := func() time.Time { return start }
	c := open(t, dir, disk.Options{Trouble: told.add, Now: now})
	put(c, 1, 100<<10)
	c.Close()
	var err error
	for i := 0; err == nil; i++ { // no inode is left, though there is room
		err = os.Mkdir(dir+"/other"+strconv.Itoa(i), 0o700)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	c = open(t, dir, disk.Options{Trouble: told.add, Now: now})
	for i := 2; i < 12; i++ {
		put(c, i, 10<<10)
	}
	if !has(t, c, 1, 100<<10) {
		t.Error("what was there is gone")
	}
	c.Close()
	if all := told.taken(); len(all) != 1 || !errors.Is(all[0], syscall.ENOSPC) {
		t.Error(all)
	}
	for i := 2; i < 12; i++ {
		if has(t, open(t, dir, disk.Options{}), i, 10<<10) {
			t.Error("there is", i)
		}
	}
}

// The cache gives way when others need the disk.
func TestSoMuchIsLeftFree(t *testing.T) {
	const free = 300 << 10
	dir := smallDisk(t, "1000")
	fill := func(from int) {
		c := open(t, dir, disk.Options{FreeBytes: free})
		for i := range 100 {
			put(c, from+i, 20<<10)
		}
		c.Close()
	}
	check := func() {
		t.Helper()
		var st unix.Statfs_t
		if err := unix.Statfs(dir, &st); err != nil || int64(st.Bavail)*st.Bsize < free-64<<10 { // tmpfs counts folders as well
			t.Errorf("%d bytes are free, %v", int64(st.Bavail)*st.Bsize, err)
		}
	}
	fill(0)
	check()
	if _, bytes := files(t, dir); bytes < 300<<10 {
		t.Errorf("only %d bytes are kept", bytes)
	}
	if err := os.WriteFile(dir+"/somebody", make([]byte, 250<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	fill(1000)
	check()
}
