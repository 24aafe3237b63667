package file

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

func TestOccupantsAreWhatNoArchivePutsThere(t *testing.T) {
	for path, want := range map[string]string{
		"": "", ".hidden/file": "", "lost+found/": "", "bands/": "",
		"Photos/": "Photos", "Notes.TXT": "Notes.TXT", "photos/IMG_1.JPG": "photos", "bands/x": "bands",
	} {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(path)), 0o700); err != nil {
			t.Fatal(err)
		}
		if name := filepath.Join(dir, path); path != "" && path[len(path)-1] == '/' {
			if err := os.MkdirAll(name, 0o700); err != nil {
				t.Fatal(err)
			}
		} else if path != "" {
			if err := os.WriteFile(name, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s, err := Open(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.Occupant(context.Background()); err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", path, got, err, want)
		}
		s.Close()
	}
}
