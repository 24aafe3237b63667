package awkward_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// counts is what a walk by paths finds in a tree.
type counts struct {
	entries, xattrs            int
	types, linked              map[uint32]int
	fileModes, dirModes        map[uint32]bool
	before1970                 map[uint32]bool
	late                       int // times past 2262
	uids, gids                 map[uint32]bool
	nameBytes                  int // different ones
	longestName, longestTarget int
	deepest                    int
}

func census(t *testing.T, root string) counts {
	t.Helper()
	c := counts{
		types: map[uint32]int{}, linked: map[uint32]int{}, fileModes: map[uint32]bool{}, dirModes: map[uint32]bool{},
		before1970: map[uint32]bool{}, uids: map[uint32]bool{}, gids: map[uint32]bool{},
	}
	seen := map[byte]bool{}
	err := filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		c.add(t, path, strings.Count(path, "/")-strings.Count(root, "/"))
		for _, b := range []byte(filepath.Base(path)) {
			seen[b] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	c.nameBytes = len(seen)
	return c
}

func (c *counts) add(t *testing.T, path string, depth int) {
	t.Helper()
	var s unix.Stat_t
	if err := unix.Lstat(path, &s); err != nil {
		t.Fatal(err)
	}
	bits, mode := s.Mode&unix.S_IFMT, s.Mode&0o7777
	c.entries++
	c.types[bits]++
	if s.Nlink > 1 && bits != unix.S_IFDIR {
		c.linked[bits]++
	}
	switch bits {
	case unix.S_IFREG:
		c.fileModes[mode] = true
	case unix.S_IFDIR:
		c.dirModes[mode] = true
	}
	if s.Mtim.Sec < 0 {
		c.before1970[bits] = true
	}
	if int64(s.Mtim.Sec) > 9_223_372_036 {
		c.late++
	}
	c.uids[s.Uid], c.gids[s.Gid] = true, true
	c.longestName = max(c.longestName, len(filepath.Base(path)))
	if bits == unix.S_IFLNK {
		c.longestTarget = max(c.longestTarget, int(s.Size))
	}
	c.deepest = max(c.deepest, depth)
	if n, err := unix.Llistxattr(path, nil); err == nil && n > 0 {
		c.xattrs++
	}
}

// climb goes down where there is a directory and returns it with the names on the way.
func climb(t *testing.T, dir string) (*os.Root, []string) {
	t.Helper()
	at, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	var way []string
	for {
		next := ""
		for _, name := range listRoot(t, at) {
			if info, err := at.Lstat(name); err != nil {
				t.Fatal(err)
			} else if info.IsDir() {
				next = name
			}
		}
		if next == "" {
			return at, way
		}
		below, err := at.OpenRoot(next)
		if err != nil {
			t.Fatal(err)
		}
		at.Close()
		at, way = below, append(way, next)
	}
}

func listRoot(t *testing.T, at *os.Root) []string {
	t.Helper()
	f, err := at.Open(".")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if err != nil {
		t.Fatal(err)
	}
	return names
}
