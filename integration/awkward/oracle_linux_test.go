package awkward_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"dura/integration/awkward"
	"dura/integration/treecmp"
)

// rsync -S makes holes of zeros that were written, and of nothing else.
func TestWhatRsyncCopiesComparesEqual(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: for other users rsync leaves devices out and fails to fill directories they may not write to")
	}
	dir, _ := makeTree(t, awkward.Options{
		Without: []awkward.Feature{awkward.LongPaths}, ManyEntries: 50,
	})
	to := copyTree(t, dir, "rsync", "-aHAXS")
	if got := compare(t, dir, to, treecmp.Options{Holes: treecmp.HolesAtLeast}); len(got) > 0 {
		t.Errorf("differs in %q", got)
	}
	want := []string{"holes sparse/zeros-between", "holes sparse/zeros-written"}
	if got := compare(t, dir, to, treecmp.Options{}); !slices.Equal(got, want) {
		t.Errorf("differs in %q, want %q", got, want)
	}
	if got := rsyncDifferences(t, dir, to); len(got) > 0 {
		t.Errorf("rsync itself finds %q", got)
	}
	holes, _ := makeTree(t, awkward.Options{Without: allBut(awkward.Sparse)})
	if got := compare(t, holes, copyTree(t, holes, "rsync", "-a"), treecmp.Options{Holes: treecmp.HolesAtLeast}); len(got) < 10 {
		t.Errorf("a copy without holes differs in %q alone", got)
	}
}

// rsyncDifferences returns the paths that rsync finds different, content included.
func rsyncDifferences(t *testing.T, a, b string) []string {
	t.Helper()
	out, err := exec.Command("rsync", "-aHAXnc", "--modify-window=-1", "--delete", "--out-format=%i %n", a+"/", b+"/").Output()
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for line := range strings.Lines(string(out)) {
		_, path, _ := strings.Cut(strings.TrimRight(line, "/\n"), " ")
		paths = append(paths, strings.TrimSpace(path))
	}
	slices.Sort(paths)
	return paths
}

// Where rsync sees a difference treecmp has to see it, and the other way round.
func TestRsyncAndTreecmpSeeTheSame(t *testing.T) {
	dir, _ := makeTree(t, awkward.Options{
		Without: allBut(awkward.Sizes, awkward.Modes, awkward.HardLinks, awkward.Symlinks, awkward.Fifos, awkward.XattrUser,
			awkward.ACLs),
		Readable: true,
	})
	to := copyTree(t, dir, "rsync", "-aHAX")
	changes := map[string]func(path string) error{
		"sizes/text-00065536":    func(p string) error { return overwrite(p, 65535) },
		"sizes/text-00004097":    func(p string) error { return os.Truncate(p, 4096) },
		"modes/dirs":             func(p string) error { return unix.Chmod(p, 0o1755) },
		"modes/files":            func(p string) error { return setMtime(p, 1_000_000_000) },
		"symlinks/to-file":       func(p string) error { return setMtime(p, -5) },
		"fifos/fifo":             func(p string) error { return setMtime(p, 1<<33) },
		"xattr-user/dir-00":      func(p string) error { return unix.Setxattr(p, "user.dura-plain", []byte("valuf"), 0) },
		"xattr-user/file-01":     func(p string) error { return unix.Removexattr(p, "user.dura-empty") },
		"acls/dir-default-after": func(p string) error { return unix.Removexattr(p, "system.posix_acl_default") },
	}
	for path, change := range changes {
		if err := change(filepath.Join(to, path)); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	want := slices.Sorted(maps.Keys(changes))
	if got := rsyncDifferences(t, dir, to); !slices.Equal(got, want) {
		t.Errorf("rsync finds %q, want %q", got, want)
	}
	if got := paths(compare(t, dir, to, treecmp.Options{})); !slices.Equal(got, want) {
		t.Errorf("treecmp finds %q, want %q", got, want)
	}
}

// paths returns what differs, whatever in, each once.
func paths(differences []string) []string {
	var list []string
	for _, difference := range differences {
		_, path, _ := strings.Cut(difference, " ")
		list = append(list, path)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func TestDifferencesBeyondPathMaxAreFound(t *testing.T) {
	o := awkward.Options{Without: allBut(awkward.LongPaths, awkward.HardLinks, awkward.Symlinks, awkward.XattrUser)}
	a, _ := makeTree(t, o)
	b, _ := makeTree(t, o)
	at, way := climb(t, filepath.Join(b, string(awkward.LongPaths)))
	defer at.Close()
	file, err := at.OpenFile("file", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteAt([]byte("D"), 0); err != nil {
		t.Fatal(err)
	}
	if err := unix.Fsetxattr(int(file.Fd()), "user.dura", []byte("other"), 0); err != nil {
		t.Fatal(err)
	}
	if err := at.Chtimes("file", time.Unix(5, 6), time.Unix(5, 6)); err != nil {
		t.Fatal(err)
	}
	below := strings.Join(append([]string{string(awkward.LongPaths)}, way...), "/")
	var want []string
	for _, name := range []string{"file", "link"} {
		for _, kind := range []string{"mtime", "xattr", "content"} {
			want = append(want, kind+" "+below+"/"+name)
		}
	}
	if got := compare(t, a, b, treecmp.Options{}); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func overwrite(path string, at int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteAt([]byte{0}, at)
	return err
}

func setMtime(path string, sec int64) error {
	ts, err := unix.TimeToTimespec(time.Unix(sec, 0))
	if err != nil {
		return err
	}
	return unix.UtimesNanoAt(unix.AT_FDCWD, path, []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW)
}
