package integration

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// maxPeakBytes is the memory that a backup or a restore may take, whatever the tree.
const maxPeakBytes = 150 << 20

func checkPeak(t *testing.T, what string, o outcome) {
	t.Helper()
	t.Logf("%s: peak memory %d MB", what, o.peakBytes>>20)
	if o.peakBytes > maxPeakBytes {
		t.Errorf("%s: peak memory %d MB, more than %d MB", what, o.peakBytes>>20, maxPeakBytes>>20)
	}
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
		f, err := os.Create(fmt.Sprintf("%s/file-%07d", src, i))
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	archive, dest := filepath.Join(dir, "archive"), filepath.Join(dir, "dest")
	dura(t, "init", archive)
	checkPeak(t, "backup", dura(t, "backup", "-q", archive, src))
	checkPeak(t, "restore", dura(t, "restore", "-q", archive, dest))
	list := command("dura", "ls", archive, src)
	out := run(t, list)
	checkPeak(t, "ls", out)
	if lines := strings.Count(out.stdout, "\n"); lines != files {
		t.Errorf("ls lists %d files", lines)
	}
	if entries, err := os.ReadDir(dest + src); err != nil || len(entries) != files {
		t.Errorf("%d files came back, %v", len(entries), err)
	}
	checkPeak(t, "verify", dura(t, "verify", "-q", "--files", archive))
}

func TestAFileOfEightGiBTakesNoMoreMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("takes minutes")
	}
	const bytes = 8 << 30
	dir, err := os.MkdirTemp("", "dura-test-") // on a disk: in memory it would be three times what the machine may have
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	src := filepath.Join(dir, "large")
	want := makeLarge(t, src, bytes)
	archive := filepath.Join(dir, "archive")
	dura(t, "init", archive)
	checkPeak(t, "backup", dura(t, "backup", "-q", archive, src))
	if err := os.Remove(src); err != nil {
		t.Fatal(err)
	}
	h := sha256.New()
	cat := command("dura", "cat", archive, src)
	cat.Stdout = h
	o := run(t, cat)
	checkPeak(t, "cat", o)
	if got := hex.EncodeToString(h.Sum(nil)); o.status != 0 || got != want {
		t.Errorf("exit status %d, %s\n%s, not %s", o.status, o.stderr, got, want)
	}
	checkPeak(t, "restore", dura(t, "restore", "-q", archive, filepath.Join(dir, "dest")))
	info, err := os.Stat(filepath.Join(dir, "dest", src))
	if err != nil || info.Size() != bytes {
		t.Errorf("%v, %v", info, err)
	}
}

// makeLarge writes a file in which no two chunks are alike and about half of the bytes can be compressed away.
func makeLarge(t *testing.T, name string, bytes int) string {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	w := io.MultiWriter(f, h)
	random := rand.NewChaCha8([32]byte{1})
	buf := make([]byte, 1<<20)
	for written := 0; written < bytes; written += len(buf) {
		random.Read(buf[:len(buf)/2])
		for i := len(buf) / 2; i < len(buf); i++ {
			buf[i] = "dura "[i%5]
		}
		if _, err := w.Write(buf); err != nil {
			t.Fatal(err)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
