package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mount mounts an archive until the end of the test, and returns the mount point. Options are as for -o; empty is none.
func mount(t testing.TB, archive, options string) string {
	t.Helper()
	needFUSE(t)
	needRoot(t)
	point := filepath.Join(t.TempDir(), "mnt")
	if err := os.Mkdir(point, 0o755); err != nil {
		t.Fatal(err)
	}
	args := []string{archive, point}
	if options != "" {
		args = append(args, "-o", options)
	}
	if o := run(t, command("dura-mount", args...)); o.status != 0 {
		t.Fatalf("dura-mount: exit status %d\n%s", o.status, o.stderr)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", point).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
			_ = exec.Command("umount", "-l", point).Run()
		}
	})
	return point
}

// mountLatest mounts an archive and returns where the latest band is.
func mountLatest(t testing.TB, archive string) string {
	t.Helper()
	return filepath.Join(mount(t, archive, ""), "latest")
}

func needFUSE(t testing.TB) {
	t.Helper()
	if _, err := os.Stat("/dev/fuse"); err == nil {
		return
	} else if os.Getenv("CI") != "" {
		t.Fatal(err)
	}
	t.Skip("there is no /dev/fuse")
}

// asUserWithFUSE runs a script as nobody, who can open /dev/fuse there, as users can on most machines, and mount by
// fusermount3. What it mounts nobody else sees, and it goes with the script. Dir is for its files.
func asUserWithFUSE(t testing.TB, dir, script string) outcome {
	t.Helper()
	needFUSE(t)
	needRoot(t)
	need(t, "fusermount3")
	need(t, "unshare")
	device := filepath.Join(t.TempDir(), "fuse")
	setup := "mknod " + device + " c 10 229 && chmod 666 " + device + " && mount --bind " + device + " /dev/fuse && cd " + quoted(dir) + " && " +
		"exec setpriv --reuid=65534 --regid=65534 --clear-groups bash -euo pipefail -c " + quoted(script)
	cmd := exec.Command("unshare", "-m", "bash", "-euo", "pipefail", "-c", setup)
	cmd.Env = append(os.Environ(), "PATH="+programs+":"+os.Getenv("PATH"), "HOME="+dir)
	return run(t, cmd)
}

// userScratch is a scratch directory for nobody.
func userScratch(t testing.TB) string {
	t.Helper()
	dir := scratch(t)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

// backedUp makes an archive with one band of these trees.
func backedUp(t testing.TB, trees ...string) (archive string) {
	t.Helper()
	archive = filepath.Join(scratch(t), "archive")
	dura(t, "init", archive, "--parity", "none")
	dura(t, append([]string{"backup", archive}, trees...)...)
	return archive
}

// lines are the lines of text, without the last line's end.
func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}
