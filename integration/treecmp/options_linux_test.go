package treecmp_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"dura/integration/treecmp"
)

func TestIgnoredKindsAreLeftOut(t *testing.T) {
	a, b := fixture(t), fixture(t)
	must(t, os.Chmod(filepath.Join(b, "large"), 0o644), os.Truncate(filepath.Join(b, "dir/other"), 3))
	setTimes(t, b)
	if got := found(t, a, b, treecmp.Options{Ignore: []treecmp.Kind{treecmp.Mode}}); !slices.Equal(got, []string{"size dir/other"}) {
		t.Errorf("found %q", got)
	}
	if got := found(t, a, b, treecmp.Options{Ignore: []treecmp.Kind{treecmp.Mode, treecmp.Size}}); len(got) != 0 {
		t.Errorf("found %q", got)
	}
	if got := found(t, a, b, treecmp.Options{Ignore: treecmp.Kinds()}); len(got) != 0 {
		t.Errorf("found %q", got)
	}
}

func TestIgnoredXattrsAreLeftOut(t *testing.T) {
	a, b := fixture(t), fixture(t)
	must(t, unix.Setxattr(filepath.Join(b, "large"), "user.label", []byte("x"), 0),
		unix.Setxattr(filepath.Join(b, "large"), "user.other", []byte("x"), 0))
	o := treecmp.Options{IgnoreXattr: func(name string) bool { return name == "user.label" }}
	if got := found(t, a, b, o); !slices.Equal(got, []string{"xattr large"}) {
		t.Errorf("found %q", got)
	}
	o.IgnoreXattr = func(name string) bool { return strings.HasPrefix(name, "user.") }
	if got := found(t, a, b, o); len(got) != 0 {
		t.Errorf("found %q", got)
	}
}

func TestHoleRules(t *testing.T) {
	fewer := func(b string) error { return writeAt(filepath.Join(b, "sparse"), 2*mib, strings.Repeat("\x00", 4096)) }
	more := func(b string) error { return sparseCopy(filepath.Join(b, "large")) }
	for _, c := range []struct {
		change func(string) error
		rule   treecmp.HoleRule
		want   int
	}{
		{fewer, treecmp.HolesExact, 1}, {fewer, treecmp.HolesAtLeast, 1}, {fewer, treecmp.HolesIgnored, 0},
		{more, treecmp.HolesExact, 1}, {more, treecmp.HolesAtLeast, 0}, {more, treecmp.HolesIgnored, 0},
	} {
		a, b := fixture(t), fixture(t)
		must(t, c.change(b))
		setTimes(t, b)
		if got := found(t, a, b, treecmp.Options{Holes: c.rule}); len(got) != c.want {
			t.Errorf("rule %d: found %q, want %d", c.rule, got, c.want)
		}
	}
}

func TestLimitEndsTheWalk(t *testing.T) {
	a, b := fixture(t), filepath.Join(t.TempDir(), "root")
	must(t, os.Mkdir(b, 0o755))
	if got := found(t, a, b, treecmp.Options{Limit: 3}); len(got) != 3 {
		t.Errorf("found %q", got)
	}
}

func TestRootsThatCannotBeOpened(t *testing.T) {
	root := fixture(t)
	for _, pair := range [][2]string{{root, root + "/none"}, {root + "/none", root}} {
		if _, err := treecmp.Compare(pair[0], pair[1], treecmp.Options{}); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v", err)
		}
	}
	if _, err := treecmp.Compare(root, root+"/large", treecmp.Options{}); !errors.Is(err, unix.ENOTDIR) {
		t.Errorf("got %v", err)
	}
}

// A terabyte that is all hole is compared without reading it.
func TestHugeHolesCostNothing(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	for _, root := range []string{a, b} {
		path := filepath.Join(root, "huge")
		must(t, os.WriteFile(path, nil, 0o600), os.Truncate(path, 1<<40))
		must(t, writeAt(path, 1<<39, "island"))
		setTimes(t, root)
	}
	if got := found(t, a, b, treecmp.Options{}); len(got) != 0 {
		t.Errorf("found %q", got)
	}
	must(t, writeAt(filepath.Join(b, "huge"), 1<<39, "Island"))
	setTimes(t, b)
	if got := found(t, a, b, treecmp.Options{}); !slices.Equal(got, []string{"content huge"}) {
		t.Errorf("found %q", got)
	}
}
