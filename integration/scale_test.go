package integration

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// maxPeakBytes is the memory that a backup or a restore may take, whatever the tree.
const maxPeakBytes = 150 << 20

// checkPeak runs a command of ours, which must end well, and checks how much memory it took. GNU time tells: what the system
// says of a child of this process begins with what this process takes itself.
func checkPeak(t *testing.T, stdout io.Writer, args ...string) {
	t.Helper()
	report := filepath.Join(t.TempDir(), "peak")
	cmd := exec.Command(need(t, "/usr/bin/time"), append([]string{"-f", "%M", "-o", report, filepath.Join(programs, "dura")}, args...)...)
	cmd.Stdout = stdout
	if o := run(t, cmd); o.status != 0 {
		t.Fatalf("dura %s: exit status %d\n%s", args[0], o.status, o.stderr)
	}
	text, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	kilobytes, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("dura %s: peak memory %d MB", args[0], kilobytes>>10)
	if kilobytes<<10 > maxPeakBytes {
		t.Errorf("dura %s: peak memory %d MB, more than %d MB", args[0], kilobytes>>10, maxPeakBytes>>20)
	}
}

// lineCounter counts the lines that are written to it.
type lineCounter struct{ lines int }

func (c *lineCounter) Write(p []byte) (int, error) {
	c.lines += bytes.Count(p, []byte{'\n'})
	return len(p), nil
}

func TestADirectoryOfAMillionFilesTakesNoMoreMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	const files = 1_000_000
	dir := scratch(t)
	src := filepath.Join(dir, "src")
	if err := os.Mkdir(src, 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range files {
		if err := syscall.Mknod(fmt.Sprintf("%s/file-%07d", src, i), syscall.S_IFREG|0o644, 0); err != nil { // half of what opening takes
			t.Fatal(err)
		}
	}
	archive, dest := filepath.Join(dir, "archive"), filepath.Join(dir, "dest")
	dura(t, "init", archive, "--parity", "none")
	checkPeak(t, io.Discard, "backup", "-q", archive, src)
	checkPeak(t, io.Discard, "restore", "-q", archive, dest)
	list := &lineCounter{}
	checkPeak(t, list, "ls", archive, src)
	if list.lines != files {
		t.Errorf("ls lists %d files", list.lines)
	}
	if out := shell(t, dest+src, "find . -type f -size 0 | wc -l"); strings.TrimSpace(out) != strconv.Itoa(files) {
		t.Errorf("%s files came back", out)
	}
	checkFind(t, archive, src, files)
	checkPeak(t, io.Discard, "verify", "-q", "--files", archive)
	readsAFew(t, archive, "cat", src+"/file-0777777")
}

func TestAFileOfEightGiBTakesNoMoreMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("takes minutes")
	}
	const size = 8 << 30
	dir, err := os.MkdirTemp("", "dura-test-") // on a disk: in memory it would be three times what the machine may have
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	src := filepath.Join(dir, "large")
	want := makeLarge(t, src, size)
	archive := filepath.Join(dir, "archive")
	dura(t, "init", archive, "--parity", "none")
	checkPeak(t, io.Discard, "backup", "-q", archive, src)
	if err := os.Remove(src); err != nil {
		t.Fatal(err)
	}
	h := sha256.New()
	checkPeak(t, h, "cat", archive, src)
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		t.Errorf("%s, not %s", got, want)
	}
	checkPeak(t, io.Discard, "restore", "-q", archive, filepath.Join(dir, "dest"))
	info, err := os.Stat(filepath.Join(dir, "dest", src))
	if err != nil || info.Size() != size {
		t.Errorf("%v, %v", info, err)
	}
}

// makeLarge writes a file in which no two chunks are alike and three quarters of the bytes can be compressed away.
func makeLarge(t *testing.T, name string, size int) string {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	w := io.MultiWriter(f, h)
	random := rand.NewChaCha8([32]byte{1})
	buf := bytes.Repeat([]byte("dura, "), 1<<20/6+1)[:1<<20]
	for written := 0; written < size; written += len(buf) {
		random.Read(buf[:len(buf)/4])
		if _, err := w.Write(buf); err != nil {
			t.Fatal(err)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
