package file_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"dura/archive/storage"

	"golang.org/x/sys/unix"
)

func TestWhatIsNoObjectIsRefusedAndUnseen(t *testing.T) {
	ctx := context.Background()
	s, directory := openNew(t)
	create(t, s, "folder/object", "x")
	outside := t.TempDir()
	write(t, filepath.Join(outside, "secret"), "secret")

	folder := filepath.Join(directory, "folder")
	if err := unix.Mkfifo(filepath.Join(folder, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	link(t, "object", filepath.Join(folder, "link"))
	link(t, filepath.Join(outside, "secret"), filepath.Join(folder, "link-out"))
	link(t, "nowhere", filepath.Join(folder, "dangling"))
	link(t, "loop", filepath.Join(folder, "loop"))
	listenAt(t, folder, "socket")

	for _, name := range []string{"folder/fifo", "folder/link", "folder/link-out", "folder/dangling", "folder/loop", "folder/socket"} {
		_, err := s.Read(ctx, name, 0, 10)
		wantKind(t, "read "+name, err, storage.KindIO)
		_, err = s.Stat(ctx, name)
		wantKind(t, "stat "+name, err, storage.KindIO)
		wantKind(t, "delete "+name, s.Delete(ctx, name), storage.KindIO)
		wantKind(t, "create "+name, s.Create(ctx, name, []byte("y")), storage.KindExists)
	}
	if got := listed(t, s); !slices.Equal(got, []string{"folder/object"}) {
		t.Errorf("listed %q", got)
	}
	if got, err := os.ReadFile(filepath.Join(outside, "secret")); string(got) != "secret" {
		t.Errorf("outside there is %q, %v", got, err)
	}
	if n := temporaries(t, directory); n != 0 {
		t.Errorf("%d temporary files are left", n)
	}
}

// listenAt makes a socket. Its path would be too long in the temporary directories of some systems.
func listenAt(t *testing.T, folder, base string) {
	t.Helper()
	t.Chdir(folder)
	listener, err := net.Listen("unix", base)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
}

func TestALinkInThePlaceOfAFolderIsNotFollowed(t *testing.T) {
	ctx := context.Background()
	s, directory := openNew(t)
	outside := t.TempDir()
	write(t, filepath.Join(outside, "object"), "x")
	link(t, outside, filepath.Join(directory, "bands"))

	_, err := s.Read(ctx, "bands/object", 0, 1)
	wantKind(t, "read", err, storage.KindIO)
	_, err = s.Stat(ctx, "bands/object")
	wantKind(t, "stat", err, storage.KindIO)
	wantKind(t, "delete", s.Delete(ctx, "bands/object"), storage.KindIO)
	wantKind(t, "create", s.Create(ctx, "bands/new", []byte("y")), storage.KindIO)
	wantKind(t, "create deeper", s.Create(ctx, "bands/a/new", []byte("y")), storage.KindIO)
	if got := listed(t, s); len(got) != 0 {
		t.Errorf("listed %q", got)
	}
	for _, err := range s.List(ctx, "bands/", storage.Deep) {
		wantKind(t, "list", err, storage.KindIO)
	}
	entries, err := os.ReadDir(outside)
	if err != nil || len(entries) != 1 {
		t.Errorf("outside there are %v, %v", entries, err)
	}
}

func TestAFolderAndAnObjectCannotHaveOneName(t *testing.T) {
	ctx := context.Background()
	s, directory := openNew(t)
	create(t, s, "a/b", "x")
	err := s.Create(ctx, "a", []byte("y"))
	wantKind(t, "an object where a folder is", err, storage.KindExists)
	err = s.Create(ctx, "a/b/c", []byte("y"))
	wantKind(t, "an object below an object", err, storage.KindInvalid)
	if !errors.Is(err, unix.ENOTDIR) {
		t.Errorf("the cause is missing: %v", err)
	}
	if n := temporaries(t, directory); n != 0 {
		t.Errorf("%d temporary files are left", n)
	}
	if got := listed(t, s); !slices.Equal(got, []string{"a/b"}) {
		t.Errorf("listed %q", got)
	}
}

func TestFilesThatOthersLeaveInAnArchiveAreUnseen(t *testing.T) {
	s, directory := openNew(t)
	create(t, s, "bands/b.head", "x")
	for _, name := range []string{".DS_Store", "._dura.proto", "Thumbs.db", "lost+found", "copy of x", ".nfs00a1", "bands/.x", "dura-archive", "\xff"} {
		write(t, filepath.Join(directory, name), "x")
	}
	if got := listed(t, s); !slices.Equal(got, []string{"bands/b.head"}) {
		t.Errorf("listed %q", got)
	}
}
