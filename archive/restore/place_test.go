package restore

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// tempDir is a directory for restored trees, which may have directories that their owner can't remove anything from.
func tempDir(t testing.TB) string {
	t.Helper()
	top, err := os.MkdirTemp(quickPlace(), "dura-test-")
	if err == nil {
		err = os.Chmod(top, 0o755) // as t.TempDir does it
	}
	if err != nil {
		top = t.TempDir()
	}
	t.Cleanup(func() {
		_ = filepath.WalkDir(top, func(path string, e fs.DirEntry, err error) error {
			if err == nil && e.IsDir() {
				_ = os.Chmod(path, 0o700)
			}
			return nil
		})
		_ = os.RemoveAll(top)
	})
	return top
}

// quickPlace is where file systems are quick, whatever was made and removed before; empty, for the usual place, if that was chosen.
func quickPlace() string {
	if os.Getenv("TMPDIR") != "" {
		return ""
	}
	return "/dev/shm"
}
