package source_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// childEnv is set in a process that a test starts to run itself under other conditions.
const childEnv = "DURA_SOURCE_TEST_DIR"

// inChild runs the calling test in a process of its own, with dir for its working directory, as the user with that number
// if this one is root. In the child it returns true.
func inChild(t *testing.T, dir string, uid uint32) bool {
	t.Helper()
	if os.Getenv(childEnv) != "" {
		t.Chdir(os.Getenv(childEnv))
		return true
	}
	cmd := exec.Command(copyOfThis(t), "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	cmd.Dir = dir
	if os.Geteuid() == 0 && uid != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

// child reports whether this process was started by inChild.
func child() bool { return os.Getenv(childEnv) != "" }

// copyOfThis is this program where every user may start it.
func copyOfThis(t *testing.T) string {
	t.Helper()
	name := filepath.Join(tempDir(t), "test")
	executable, err := os.Executable()
	must(t, err)
	from, err := os.Open(executable)
	must(t, err)
	defer from.Close()
	to, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o755)
	must(t, err)
	_, err = io.Copy(to, from)
	must(t, err)
	must(t, to.Close())
	return name
}
