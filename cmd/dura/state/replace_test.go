package state_test

import (
	"os"
	"path/filepath"
	"testing"

	"dura/cmd/dura/state"
)

func TestReplaceLeavesTheFileAlone(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "a", "b")
	name := filepath.Join(folder, "file")
	for _, content := range []string{"first, and longer", "second"} {
		if err := state.Replace(name, []byte(content)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(name)
		if err != nil || string(got) != content {
			t.Errorf("%q, %v", got, err)
		}
	}
	if info, err := os.Stat(name); err != nil || info.Mode() != 0o600 {
		t.Error(info.Mode(), err)
	}
	if err := os.Mkdir(filepath.Join(folder, "directory"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := state.Replace(filepath.Join(folder, "directory"), nil); err == nil {
		t.Error("a directory was replaced")
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 2 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
