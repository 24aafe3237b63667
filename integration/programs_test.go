package integration

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var (
	programs string // where TestMain has built dura and dura-mount
	kept     string // a directory for what several tests share, in memory where the machine has that
)

func TestMain(m *testing.M) {
	if os.Getenv(manyEntriesVariable) != "" {
		os.Exit(m.Run()) // in a process of its own, without programs
	}
	os.Exit(withPrograms(m))
}

func withPrograms(m *testing.M) int {
	dir, err := os.MkdirTemp("", "dura-programs-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // tests run them as other users too
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	build := exec.Command("go", "build", "-o", dir+"/", "dura/cmd/...")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
		return 1
	}
	if err := keepApart(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if kept, err = os.MkdirTemp(inMemory(), "dura-kept-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(kept)
	programs = dir
	return m.Run()
}

// keepApart keeps what programs keep on a machine apart from the user's own. Tests run them as other users too.
func keepApart(dir string) error {
	for _, kept := range []struct{ variable, name string }{{"XDG_STATE_HOME", "state"}, {"XDG_CACHE_HOME", "cache"}, {"XDG_CONFIG_HOME", "config"}} {
		place := filepath.Join(dir, kept.name)
		for _, folder := range []string{"", "dura", "dura/locks", "dura/summaries", "dura/archives"} {
			if err := os.MkdirAll(filepath.Join(place, folder), 0o777); err != nil {
				return err
			}
			if err := os.Chmod(filepath.Join(place, folder), 0o777); err != nil {
				return err
			}
		}
		if err := os.Setenv(kept.variable, place); err != nil {
			return err
		}
	}
	return nil
}

// outcome is what a program did.
type outcome struct {
	stdout, stderr string
	status         int
}

// run runs a program, one of ours if the name has no slash and is built here, and reports what it did.
func run(t testing.TB, cmd *exec.Cmd) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if cmd.Stdout == nil {
		cmd.Stdout = &stdout
	}
	cmd.Stderr = &stderr
	err := cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatalf("%v: %v", cmd.Args, err)
	}
	return outcome{stdout: stdout.String(), stderr: stderr.String(), status: cmd.ProcessState.ExitCode()}
}

// command is a command of ours, with an environment that says nothing of the user.
func command(name string, args ...string) *exec.Cmd {
	return exec.Command(filepath.Join(programs, name), args...)
}

// dura runs the program and fails the test unless it ends well.
func dura(t testing.TB, args ...string) outcome {
	t.Helper()
	o := run(t, command("dura", args...))
	if o.status != 0 {
		t.Fatalf("dura %s: exit status %d\n%s%s", strings.Join(args, " "), o.status, o.stdout, o.stderr)
	}
	return o
}

// need finds a tool that is not ours. On CI it must be there.
func need(t testing.TB, tool string) string {
	t.Helper()
	path, err := exec.LookPath(tool)
	if err == nil {
		return path
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed, and CI tests with it", tool)
	}
	t.Skipf("%s is not installed", tool)
	return ""
}

// needRoot skips what only root can do.
func needRoot(t testing.TB) {
	t.Helper()
	if os.Getuid() == 0 {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatal("CI must run this as root")
	}
	t.Skip("only root can do this")
}

// shell runs a script in bash in dir and fails the test unless it ends well.
func shell(t testing.TB, dir, script string) string {
	t.Helper()
	cmd := exec.Command("bash", "-euo", "pipefail", "-c", script)
	cmd.Dir = dir
	o := run(t, cmd)
	if o.status != 0 {
		t.Fatalf("%s\nexit status %d\n%s%s", script, o.status, o.stdout, o.stderr)
	}
	return o.stdout
}

// scratch is a directory for large trees, in memory where the machine has that.
func scratch(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp(inMemory(), "dura-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// inMemory is where large trees go: making and deleting many files on a disk slows a machine down for long.
func inMemory() string {
	const shm = "/dev/shm"
	if info, err := os.Stat(shm); err == nil && info.IsDir() && os.Getenv("TMPDIR") == "" {
		return shm
	}
	return os.TempDir()
}

// quoted is s as one word of a shell.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
