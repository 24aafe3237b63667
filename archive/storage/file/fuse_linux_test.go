package file_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"dura/archive/storage"
	"dura/archive/storage/storagetest"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// plainDisk is a directory seen through a file system that knows no rename but the one that overwrites, as NFS and others
// do, and that counts what is flushed.
type plainDisk struct {
	fuse.RawFileSystem
	mu      sync.Mutex
	folders map[uint64]int // node -> flushes
	files   int
}

func (d *plainDisk) Rename(cancel <-chan struct{}, in *fuse.RenameIn, from, to string) fuse.Status {
	if in.Flags != 0 {
		return fuse.EINVAL
	}
	return d.RawFileSystem.Rename(cancel, in, from, to)
}

func (d *plainDisk) FsyncDir(cancel <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	d.mu.Lock()
	d.folders[in.NodeId]++
	d.mu.Unlock()
	return d.RawFileSystem.FsyncDir(cancel, in)
}

func (d *plainDisk) Fsync(cancel <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	d.mu.Lock()
	d.files++
	d.mu.Unlock()
	return d.RawFileSystem.Fsync(cancel, in)
}

// flushed returns what was flushed since the last call: how many folders, how often in all, and how many files.
func (d *plainDisk) flushed() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	times := 0
	for _, n := range d.folders {
		times += n
	}
	s := fmt.Sprintf("%d folders, %d times, and %d files", len(d.folders), times, d.files)
	clear(d.folders)
	d.files = 0
	return s
}

func mountPlainDisk(t *testing.T) (*plainDisk, string) {
	t.Helper()
	below, err := os.MkdirTemp("/dev/shm", "dura-test-") // how quick a disk is doesn't matter here
	if err != nil {
		below = t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(below) })
	root, err := fs.NewLoopbackRoot(below)
	if err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	second := time.Second
	options := &fs.Options{EntryTimeout: &second, AttrTimeout: &second}
	d := &plainDisk{RawFileSystem: fs.NewNodeFS(root, options), folders: make(map[uint64]int)}
	server, err := fuse.NewServer(d, directory, new(fuse.MountOptions))
	if err != nil {
		t.Skipf("cannot mount a FUSE file system here: %v", err)
	}
	go server.Serve()
	if err := server.WaitMount(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Unmount(); err != nil {
			t.Error(err)
		}
	})
	return d, directory
}

func TestAFileSystemWithoutExclusiveRenameKeepsThePromisesToo(t *testing.T) {
	if testing.Short() {
		t.Skip("with the race detector the file system of the test takes half a minute")
	}
	storagetest.Run(t, func(t *testing.T) storage.Storage {
		_, directory := mountPlainDisk(t)
		t.Cleanup(func() {
			if n := temporaries(t, directory); n != 0 {
				t.Errorf("%d temporary files are left", n)
			}
		})
		return open(t, directory)
	})
}

func TestEachFolderIsFlushedWhenItMustBeAndNotMore(t *testing.T) {
	ctx := context.Background()
	d, directory := mountPlainDisk(t)
	s := open(t, directory)
	for _, step := range []struct {
		name string
		do   func(ctx context.Context, name string) error
		want string
	}{
		{"a/b/c/d", stored(s), "4 folders, 4 times, and 1 files"},
		{"a/b/c/e", stored(s), "1 folders, 1 times, and 1 files"},
		{"a/b/f/g", stored(s), "2 folders, 2 times, and 1 files"},
		{"a/h", stored(s), "1 folders, 1 times, and 1 files"},
		{"i", stored(s), "1 folders, 1 times, and 1 files"},
		{"i", s.Delete, "1 folders, 1 times, and 0 files"},
		{"a/b/f/g", s.Delete, "2 folders, 2 times, and 0 files"},
		{"a/b/f/g", stored(s), "3 folders, 3 times, and 1 files"},
	} {
		if err := step.do(ctx, step.name); err != nil {
			t.Fatal(err)
		}
		if got := d.flushed(); got != step.want {
			t.Errorf("%s: flushed %s, want %s", step.name, got, step.want)
		}
	}
	again := open(t, directory)
	wantKind(t, "create", stored(again)(ctx, "a/h"), storage.KindExists)
	if got, want := d.flushed(), "2 folders, 2 times, and 0 files"; got != want {
		t.Errorf("where another has been, a name that is taken flushed %s, want %s", got, want)
	}
	create(t, again, "a/b/c/x", "x")
	if got, want := d.flushed(), "3 folders, 3 times, and 1 files"; got != want {
		t.Errorf("another process flushed %s, want %s", got, want)
	}
}

func stored(s storage.Storage) func(context.Context, string) error {
	return func(ctx context.Context, name string) error { return s.Create(ctx, name, []byte(name)) }
}
