package integration

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// noiseFiles makes a directory of files that don't compress.
func noiseFiles(t *testing.T, dir string, sizes ...int) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	random := rand.NewChaCha8([32]byte{byte(len(sizes))})
	for i, size := range sizes {
		content := make([]byte, size)
		random.Read(content)
		if err := os.WriteFile(fmt.Sprintf("%s/%03d", dir, i), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// smallDisk mounts a file system of so many bytes.
func smallDisk(t *testing.T, dir string, bytes int) (grow func(bytes int)) {
	t.Helper()
	needRoot(t)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("none", dir, "tmpfs", 0, fmt.Sprintf("size=%d", bytes)); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("no file systems can be mounted here: ", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	return func(bytes int) {
		if err := syscall.Mount("none", dir, "tmpfs", syscall.MS_REMOUNT, fmt.Sprintf("size=%d", bytes)); err != nil {
			t.Fatal(err)
		}
	}
}

// sentence checks that a program that failed said one sentence.
func sentence(t *testing.T, o outcome, parts ...string) {
	t.Helper()
	if o.status != 1 || strings.Count(o.stderr, "\n") != 1 {
		t.Errorf("exit status %d, %q", o.status, o.stderr)
	}
	for _, part := range parts {
		if !strings.Contains(o.stderr, part) {
			t.Errorf("%q does not say %q", o.stderr, part)
		}
	}
}

func TestAFullDiskAtAnyMomentHarmsNothing(t *testing.T) {
	dir := scratch(t)
	first, second := dir+"/first", dir+"/second"
	noiseFiles(t, first, 1000, 100_000)
	noiseFiles(t, second, 500_000, 300_000, 9_000_000, 100, 5_000_000, 2_000_000, 3_000_000)
	full := 0
	for megabytes := 1; ; megabytes++ {
		disk := fmt.Sprintf("%s/disk-%d", dir, megabytes)
		grow := smallDisk(t, disk, megabytes<<20)
		archive := disk + "/archive"
		dura(t, "init", archive)
		dura(t, "backup", archive, first)
		o := run(t, command("dura", "backup", archive, second))
		if o.status == 0 {
			break
		}
		full++
		sentence(t, o, "no space is left for "+archive, "what was complete before is as it was")
		dura(t, "verify", "--files", archive)
		dura(t, "restore", archive, dir+"/restored")
		same(t, first, dir+"/restored"+first)
		shell(t, archive, "cd bands && cat *.sha256 | sha256sum --quiet -c")
		if left := shell(t, archive, "find . -name '.tmp-*'"); left != "" {
			t.Errorf("left behind: %s", left)
		}
		grow(64 << 20) // somebody frees some
		dura(t, "backup", archive, second)
		dura(t, "verify", "--files", archive)
		if err := errors.Join(os.RemoveAll(dir+"/restored"), syscall.Unmount(disk, 0)); err != nil {
			t.Fatal(err)
		}
	}
	if full < 10 {
		t.Errorf("the disk was full %d times only", full)
	}
}

func TestAFullDiskLeavesWholeFilesWhereItIsRestored(t *testing.T) {
	dir := scratch(t)
	src, archive := dir+"/src", dir+"/archive"
	noiseFiles(t, src, 500_000, 300_000, 9_000_000, 100, 5_000_000, 2_000_000, 3_000_000)
	dura(t, "init", archive)
	dura(t, "backup", archive, src)
	for megabytes := 1; ; megabytes += 2 {
		disk := fmt.Sprintf("%s/disk-%d", dir, megabytes)
		grow := smallDisk(t, disk, megabytes<<20)
		o := run(t, command("dura", "restore", archive, disk+"/out"))
		if o.status == 0 {
			break
		}
		sentence(t, o, "no space left on device", "each file there is whole")
		wholeOrAbsent(t, src, disk+"/out"+src)
		grow(64 << 20)
		dura(t, "restore", "--overwrite", archive, disk+"/out")
		same(t, src, disk+"/out"+src)
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Fatal(err)
		}
	}
}

// wholeOrAbsent checks that what is of a tree's files elsewhere is as it is in the tree, and that there is nothing else.
func wholeOrAbsent(t *testing.T, src, dest string) {
	t.Helper()
	err := filepath.WalkDir(dest, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		got, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		want, err := os.ReadFile(src + strings.TrimPrefix(path, dest))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is half there: %d of %d bytes, %v", path, len(got), len(want), err)
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
}

// TestASourceThatChangesAllTheTimeIsStoredConsistently has files that grow, shrink, change and vanish while they are backed up.
func TestASourceThatChangesAllTheTimeIsStoredConsistently(t *testing.T) {
	dir := scratch(t)
	src, archive := dir+"/src", dir+"/archive"
	noiseFiles(t, src, 40_000_000, 40_000_000, 40_000_000, 40_000_000)
	for i := range 2000 {
		if err := os.WriteFile(fmt.Sprintf("%s/small-%d", src, i), []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	dura(t, "init", archive)
	c := command("dura", "backup", archive, src)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	change(t, src, ended)
	if status := c.ProcessState.ExitCode(); status != 3 {
		t.Errorf("exit status %d\n%s%s", status, stdout.String(), stderr.String())
	}
	for line := range strings.Lines(stderr.String()) {
		more := strings.HasPrefix(line, "dura: more alarms source/missing")
		if !more && !strings.HasPrefix(line, "dura: source/mismatch: "+src) && !strings.HasPrefix(line, "dura: source/missing: "+src) {
			t.Error(line)
		}
	}
	if !strings.Contains(stderr.String(), "it changed while it was read; what was stored is what was read") {
		t.Error(stderr.String())
	}
	dura(t, "verify", "--files", archive)
	dura(t, "restore", archive, dir+"/dest")
}

// change goes on changing files until the program that reads them has ended.
func change(t *testing.T, src string, ended chan error) {
	grows, err1 := os.OpenFile(src+"/000", os.O_WRONLY|os.O_APPEND, 0)
	shrinks, err2 := os.OpenFile(src+"/001", os.O_WRONLY, 0)
	changes, err3 := os.OpenFile(src+"/002", os.O_WRONLY, 0)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Error(err)
	}
	defer grows.Close()
	defer shrinks.Close()
	defer changes.Close()
	for i := 0; ; i++ {
		select {
		case <-ended:
			return
		default:
		}
		_, err1 := grows.Write([]byte("more"))
		err2 := shrinks.Truncate(max(0, 40_000_000-int64(i)*1000))
		_, err3 := changes.WriteAt([]byte{byte(i)}, int64(i)*7919%40_000_000)
		err4 := os.Remove(fmt.Sprintf("%s/small-%d", src, i))
		if errors.Is(err4, fs.ErrNotExist) {
			err4 = nil
		}
		if err := errors.Join(err1, err2, err3, err4); err != nil {
			t.Error(err)
			<-ended
			return
		}
	}
}

// interrupted runs a program and sends it a signal after a time. It reports false where the program had ended by then. A status
// of -1 says that the signal came before anything was begun.
func interrupted(t *testing.T, c *exec.Cmd, after time.Duration) (o outcome, hit bool) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(after)
	c.Process.Signal(os.Interrupt)
	c.Wait()
	o = outcome{stdout: stdout.String(), stderr: stderr.String(), status: c.ProcessState.ExitCode()}
	return o, o.status != 0
}

func TestInterruptsLeaveWholeThings(t *testing.T) {
	dir := scratch(t)
	src, archive := dir+"/src", dir+"/archive"
	sizes := make([]int, 400)
	for i := range sizes {
		sizes[i] = 1000 * i
	}
	noiseFiles(t, src, sizes...)
	dura(t, "init", archive)
	dura(t, "backup", archive, src+"/001")
	for after := 5 * time.Millisecond; ; after = after * 3 / 2 {
		o, hit := interrupted(t, command("dura", "backup", archive, src), after)
		if !hit {
			break
		}
		if o.status != -1 && !strings.HasPrefix(o.stderr, "dura: stopped early, as asked; ") {
			sentence(t, o, "dura: interrupted")
		}
		dura(t, "verify", "--files", archive)
		if left := shell(t, archive, "find . -name '.tmp-*'"); left != "" {
			t.Errorf("left behind after %v: %s", after, left)
		}
	}
	for after := 5 * time.Millisecond; ; after = after * 3 / 2 {
		dest := fmt.Sprintf("%s/dest-%d", dir, after)
		o, hit := interrupted(t, command("dura", "restore", archive, dest), after)
		if !hit {
			same(t, src, dest+src)
			break
		}
		if o.status != -1 {
			sentence(t, o, "dura: interrupted")
		}
		wholeOrAbsent(t, src, dest+src)
	}
}
