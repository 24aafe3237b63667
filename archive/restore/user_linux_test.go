package restore

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"dura/archive/format"
)

// anyUser is somebody without rights, whom no file belongs to.
const anyUser = 54321

// asUser runs the test that calls it once more, in a process of a user without rights, where it is root's. It reports whether
// this is the process to test in.
func asUser(t *testing.T) bool {
	t.Helper()
	if os.Geteuid() != 0 {
		return true
	}
	home := t.TempDir()
	for dir := home; dir != os.TempDir() && dir != "/"; dir = dir[:strings.LastIndexByte(dir, '/')] {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(home, anyUser, anyUser); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	c.Dir = "/"
	c.Env = append(os.Environ(), "TMPDIR="+home)
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: anyUser, Gid: anyUser, Groups: []uint32{anyUser, anyUser + 1}}}
	out, err := c.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("as a user: %v\n%s", err, out)
	}
	return false
}

func TestUserRestoresOrdinaryTreesExactly(t *testing.T) {
	if !asUser(t) {
		return
	}
	// What can't be looked at is another test's.
	b := open(t, slicesWithout(slicesWithout(ordinary(), "a/b/c"), "unreadable"))
	dest := tempDir(t) + "/dest"
	restoreAll(t, b, dest, Options{})
	compare(t, look(t, dest), expected(t, b))
}

func TestUserRestoresWhatIsInDirectoriesNobodyMayEnter(t *testing.T) {
	if !asUser(t) {
		return
	}
	b := open(t, tree(
		file("first", "x", links(2)), directory("closed", mode(0)), file("closed/file", "content"), directory("closed/below", mode(0o100)),
		file("closed/below/file", "more"), file("closed/second", "x", linkTo("first")), directory("closed too", mode(0)),
	))
	dest := t.TempDir() + "/dest"
	restoreAll(t, b, dest, Options{})
	for _, name := range []string{"/closed", "/closed/below", "/closed too"} {
		var st syscall.Stat_t
		if err := syscall.Stat(dest+name, &st); err != nil {
			t.Fatal(err)
		}
		if want := map[string]uint32{"/closed/below": 0o100}[name]; st.Mode&0o7777 != want {
			t.Errorf("%s has mode %04o, want %04o", name, st.Mode&0o7777, want)
		}
		if err := os.Chmod(dest+name, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	found := look(t, dest)
	for p, want := range expected(t, b) {
		if !strings.HasPrefix(string(p), "closed") && found[p] != want || found[p] == "" {
			t.Errorf("%q: got %s, want %s", p, found[p], want)
		}
	}
}

func TestUserGetsAlarmsForWhatOnlyRootMaySet(t *testing.T) {
	if !asUser(t) {
		return
	}
	group := uint32(os.Getegid())
	b := open(t, tree(
		directory(""), file("own", "x"), file("root's", "x", owner(0, 0), mode(0o4755)),
		file("root's user, own group", "x", owner(0, group), mode(0o6755)),
		file("trusted", "x", xattr("trusted.x", "1"), xattr("user.x", "2")),
		symlink("link", "x", owner(0, 0)), directory("dir", owner(0, 0), mode(0o700)), file("dir/file", "x"), node("device", format.CharDevice, device(1, 3)),
		node("fifo", format.FIFO, owner(0, 0)),
	))
	as := &alarms{}
	dest := t.TempDir() + "/dest"
	r, err := Restore(t.Context(), b, dest, Options{Alarms: as})
	if err != nil {
		t.Fatal(err)
	}
	as.expect(t, dest, "restore/denied /root's", "restore/denied /root's user, own group", "restore/denied /trusted", "restore/denied /link",
		"restore/denied /dir", "restore/denied /device", "restore/denied /fifo")
	if r.Totals.Entries != 9 || r.Totals.Alarms != 7 {
		t.Errorf("%+v", r)
	}
	found := look(t, dest)
	for p, want := range map[format.Path]string{
		"own": "mode 0644 ", "root's": "mode 0755 ", "root's user, own group": "mode 2755 ", "trusted": `user.x="2"`, "dir": "mode 0700 ",
		"dir/file": "mode 0644 ", "fifo": "kind 4 ",
	} {
		if !strings.Contains(found[p], want) {
			t.Errorf("%q: %s, want %s", p, found[p], want)
		}
	}
	if found["device"] != "" {
		t.Errorf("device: %s", found["device"])
	}
}

func TestUserGetsHisOwnFurtherGroups(t *testing.T) {
	if !asUser(t) {
		return
	}
	if groups, err := os.Getgroups(); err != nil || !slices.Contains(groups, anyUser+1) {
		t.Skip("needs root, to start as a user of two groups:", err)
	}
	b := open(t, tree(file("file", "x", owner(anyUser, anyUser+1), mode(0o2750)), directory("dir", owner(anyUser, anyUser+1), mode(0o2750))))
	dest := t.TempDir() + "/dest"
	restoreAll(t, b, dest, Options{})
	compare(t, look(t, dest), expected(t, b))
}

func TestUserIsNotToldOfTheOwnersOfDirectoriesThatOnlyLead(t *testing.T) {
	if !asUser(t) {
		return
	}
	items := tree(directory("", owner(0, 0)), directory("home", owner(0, 0)), directory("home/me"), file("home/me/file", "x"))
	dest := t.TempDir()
	restoreAll(t, testBand{sources: []string{"/home/me"}}.open(t, items), dest+"/whole", Options{})
	restoreAll(t, open(t, items), dest+"/part", Options{Paths: []format.Path{"home/me/file"}})
}
