package file_test

import (
	"context"
	"os"
	"testing"

	"dura/archive/storage"
	"dura/archive/storage/file"
	"dura/archive/storage/storagetest"
)

func openNew(t testing.TB) (*file.Storage, string) {
	t.Helper()
	directory := t.TempDir()
	return open(t, directory), directory
}

func open(t testing.TB, directory string) *file.Storage {
	t.Helper()
	s, err := file.Open(directory, file.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestFileKeepsThePromisesOfStorage(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.Storage {
		s, _ := openNew(t)
		return s
	})
}

func create(t testing.TB, s storage.Storage, name, content string) {
	t.Helper()
	if err := s.Create(context.Background(), name, []byte(content)); err != nil {
		t.Fatal(err)
	}
}

func listed(t testing.TB, s storage.Storage) []string {
	t.Helper()
	var names []string
	for info, err := range s.List(context.Background(), "", storage.Deep) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, info.Name)
	}
	return names
}

func wantKind(t testing.TB, what string, err error, kind storage.Kind) {
	t.Helper()
	if !storage.Is(err, kind) {
		t.Errorf("%s: got %v, want an error of kind %q", what, err, kind)
	}
}

func write(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func link(t testing.TB, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}
