package file_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"dura/archive/storage/file"

	"golang.org/x/sys/unix"
)

// disk is a file system in an image file, which writes to the image only when it is told to. A copy of the image is what a
// crash of the machine at that moment would leave.
type disk struct {
	t     *testing.T
	fs    fileSystem
	image string
	top   string
	n     int
}

type fileSystem struct{ name, size, makeOptions, mountOptions string }

// fileSystems differ in what else they write when one thing is flushed: those with a journal, much.
func fileSystems() []fileSystem {
	return []fileSystem{
		{"ext4", "32M", "-q -F -E lazy_itable_init=0,lazy_journal_init=0", "commit=300,noinit_itable"},
		{"ext2", "32M", "-q -F", "rw"},
		{"xfs", "300M", "-q -f", "nouuid"},
		{"btrfs", "128M", "-q -f", "commit=300"},
	}
}

func newDisk(t *testing.T, fs fileSystem) *disk {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can mount a file system to crash")
	}
	directory := t.TempDir()
	d := &disk{t: t, fs: fs, image: filepath.Join(directory, "image"), top: filepath.Join(directory, "top")}
	if err := exec.Command("truncate", "-s", fs.size, d.image).Run(); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("mkfs."+fs.name, append(strings.Fields(fs.makeOptions), d.image)...).CombinedOutput()
	if err != nil {
		t.Skipf("cannot make such a file system here: %v %s", err, out)
	}
	if !d.mount(d.image, d.top) {
		t.Skip("cannot mount such a file system here")
	}
	return d
}

func (d *disk) mount(image, top string) bool {
	d.t.Helper()
	if err := os.Mkdir(top, 0o700); err != nil {
		d.t.Fatal(err)
	}
	out, err := exec.Command("mount", "-t", d.fs.name, "-o", "loop,"+d.fs.mountOptions, image, top).CombinedOutput()
	if err != nil {
		d.t.Logf("mount: %v %s", err, out)
		return false
	}
	return true
}

func (d *disk) unmount(top string) {
	if err := unix.Unmount(top, 0); err != nil {
		d.t.Error(err)
	}
}

// crash mounts what a crash now would leave, and returns where. This file system goes on.
func (d *disk) crash() string {
	d.t.Helper()
	d.n++
	copied, top := fmt.Sprint(d.image, d.n), fmt.Sprint(d.top, d.n)
	if out, err := exec.Command("cp", "--sparse=always", d.image, copied).CombinedOutput(); err != nil {
		d.t.Fatalf("%v %s", err, out)
	}
	if !d.mount(copied, top) {
		d.t.Fatal("what the crash left cannot be mounted")
	}
	return top
}

// findAfter checks that a crash now leaves these objects, whole, and no others.
func (d *disk) findAfter(what, archive string, want ...string) {
	d.t.Helper()
	top := d.crash()
	defer d.unmount(top)
	s, err := file.Open(filepath.Join(top, archive), file.Options{})
	if err != nil {
		d.t.Errorf("%s: %v", what, err)
		return
	}
	defer s.Close()
	if got := listed(d.t, s); !slices.Equal(got, want) {
		d.t.Errorf("%s: found %q, want %q", what, got, want)
		return
	}
	for _, name := range want {
		got, err := s.Read(context.Background(), name, 0, 1<<20)
		if err != nil || string(got) != string(content(name)) {
			d.t.Errorf("%s: %s holds %d other bytes: %v", what, name, len(got), err)
		}
	}
}

func TestWhatIsAcknowledgedOutlastsACrashOfTheMachine(t *testing.T) {
	for _, fs := range fileSystems() {
		t.Run(fs.name, func(t *testing.T) {
			d := newDisk(t, fs)
			defer d.unmount(d.top)
			s, err := file.Create(filepath.Join(d.top, "backups/archive"), file.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			d.findAfter("the archive's directory", "backups/archive")
			crashAfterEachStep(t, d, s)
		})
	}
}

func crashAfterEachStep(t *testing.T, d *disk, s *file.Storage) {
	var want []string
	find := func(what string, names ...string) {
		t.Helper()
		want = append(want, names...)
		d.findAfter(what, "backups/archive", want...)
	}
	store := func(name string) {
		if err := s.Create(context.Background(), name, content(name)); err != nil {
			t.Error(err)
		}
	}
	store("DURA-ARCHIVE")
	find("an object at the top", "DURA-ARCHIVE")
	store("a/b/c/d")
	find("an object in new folders", "a/b/c/d")
	store("a/b/c/e")
	find("an object in a folder that is known", "a/b/c/e")

	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() { store(fmt.Sprintf("a/b/f%d/g", i)) })
	}
	wg.Wait()
	find("objects in new folders, at once", "a/b/f0/g", "a/b/f1/g", "a/b/f2/g", "a/b/f3/g", "a/b/f4/g", "a/b/f5/g")

	for _, name := range want[1:] {
		if err := s.Delete(context.Background(), name); err != nil {
			t.Fatal(err)
		}
	}
	want = want[:1]
	find("a delete")
	store("a/b/c/d")
	find("an object in folders that were removed", "a/b/c/d")
}

func TestAnotherProcessesFolderIsMadeDurableToo(t *testing.T) {
	for _, fs := range fileSystems() {
		t.Run(fs.name, func(t *testing.T) {
			d := newDisk(t, fs)
			defer d.unmount(d.top)
			s, err := file.Open(d.top, file.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if err := os.MkdirAll(filepath.Join(d.top, "a/b"), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := s.Create(context.Background(), "a/b/c", content("a/b/c")); err != nil {
				t.Fatal(err)
			}
			d.findAfter("an object in a folder just made by another", "", "a/b/c")
		})
	}
}

// TestWhatAKilledProcessLeftIsSettled gives files their names as a process does that is killed ahead of flushing the folders.
func TestWhatAKilledProcessLeftIsSettled(t *testing.T) {
	for _, fs := range fileSystems() {
		t.Run(fs.name, func(t *testing.T) {
			d := newDisk(t, fs)
			defer d.unmount(d.top)
			s, err := file.Open(d.top, file.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			names := []string{"a/b/000/c", "a/b/000/d", "a/b/001/e", "a/b.f"}
			for _, name := range names {
				d.leaveUnflushed(name)
			}
			if err := s.Settle(t.Context(), "a/b"); err != nil {
				t.Fatal(err)
			}
			slices.Sort(names)
			d.findAfter("what was settled", "", names...)
		})
	}
}

// leaveUnflushed writes a file, and gives it its name afterwards.
func (d *disk) leaveUnflushed(name string) {
	d.t.Helper()
	temporary, path := filepath.Join(d.top, ".temporary"), filepath.Join(d.top, name)
	f, err := os.Create(temporary)
	if err == nil {
		_, err = f.Write(content(name))
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		d.t.Fatal(err)
	}
	f.Close()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		d.t.Fatal(err)
	}
	if err := os.Rename(temporary, path); err != nil {
		d.t.Fatal(err)
	}
}

func TestSettlingWhatIsNotThere(t *testing.T) {
	s, err := file.Open(t.TempDir(), file.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Settle(t.Context(), "bands/none"); err != nil {
		t.Error(err)
	}
}
