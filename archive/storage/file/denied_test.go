package file_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"dura/archive/storage"
	"dura/archive/storage/file"
)

const nobody = 65534

// TestWhatIsNotAllowedIsDenied needs a user whom permissions bind. As root, another process plays it.
func TestWhatIsNotAllowedIsDenied(t *testing.T) {
	directory := t.TempDir()
	for _, sub := range []string{"closed", "archive/folder", "archive/shut"} {
		if err := os.MkdirAll(filepath.Join(directory, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(directory, "archive/folder/unreadable"), "x")
	write(t, filepath.Join(directory, "archive/folder/object"), "x")
	write(t, filepath.Join(directory, "archive/shut/object"), "x")
	for sub, mode := range map[string]os.FileMode{
		"closed": 0, "archive/shut": 0, "archive/folder": 0o555, "archive": 0o555,
		"archive/folder/unreadable": 0, "archive/folder/object": 0o444,
	} {
		path := filepath.Join(directory, sub)
		t.Cleanup(func() { os.Chmod(path, 0o755) })
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	if os.Getuid() != 0 {
		if reportDenied(directory) != 0 {
			t.Error("not all was as it should be, see above")
		}
		return
	}
	if err := os.Chmod(filepath.Dir(directory), 0o755); err != nil {
		t.Fatal(err)
	}
	child := childProcess(copyOfBinary(t, directory), "denied", directory)
	child.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	child.Dir = directory
	if err := child.Run(); err != nil {
		t.Errorf("%v: not all was as it should be, see above", err)
	}
}

// copyOfBinary puts the test binary where everyone can run it.
func copyOfBinary(t *testing.T, directory string) string {
	t.Helper()
	from, err := os.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := os.OpenFile(filepath.Join(directory, "test-binary"), os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return to.Name()
}

// reportDenied tries what is not allowed and prints what does not end in KindDenied. It returns an exit status.
func reportDenied(directory string) (status int) {
	ctx := context.Background()
	want := func(what string, err error, denied bool) {
		if storage.Is(err, storage.KindDenied) != denied || !denied && err != nil {
			fmt.Fprintf(os.Stderr, "%s: got %v, want denied: %v\n", what, err, denied)
			status = 1
		}
	}
	_, err := file.Open(filepath.Join(directory, "closed"), file.Options{})
	want("open a closed directory", err, true)
	_, err = file.Open(filepath.Join(directory, "closed/archive"), file.Options{})
	want("open in a closed directory", err, true)
	_, err = file.Create(filepath.Join(directory, "archive/new"), file.Options{})
	want("make a directory in a read-only one", err, true)

	s, err := file.Open(filepath.Join(directory, "archive"), file.Options{})
	want("open a read-only directory", err, false)
	if err != nil {
		return 1
	}
	defer s.Close()
	_, err = s.Read(ctx, "folder/object", 0, 1)
	want("read", err, false)
	_, err = s.Read(ctx, "folder/unreadable", 0, 1)
	want("read an unreadable file", err, true)
	_, err = s.Stat(ctx, "folder/unreadable")
	want("stat an unreadable file", err, false)
	_, err = s.Read(ctx, "shut/object", 0, 1)
	want("read in a closed folder", err, true)
	want("create", s.Create(ctx, "folder/new", []byte("x")), true)
	want("delete", s.Delete(ctx, "folder/object"), true)
	for _, err = range s.List(ctx, "", storage.Deep) {
	}
	want("list a closed folder", err, true)
	for _, err = range s.List(ctx, "folder/", storage.Deep) {
		want("list", err, false)
	}
	return status
}
