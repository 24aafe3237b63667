package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dura/integration/awkward"
)

// mount mounts an archive until the end of the test, and returns where the latest band is.
func mount(t *testing.T, archive string) string {
	t.Helper()
	if _, err := os.Stat("/dev/fuse"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	point := filepath.Join(t.TempDir(), "mnt")
	if err := os.Mkdir(point, 0o755); err != nil {
		t.Fatal(err)
	}
	if o := run(t, command("dura-mount", archive, point)); o.status != 0 {
		t.Fatalf("dura-mount: exit status %d\n%s", o.status, o.stderr)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", point).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	return filepath.Join(point, "latest")
}

func TestTheMountShowsAnAwkwardTreeAsItIs(t *testing.T) {
	needRoot(t)
	dir := scratch(t)
	src, archive := filepath.Join(dir, "src"), filepath.Join(dir, "archive")
	if _, err := awkward.Make(src, awkward.Options{Seed: 2}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { awkward.Remove(src) })
	dura(t, "init", archive)
	dura(t, "backup", archive, src)
	latest := mount(t, archive)
	sameByRsync(t, src, latest+src, "/long-paths")
	if out := shell(t, latest, "touch x 2>&1 || true"); !strings.Contains(out, "Read-only file system") {
		t.Error(out)
	}
}

func TestTheMountShowsARealTreeAsItIs(t *testing.T) {
	const tree = "/usr/local/go"
	if _, err := os.Stat(tree); err != nil {
		t.Skip(err)
	}
	archive := filepath.Join(scratch(t), "archive")
	dura(t, "init", archive)
	dura(t, "backup", archive, tree)
	latest := mount(t, archive)
	sameByRsync(t, tree, latest+tree)
	shell(t, "/", "diff -r --no-dereference "+tree+" "+latest+tree)
	shell(t, "/", "tar c usr/local/go | tar --compare -C "+latest)
}
