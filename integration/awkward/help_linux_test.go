package awkward_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"dura/integration/awkward"
	"dura/integration/treecmp"
)

// makeTree makes a tree that goes away with the test.
func makeTree(t *testing.T, o awkward.Options) (string, awkward.Report) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "tree")
	removeLater(t, dir)
	report, err := awkward.Make(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return dir, report
}

func removeLater(t *testing.T, dir string) {
	t.Cleanup(func() {
		if err := awkward.Remove(dir); err != nil {
			t.Error(err)
		}
	})
}

// copyTree copies a tree with the tool and returns the copy. Without the tool the test is skipped.
func copyTree(t *testing.T, dir string, tool ...string) string {
	t.Helper()
	if _, err := exec.LookPath(tool[0]); err != nil {
		t.Skip(err)
	}
	to := filepath.Join(t.TempDir(), "copy")
	removeLater(t, to)
	args := append(tool[1:], dir+"/.", to)
	if out, err := exec.Command(tool[0], args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%.2000s", tool[0], args, err, out)
	}
	return to
}

// compare returns the differences as kind and path.
func compare(t *testing.T, a, b string, o treecmp.Options) []string {
	t.Helper()
	o.Limit = 50
	differences, err := treecmp.Compare(a, b, o)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, d := range differences {
		list = append(list, string(d.Kind)+" "+d.Path)
	}
	return list
}

// allBut returns all features but those named.
func allBut(keep ...awkward.Feature) []awkward.Feature {
	var out []awkward.Feature
	for _, f := range awkward.Features() {
		if !slices.Contains(keep, f) {
			out = append(out, f)
		}
	}
	return out
}

// asNobody runs the calling test in this test binary again, as nobody, and returns true. As another user it returns false.
func asNobody(t *testing.T) bool {
	if os.Geteuid() != 0 {
		return false
	}
	dir, err := os.MkdirTemp("", "awkward")
	if err != nil {
		t.Fatal(err)
	}
	removeLater(t, dir)
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "test")
	if err := os.WriteFile(binary, self, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "-test.run", "^"+t.Name()+"$", "-test.v")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TMPDIR="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("as nobody: %v\n%s", err, out)
	}
	return true
}
