package file_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"dura/archive/storage"
	"dura/archive/storage/file"

	"golang.org/x/sys/unix"
)

// mountTmpfs mounts a file system of its own on a new directory, for the rest of the test.
func mountTmpfs(t *testing.T, options string) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can mount a file system to fill")
	}
	directory := t.TempDir()
	if err := unix.Mount("tmpfs", directory, "tmpfs", 0, options); err != nil {
		t.Skipf("cannot mount a tmpfs here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(directory, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return directory
}

func TestAFullDiskTakesNoHalfObjects(t *testing.T) {
	for name, options := range map[string]string{"no bytes left": "size=1m", "no inodes left": "nr_inodes=24"} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			directory := mountTmpfs(t, options)
			s := open(t, directory)
			stored := 0
			object := func(i int) string { return fmt.Sprintf("bands/%d/%d", i/4, i) }
			var err error
			for err == nil && stored < 100 {
				name := object(stored)
				if err = s.Create(ctx, name, content(name)[:100_000]); err == nil {
					stored++
				}
			}
			wantKind(t, "create", err, storage.KindFull)
			if stored == 0 {
				t.Fatal("nothing was stored")
			}
			wantKind(t, "create of a name that is taken", s.Create(ctx, object(0), content("")), storage.KindExists)
			checkWhole(t, s, object, stored)
			if n := temporaries(t, directory); n != 0 {
				t.Errorf("%d temporary files are left", n)
			}

			if err := s.Delete(ctx, object(stored-1)); err != nil {
				t.Fatal(err)
			}
			if err := s.Create(ctx, object(stored-1), content(object(stored - 1))[:100_000]); err != nil {
				t.Errorf("after a delete: %v", err)
			}
			checkWhole(t, s, object, stored)
		})
	}
}

// checkWhole checks that the first n objects are there, and no others.
func checkWhole(t *testing.T, s storage.Storage, object func(int) string, n int) {
	t.Helper()
	if got := listed(t, s); len(got) != n {
		t.Errorf("listed %q, want %d objects", got, n)
	}
	for i := range n {
		got, err := s.Read(context.Background(), object(i), 0, 1<<20)
		if err != nil || string(got) != string(content(object(i))[:100_000]) {
			t.Errorf("%s holds %d other bytes: %v", object(i), len(got), err)
		}
	}
}

func TestAReadOnlyMountIsReadOnly(t *testing.T) {
	ctx := context.Background()
	directory := mountTmpfs(t, "")
	create(t, open(t, directory), "folder/object", "x")
	if err := unix.Mount("", directory, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	s := open(t, directory)
	wantKind(t, "create", s.Create(ctx, "new", []byte("x")), storage.KindReadOnly)
	wantKind(t, "create of a name that is taken", s.Create(ctx, "folder/object"), storage.KindExists)
	wantKind(t, "delete", s.Delete(ctx, "folder/object"), storage.KindReadOnly)
	wantKind(t, "delete of what is missing", s.Delete(ctx, "folder/new"), storage.KindNotFound)
	if got, err := s.Read(ctx, "folder/object", 0, 10); err != nil || string(got) != "x" {
		t.Errorf("read %q, %v", got, err)
	}
	_, err := file.Create(filepath.Join(directory, "archive"), file.Options{})
	wantKind(t, "make a directory", err, storage.KindReadOnly)
}

func TestFoldersOnOtherFileSystemsAreToldOf(t *testing.T) {
	outer, inner := mountTmpfs(t, ""), mountTmpfs(t, "")
	if err := os.Mkdir(filepath.Join(outer, "bands"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount(inner, filepath.Join(outer, "bands"), "", unix.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	defer unix.Unmount(filepath.Join(outer, "bands"), unix.MNT_DETACH)
	s := open(t, outer)
	wantKind(t, "create", s.Create(context.Background(), "bands/object", []byte("x")), storage.KindIO)
	if n := temporaries(t, outer); n != 0 || len(listed(t, s)) != 0 {
		t.Errorf("%d temporary files are left", n)
	}
}
