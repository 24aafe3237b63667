package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// serverOf is the process that serves a mount.
func serverOf(t *testing.T, point string) int {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range all {
		words, err := os.ReadFile(file)
		if err != nil || !bytes.HasPrefix(words, []byte(programs)) || !bytes.Contains(words, []byte("\x00"+point+"\x00")) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			t.Fatal(err)
		}
		return pid
	}
	t.Fatalf("nobody serves %s", point)
	return 0
}

// within runs a command that must end in so much time.
func within(t *testing.T, d time.Duration, name string, args ...string) (out string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	got, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if ctx.Err() != nil {
		t.Errorf("%s %q did not end in %v", name, args, d)
	}
	return string(got), err
}

// smallArchive is an archive of two directories with a file of 4 MiB each and a few small ones.
func smallArchive(t *testing.T) (archive, src string) {
	t.Helper()
	src = filepath.Join(scratch(t), "src")
	shell(t, "/", "mkdir -p "+src+"/a "+src+"/b && cd "+src+` && for d in a b; do head -c 4194304 /dev/urandom >$d/large; for i in {1..20}; do echo $d$i >$d/$i; done; done`)
	return backedUp(t, src), src
}

// stop stops a process, and waits until each of its threads has stopped: one that has not may still take a request, and the kernel lets
// nobody go whose request was taken and not answered.
func stop(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	running := func() bool {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		if err != nil || len(threads) == 0 {
			t.Fatalf("no threads of %d: %v", pid, err)
		}
		return slices.ContainsFunc(threads, func(file string) bool {
			stat, err := os.ReadFile(file)
			return err == nil && !bytes.Contains(stat, []byte(") T "))
		})
	}
	for deadline := time.Now().Add(10 * time.Second); running(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it goes on running")
		}
	}
}

func TestAServerThatIsStoppedHoldsNobodyForGood(t *testing.T) {
	archive, src := smallArchive(t)
	mnt := mount(t, archive, "")
	pid := serverOf(t, mnt)
	stop(t, pid)
	defer syscall.Kill(pid, syscall.SIGCONT)
	reader := exec.Command("cat", mnt+"/latest"+src+"/a/large")
	var out bytes.Buffer
	reader.Stdout = &out
	if err := reader.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- reader.Wait() }()
	select {
	case err := <-ended:
		t.Fatalf("a reader of a server that is stopped ended: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	if err := reader.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("the killed reader goes on waiting")
	}
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	sameByDiff(t, src, mnt+"/latest"+src)
}

func TestAServerThatIsKilledLeavesAMountThatSaysSo(t *testing.T) {
	archive, src := smallArchive(t)
	mnt := mount(t, archive, "")
	holder := exec.Command("tail", "-f", "-n0", mnt+"/latest"+src+"/a/1")
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = holder.Process.Kill()
		_ = holder.Wait()
	}()
	if err := syscall.Kill(serverOf(t, mnt), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if out, err := within(t, 10*time.Second, "cat", mnt+"/latest"+src+"/a/large"); err != nil && strings.Contains(out, "not connected") {
			break
		}
	}
	o := run(t, command("dura-mount", archive, mnt))
	if o.status != 1 || !strings.Contains(o.stderr, `take it away: "umount `+mnt+`"`) {
		t.Errorf("mounting there again: %d, %s", o.status, o.stderr)
	}
	if out, err := within(t, 10*time.Second, "umount", "-l", mnt); err != nil {
		t.Fatal(err, out)
	}
	if o := run(t, command("dura-mount", archive, mnt)); o.status != 0 {
		t.Fatal(o.stderr)
	}
	sameByDiff(t, src, mnt+"/latest"+src)
}

// objects of a kind, oldest first.
func objects(t *testing.T, archive, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(archive, "bands", pattern))
	if err != nil || len(names) == 0 {
		t.Fatalf("no %s: %v", pattern, err)
	}
	return names
}

func TestAnArchiveThatIsHarmedWhileMountedLosesWhatIsHarmedAlone(t *testing.T) {
	for name, harm := range map[string]func(block string) error{
		"deleted": os.Remove,
		"emptied": func(block string) error { return os.Truncate(block, 0) },
		"cut":     func(block string) error { return os.Truncate(block, 1<<20) },
		"overwritten": func(block string) error {
			return exec.Command("dd", "if=/dev/urandom", "of="+block, "bs=1M", "count=5", "conv=notrunc").Run()
		},
		"a directory": func(block string) error { return errorsOf(os.Remove(block), os.Mkdir(block, 0o755)) },
		"a fifo":      func(block string) error { return errorsOf(os.Remove(block), syscall.Mkfifo(block, 0o644)) },
		"forbidden":   func(block string) error { return os.Chmod(block, 0) }, // root reads it all the same
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // much of it is waiting
			archive, src := smallArchive(t)
			mnt := mount(t, archive, "")
			shown := mnt + "/latest" + src
			blocks := objects(t, archive, "*/data/*/*")
			if err := harm(blocks[len(blocks)-1]); err != nil {
				t.Fatal(err)
			}
			lost := 0
			for _, line := range lines(shell(t, src, "find . -type f | sort")) {
				want, err := os.ReadFile(filepath.Join(src, line))
				if err != nil {
					t.Fatal(err)
				}
				got, err := exec.Command("cat", filepath.Join(shown, line)).Output()
				switch {
				case err != nil:
					lost++
					if !bytes.HasPrefix(want, got) {
						t.Errorf("%s has something else ahead of the damage", line)
					}
				case !bytes.Equal(got, want):
					t.Errorf("%s is not what was stored, and there is no error", line)
				}
			}
			if all := name != "forbidden"; (lost > 0) != all || lost > 40 {
				t.Errorf("%d files are lost", lost)
			}
			checkStatus(t, mnt, lost)
			if out := shell(t, mnt, "ls latest"+src+"/a | wc -l"); out != "21\n" {
				t.Errorf("the directory has %s", out)
			}
		})
	}
}

func errorsOf(all ...error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}

// checkStatus holds a mount's status to that so many files could not be read.
func checkStatus(t *testing.T, mnt string, lost int) {
	t.Helper()
	var status struct {
		Alarms     int
		LastAlarms []struct{ Area, Condition, Filename, Message string } `json:"last_alarms"`
	}
	if err := json.Unmarshal([]byte(shell(t, mnt, "sleep 1.1; cat .dura/status.json")), &status); err != nil {
		t.Fatal(err)
	}
	if status.Alarms < lost || status.Alarms > 2*lost {
		t.Errorf("there are %d alarms of %d lost files", status.Alarms, lost)
	}
	for _, a := range status.LastAlarms {
		if a.Area != "block" || !strings.HasPrefix(a.Filename, "bands/2") || !strings.Contains(a.Message, "src/") || !strings.Contains(a.Message, "of band 2") {
			t.Errorf("the alarm does not say what and where: %+v", a)
		}
	}
}

// An archive whose disk goes away must not look like an empty one.
func TestAnArchiveThatGoesAwayIsAnError(t *testing.T) {
	archive, src := smallArchive(t)
	mnt := mount(t, archive, "timeout=5s")
	before := shell(t, mnt, "ls -A")
	if err := os.Rename(archive, archive+"-away"); err != nil {
		t.Fatal(err)
	}
	shell(t, "/", "mkdir "+archive+"-away/bands.not && mv "+archive+"-away/bands/* "+archive+"-away/bands.not/")
	if got := shell(t, mnt, "sleep 1.1; ls -A; sleep 1.1; ls -A"); got != before+before {
		t.Errorf("the mount has\n%s", got)
	}
	if out, err := within(t, 20*time.Second, "ls", mnt+"/latest"+src+"/b"); err == nil && out == "" {
		t.Error("a directory of a band looks empty")
	}
	mirror := filepath.Join(scratch(t), "mirror")
	shell(t, "/", "cp -a "+src+" "+mirror)
	shell(t, "/", fmt.Sprintf("rsync -a --delete %s/latest%s/ %s/ 2>&1 || true", mnt, src, mirror))
	sameByDiff(t, src, mirror)
	shell(t, "/", "mv "+archive+"-away/bands.not/* "+archive+"-away/bands/ && mv "+archive+"-away "+archive)
	sameByDiff(t, src, mnt+"/latest"+src)
}

// An archive on a disk that does not answer: here it is in a mount whose server is stopped.
func TestAnArchiveThatDoesNotAnswerFailsInTime(t *testing.T) {
	archive, src := smallArchive(t)
	outer := mount(t, backedUp(t, archive), "")
	inside := outer + "/latest" + archive
	mnt := mount(t, inside, "timeout=2s")
	before := shell(t, mnt, "ls -A . latest"+src+"/a")
	pid := serverOf(t, outer)
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer syscall.Kill(pid, syscall.SIGCONT)
	if out, err := within(t, 30*time.Second, "cat", mnt+"/latest"+src+"/a/large"); err == nil || !strings.Contains(out, "Input/output error") {
		t.Errorf("a file: %v", err)
	}
	if out, err := within(t, 10*time.Second, "ls", "-A", mnt); err != nil || !strings.Contains(before, out) {
		t.Errorf("the mount has %s, %v", out, err)
	}
	point := t.TempDir()
	out, err := within(t, 30*time.Second, filepath.Join(programs, "dura-mount"), inside, point, "-o", "timeout=1s")
	if err == nil || !strings.HasSuffix(out, "/archive did not answer in 1s; is its disk or its network gone?\n") {
		t.Errorf("mounting: %v, %s", err, out)
	}
	out, err = within(t, 30*time.Second, filepath.Join(programs, "dura-mount"), archive, outer, "-o", "timeout=1s")
	if err == nil || !strings.HasSuffix(out, outer+" did not answer in 1s; is its disk or its network gone?\n") {
		t.Errorf("mounting there: %v, %s", err, out)
	}
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	sameByDiff(t, src, mnt+"/latest"+src)
}
