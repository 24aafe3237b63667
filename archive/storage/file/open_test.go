package file_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"dura/archive/storage"
	"dura/archive/storage/file"
)

func TestOpenSaysWhyADirectoryIsNoArchive(t *testing.T) {
	top := t.TempDir()
	write(t, filepath.Join(top, "file"), "x")
	link(t, "nowhere", filepath.Join(top, "dangling"))
	link(t, "loop", filepath.Join(top, "loop"))
	for path, want := range map[string]storage.Kind{
		"missing":     storage.KindNotFound,
		"missing/sub": storage.KindNotFound,
		"file":        storage.KindInvalid,
		"file/sub":    storage.KindInvalid,
		"dangling":    storage.KindNotFound,
		"loop":        storage.KindIO,
	} {
		_, err := file.Open(filepath.Join(top, path), file.Options{})
		wantKind(t, path, err, want)
		var e *storage.Error
		if !errors.As(err, &e) || e.Op != storage.OpOpen || e.Object != filepath.Join(top, path) {
			t.Errorf("%s: the error is %#v", path, err)
		}
	}
}

func TestCreateMakesTheDirectoryAndItsParents(t *testing.T) {
	top := t.TempDir()
	for _, path := range []string{".", "new", "new/a/b/c", "new/a", "other/"} {
		s, err := file.Create(filepath.Join(top, path), file.Options{})
		if err != nil {
			t.Fatal(err)
		}
		name := "object-" + string('a'+rune(len(path)))
		if err := s.Create(context.Background(), name); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	info, err := os.Stat(filepath.Join(top, "new/a/b"))
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("a directory was made with %v, %v", info.Mode(), err)
	}

	write(t, filepath.Join(top, "file"), "x")
	link(t, "nowhere", filepath.Join(top, "dangling"))
	for path, want := range map[string]storage.Kind{
		"file":         storage.KindInvalid,
		"file/sub":     storage.KindInvalid,
		"dangling":     storage.KindNotFound,
		"dangling/sub": storage.KindNotFound,
	} {
		_, err := file.Create(filepath.Join(top, path), file.Options{})
		wantKind(t, path, err, want)
	}
}

func TestTheArchiveItselfMayBeASymbolicLink(t *testing.T) {
	top := t.TempDir()
	link(t, t.TempDir(), filepath.Join(top, "archive"))
	s := open(t, filepath.Join(top, "archive"))
	create(t, s, "bands/b.head", "x")
	if got := listed(t, s); len(got) != 1 {
		t.Errorf("listed %q", got)
	}
}

func TestARelativePathIsTheSameDirectoryAfterChdir(t *testing.T) {
	top := t.TempDir()
	t.Chdir(top)
	s, err := file.Create("archive", file.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	t.Chdir(t.TempDir())
	create(t, s, "a", "x")
	if _, err := os.Stat(filepath.Join(top, "archive", "a")); err != nil {
		t.Error(err)
	}
	_, err = s.Read(context.Background(), "b", 0, 1)
	var pathError *os.PathError
	if !errors.As(err, &pathError) || pathError.Path != filepath.Join(top, "archive", "b") {
		t.Errorf("the error does not say where: %v", err)
	}
}

func TestFilesAndFoldersAreForTheirOwnerAlone(t *testing.T) {
	s, directory := openNew(t)
	create(t, s, "bands/b.head", "x")
	for path, want := range map[string]os.FileMode{"bands": 0o700 | os.ModeDir, "bands/b.head": 0o600} {
		info, err := os.Stat(filepath.Join(directory, path))
		if err != nil || info.Mode() != want {
			t.Errorf("%s has mode %v (%v), want %v", path, info.Mode(), err, want)
		}
	}
}

func TestTwoWhoOpenOneDirectorySeeOneArchive(t *testing.T) {
	a, directory := openNew(t)
	b := open(t, directory)
	create(t, a, "x/1", "a")
	wantKind(t, "a second create", b.Create(context.Background(), "x/1", []byte("b")), storage.KindExists)
	for range 20 { // each finds the folder that it knows of removed by the other
		create(t, b, "x/2", "b")
		if err := a.Delete(context.Background(), "x/1"); err != nil {
			t.Fatal(err)
		}
		if err := a.Delete(context.Background(), "x/2"); err != nil {
			t.Fatal(err)
		}
		create(t, b, "x/1", "b")
	}
	if got := listed(t, a); len(got) != 1 || got[0] != "x/1" {
		t.Errorf("listed %q", got)
	}
}
