package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// maxReads is how many reads of storage it may take to show one small file or one directory, however large the archive.
const maxReads = 5

// opened is the opening of an object, in what strace writes. Local disk opens an object for each read of it.
var opened = regexp.MustCompile(`openat\([^"]*"(DURA-ARCHIVE|[^"]*\.(?:head|tail|sha256|zst))"`)

// readsAFew runs a command of ours on an archive and counts how often it reads there.
func readsAFew(t *testing.T, archive, name string, args ...string) {
	t.Helper()
	strace := need(t, "strace")
	if err := exec.Command(strace, "-f", "true").Run(); err != nil {
		t.Skip("no process may be traced here: ", err)
	}
	trace := filepath.Join(t.TempDir(), "trace")
	o := run(t, exec.Command(strace, append([]string{
		"-f", "-qq", "-e", "trace=openat", "-o", trace, filepath.Join(programs, "dura"), name, archive,
	}, args...)...))
	if o.status != 0 {
		t.Fatalf("exit status %d: %s", o.status, o.stderr)
	}
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	reads := opened.FindAllStringSubmatch(string(text), -1)
	if len(reads) == 0 || len(reads) > maxReads {
		t.Errorf("dura %s %q: %d reads: %q", name, args, len(reads), reads)
	}
}
