package treecmp_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"dura/integration/treecmp"
)

// must keeps fixtures short.
func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

const mib = 1 << 20

// fixture makes a small tree that has one of everything; two of them are equal.
func fixture(t *testing.T) string {
	root := filepath.Join(t.TempDir(), "root")
	at := func(name string) string { return filepath.Join(root, name) }
	must(t,
		os.MkdirAll(at("dir/sub"), 0o755), os.Mkdir(at("empty"), 0o750),
		os.WriteFile(at("dir/file"), []byte("content"), 0o644),
		os.WriteFile(at("dir/other"), []byte("content"), 0o644),
		os.Link(at("dir/file"), at("dir/sub/link")), os.Link(at("dir/file"), at("link")),
		os.WriteFile(at("large"), make([]byte, 3*mib), 0o600),
		os.Symlink("target", at("symlink")),
		unix.Mkfifo(at("fifo"), 0o600),
		os.WriteFile(at("sparse"), []byte("x"), 0o600), os.Truncate(at("sparse"), 4*mib),
		os.WriteFile(at("name\n\xff"), nil, 0o600),
		unix.Mknod(at("whiteout"), unix.S_IFCHR|0o600, 0), // the one device everybody may make
	)
	err := unix.Setxattr(at("dir/file"), "user.dura", []byte("value"), 0)
	if err != nil {
		t.Logf("no user xattrs here: %v", err)
	}
	if os.Geteuid() == 0 {
		must(t, unix.Mknod(at("device"), unix.S_IFBLK|0o600, int(unix.Mkdev(7, 1))))
	}
	setTimes(t, root)
	return root
}

func setTimes(t *testing.T, root string) {
	t.Helper()
	var paths []string
	must(t, filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
		paths = append(paths, path)
		return err
	}))
	for _, path := range slices.Backward(paths) {
		setMtime(t, path, 1_000_000_000, 123_456_789)
	}
}

func setMtime(t *testing.T, path string, sec, nsec int64) {
	t.Helper()
	ts, err := unix.TimeToTimespec(time.Unix(sec, nsec))
	must(t, err, unix.UtimesNanoAt(unix.AT_FDCWD, path, []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW))
}

// found says what a comparison found: kind and path.
func found(t *testing.T, a, b string, o treecmp.Options) []string {
	t.Helper()
	differences, err := treecmp.Compare(a, b, o)
	must(t, err)
	list := []string{}
	for _, d := range differences {
		list = append(list, string(d.Kind)+" "+d.Path)
		if d.A == d.B && d.Kind != treecmp.Unreadable {
			t.Errorf("%s says the same of both", d)
		}
	}
	return list
}

type plant struct {
	change func(at func(string) string) error
	want   []string // times of directories that the planting itself touched are put back
	root   bool
}

func writeAt(path string, offset int64, data string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt([]byte(data), offset)
	f.Close()
	return err
}

func replace(path string, make func(string) error) error {
	if err := os.Remove(path); err != nil {
		return err
	}
	return make(path)
}

var plants = map[string]plant{
	"missing":      {func(at func(string) string) error { return os.RemoveAll(at("empty")) }, []string{"missing empty"}, false},
	"missing tree": {func(at func(string) string) error { return os.RemoveAll(at("dir")) }, []string{"missing dir"}, false},
	"odd name":     {func(at func(string) string) error { return os.Rename(at("name\n\xff"), at("name\n\xfe")) }, []string{"extra name\n\xfe", "missing name\n\xff"}, false},
	"extra":        {func(at func(string) string) error { return os.WriteFile(at("dir/sub/aa"), nil, 0o644) }, []string{"extra dir/sub/aa"}, false},
	"extra last":   {func(at func(string) string) error { return os.Mkdir(at("zz"), 0o755) }, []string{"extra zz"}, false},
	"type": {func(at func(string) string) error {
		return replace(at("empty"), func(p string) error { return os.WriteFile(p, nil, 0o750) })
	}, []string{"type empty"}, false},
	"type special": {func(at func(string) string) error {
		return replace(at("fifo"), func(p string) error { return unix.Mknod(p, unix.S_IFSOCK|0o600, 0) })
	}, []string{"type fifo"}, false},
	"mode":          {func(at func(string) string) error { return unix.Chmod(at("large"), 0o601) }, []string{"mode large"}, false},
	"mode setuid":   {func(at func(string) string) error { return unix.Chmod(at("large"), 0o4600) }, []string{"mode large"}, false},
	"mode dir":      {func(at func(string) string) error { return unix.Chmod(at("dir"), 0o1755) }, []string{"mode dir"}, false},
	"mode root":     {func(at func(string) string) error { return unix.Chmod(at(""), 0o700) }, []string{"mode "}, false},
	"mode fifo":     {func(at func(string) string) error { return unix.Chmod(at("fifo"), 0o640) }, []string{"mode fifo"}, false},
	"uid":           {func(at func(string) string) error { return os.Lchown(at("large"), 4242, -1) }, []string{"owner large"}, true},
	"gid":           {func(at func(string) string) error { return os.Lchown(at("dir/sub"), -1, 4242) }, []string{"owner dir/sub"}, true},
	"symlink owner": {func(at func(string) string) error { return os.Lchown(at("symlink"), 4242, 4242) }, []string{"owner symlink"}, true},
	"size":          {func(at func(string) string) error { return os.Truncate(at("large"), 3*mib-1) }, []string{"size large"}, false},
	"content":       {func(at func(string) string) error { return writeAt(at("dir/other"), 6, "T") }, []string{"content dir/other"}, false},
	"content late":  {func(at func(string) string) error { return writeAt(at("large"), 3*mib-1, "x") }, []string{"content large"}, false},
	"content in what is a hole in a": {func(at func(string) string) error { return writeAt(at("sparse"), 2*mib, "x") },
		[]string{"holes sparse", "content sparse"}, false},
	"holes": {func(at func(string) string) error { return writeAt(at("sparse"), 2*mib, strings.Repeat("\x00", 4096)) },
		[]string{"holes sparse"}, false},
	"holes more": {func(at func(string) string) error { return sparseCopy(at("large")) }, []string{"holes large"}, false},
	"target": {func(at func(string) string) error {
		return replace(at("symlink"), func(p string) error { return os.Symlink("target/", p) })
	}, []string{"target symlink"}, false},
	"target long": {func(at func(string) string) error {
		return replace(at("symlink"), func(p string) error { return os.Symlink(strings.Repeat("x", 4095), p) })
	}, []string{"target symlink"}, false},
	"device": {func(at func(string) string) error {
		return replace(at("device"), func(p string) error { return unix.Mknod(p, unix.S_IFBLK|0o600, int(unix.Mkdev(7, 2))) })
	}, []string{"device device"}, true},
	"link parted": {func(at func(string) string) error {
		return replace(at("dir/other"), func(p string) error { return os.Link(at("dir/file"), p) })
	}, []string{"xattr dir/other", "links dir/other"}, false},
	"link cut": {func(at func(string) string) error {
		return replace(at("large"), func(p string) error { return os.Link(at("link"), p) })
	}, []string{"mode large", "xattr large", "size large", "links large"}, false},
	"xattr value":    {func(at func(string) string) error { return unix.Setxattr(at("link"), "user.dura", []byte("valuf"), 0) }, []string{"xattr dir/file", "xattr dir/sub/link", "xattr link"}, false},
	"xattr extra":    {func(at func(string) string) error { return unix.Setxattr(at("large"), "user.empty", nil, 0) }, []string{"xattr large"}, false},
	"xattr dir":      {func(at func(string) string) error { return unix.Setxattr(at("empty"), "user.d", []byte("x"), 0) }, []string{"xattr empty"}, false},
	"xattr missing":  {func(at func(string) string) error { return unix.Removexattr(at("link"), "user.dura") }, []string{"xattr dir/file", "xattr dir/sub/link", "xattr link"}, false},
	"xattr symlink":  {func(at func(string) string) error { return unix.Lsetxattr(at("symlink"), "trusted.d", []byte("x"), 0) }, []string{"xattr symlink"}, true},
	"xattr security": {func(at func(string) string) error { return unix.Setxattr(at("large"), "security.d", []byte("x"), 0) }, []string{"xattr large"}, true},
	"acl": {func(at func(string) string) error { return setACL(at("empty"), "system.posix_acl_access") },
		[]string{"mode empty", "xattr empty"}, false},
	"acl default": {func(at func(string) string) error { return setACL(at("empty"), "system.posix_acl_default") },
		[]string{"xattr empty"}, false},
}

// setACL gives uid 4242 all rights.
func setACL(path, name string) error {
	acl := []byte{2, 0, 0, 0}
	for _, e := range [][]byte{{1, 7, 0xff}, {2, 7, 0}, {4, 5, 0xff}, {16, 7, 0xff}, {32, 0, 0xff}} {
		id := []byte{0x92, 0x10, 0, 0}
		if e[2] == 0xff {
			id = []byte{0xff, 0xff, 0xff, 0xff}
		}
		acl = append(append(acl, e[0], 0, e[1], 0), id...)
	}
	return unix.Setxattr(path, name, acl, 0)
}

func sparseCopy(path string) error {
	if err := os.Truncate(path, 0); err != nil {
		return err
	}
	return os.Truncate(path, 3*mib)
}

func TestEveryPlantedDifferenceIsFoundAndNothingElse(t *testing.T) {
	seen := map[treecmp.Kind]bool{}
	for name, p := range plants {
		for _, want := range p.want {
			kind, _, _ := strings.Cut(want, " ")
			seen[treecmp.Kind(kind)] = true
		}
		t.Run(name, func(t *testing.T) {
			if p.root && os.Geteuid() != 0 {
				t.Skip("needs root")
			}
			a, b := fixture(t), fixture(t)
			if err := p.change(func(name string) string { return filepath.Join(b, name) }); err != nil {
				t.Fatal(err)
			}
			setTimes(t, b)
			slices.Sort(p.want)
			got := found(t, a, b, treecmp.Options{})
			slices.Sort(got)
			if !slices.Equal(got, p.want) {
				t.Errorf("found %q, want %q", got, p.want)
			}
		})
	}
	seen[treecmp.Mtime], seen[treecmp.Unreadable] = true, true // tests of their own
	for _, kind := range treecmp.Kinds() {
		if !seen[kind] {
			t.Errorf("no test plants %q", kind)
		}
	}
}

func TestEqualTreesHaveNoDifferences(t *testing.T) {
	a, b := fixture(t), fixture(t)
	for _, pair := range [][2]string{{a, b}, {a, a}} {
		if got := found(t, pair[0], pair[1], treecmp.Options{}); len(got) != 0 {
			t.Errorf("found %q", got)
		}
	}
}

func TestMtimeDiffersByOneNanosecond(t *testing.T) {
	for _, path := range []string{"", "dir", "dir/other", "symlink", "fifo", "whiteout"} {
		for _, at := range [][2]int64{{1_000_000_000, 123_456_788}, {-1, 123_456_789}, {1_000_000_001, 123_456_789}} {
			a, b := fixture(t), fixture(t)
			setMtime(t, filepath.Join(b, path), at[0], at[1])
			if got := found(t, a, b, treecmp.Options{}); !slices.Equal(got, []string{"mtime " + path}) {
				t.Errorf("%q at %v: found %q", path, at, got)
			}
		}
	}
}

func TestUnreadableIsADifference(t *testing.T) {
	if os.Geteuid() == 0 {
		rerunAsUser(t)
		return
	}
	a, b := fixture(t), fixture(t)
	for _, root := range []string{a, b} {
		must(t, os.Chmod(filepath.Join(root, "large"), 0), os.Chmod(filepath.Join(root, "dir"), 0o400),
			os.Chmod(filepath.Join(root, "empty"), 0))
	}
	t.Cleanup(func() { must(t, os.Chmod(filepath.Join(a, "dir"), 0o700), os.Chmod(filepath.Join(b, "dir"), 0o700)) })
	want := []string{"unreadable dir/file", "unreadable dir/other", "unreadable dir/sub", "unreadable empty", "unreadable large"}
	if got := found(t, a, b, treecmp.Options{}); !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}

// rerunAsUser runs the calling test in this test binary again, as nobody.
func rerunAsUser(t *testing.T) {
	dir, err := os.MkdirTemp("", "treecmp")
	must(t, err, os.Chmod(dir, 0o777))
	t.Cleanup(func() { os.RemoveAll(dir) })
	self, err := os.ReadFile("/proc/self/exe")
	must(t, err, os.WriteFile(filepath.Join(dir, "test"), self, 0o755))
	cmd := exec.Command(filepath.Join(dir, "test"), "-test.run", "^"+t.Name()+"$", "-test.v")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TMPDIR="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("as nobody: %v\n%s", err, out)
	}
}
