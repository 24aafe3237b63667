package integration

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// killing is a backup that is killed again and again.
type killing struct {
	tree              string
	largeBytes        int           // of a file that does not compress
	shortest, longest time.Duration // of the processor, that each run is given
	diskBytes         int           // of the small disk to begin with
	spareBytes        int64         // that the archive may have beside a tenth more: two blocks, where those weigh
}

// theKilling is one that takes seconds, or, where DURA_KILLED is "full", that of a real tree with a file of 1 GiB.
func theKilling() killing {
	if os.Getenv("DURA_KILLED") == "full" {
		return killing{"/usr/local/go", 1 << 30, 200 * time.Millisecond, 600 * time.Millisecond, 300 << 20, 0}
	}
	return killing{"/usr/local/go/src/cmd/compile", 160 << 20, 150 * time.Millisecond, 500 * time.Millisecond, 60 << 20, 16 << 20}
}

// sources makes what is backed up.
func (k killing) sources(t *testing.T, dir string) []string {
	t.Helper()
	if testing.Short() {
		t.Skip("takes long")
	}
	if _, err := os.Stat(k.tree); err != nil {
		t.Skip(err)
	}
	large := filepath.Join(dir, "large")
	if err := os.Mkdir(large, 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(large, "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	random := rand.NewChaCha8([32]byte{7})
	buf := make([]byte, 1<<20)
	for range k.largeBytes / len(buf) {
		random.Read(buf)
		if _, err := f.Write(buf); err != nil {
			t.Fatal(err)
		}
	}
	return []string{k.tree, large}
}

// onDisk is a directory that is not in memory.
func onDisk(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "dura-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// sizeOf is how many bytes the files in a directory have.
func sizeOf(t *testing.T, dir string) (bytes int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		bytes += info.Size()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}

// run runs a backup and kills it at some time. Ended is whether it came to its end before. Time is the processor's, so that a machine that is
// busy with something else gives it no less to do.
func (k killing) run(t *testing.T, random *rand.Rand, archive string, sources []string) (o outcome, ended bool) {
	t.Helper()
	c := command("dura", append([]string{"backup", "-q", archive}, sources...)...)
	var stderr strings.Builder
	c.Stderr = &stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- c.Wait() }()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for left := k.shortest + time.Duration(random.Int64N(int64(k.longest-k.shortest))); ; {
		select {
		case <-done:
			return outcome{stderr: stderr.String(), status: c.ProcessState.ExitCode()}, true
		case <-look.C:
		}
		if used(c.Process.Pid) >= left {
			c.Process.Kill()
			<-done
			return outcome{}, false
		}
	}
}

// used is the processor time that a process has had, to the hundredth of a second; 0 if it has ended.
func used(pid int) time.Duration {
	const utime, stime = 11, 12 // behind the name, which ends with a parenthesis
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	if len(fields) <= stime {
		return 0
	}
	user, _ := strconv.Atoi(fields[utime])
	system, _ := strconv.Atoi(fields[stime])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// maxKilling bounds what may take long on a slow machine.
const maxKilling = 5 * time.Minute

// untilItEnds kills a backup again and again, and calls failed behind every run that came to its end without success.
func (k killing) untilItEnds(t *testing.T, archive string, sources []string, failed func(outcome)) (runs int) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 1))
	began := time.Now()
	for {
		runs++
		o, ended := k.run(t, random, archive, sources)
		switch {
		case ended && o.status == 0:
			return runs
		case ended:
			failed(o)
		case time.Since(began) > maxKilling:
			t.Fatalf("%d runs of it were killed in %v, and there is no end", runs, maxKilling)
		}
	}
}

// whole is how large an archive is that nothing disturbed.
func whole(t *testing.T, archive string, sources []string) int64 {
	t.Helper()
	dura(t, "init", archive)
	dura(t, append([]string{"backup", "-q", archive}, sources...)...)
	bytes := sizeOf(t, archive)
	if err := os.RemoveAll(archive); err != nil {
		t.Fatal(err)
	}
	return bytes
}

// sweepable is by when what a killed run has left half-written is seen to be nobody's.
const sweepable = 3 * time.Second

// soundAfterAll checks what an archive has become, once the next backup has swept it.
func (k killing) soundAfterAll(t *testing.T, archive string, undisturbed int64, sources []string) {
	t.Helper()
	time.Sleep(sweepable)
	dura(t, append([]string{"backup", "-q", archive}, sources...)...)
	left, err := filepath.Glob(filepath.Join(archive, ".tmp-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("half-written files are left over: %q, %v", left, err)
	}
	bytes := sizeOf(t, archive)
	t.Logf("%d bytes, %.3f of what an undisturbed one has", bytes, float64(bytes)/float64(undisturbed))
	if bytes > undisturbed*11/10+k.spareBytes {
		t.Errorf("it has %d bytes, and %d where nothing disturbs it", bytes, undisturbed)
	}
	if o := run(t, command("dura", "verify", "--files", archive)); o.status == 3 && strings.Count(o.stderr, "band/missing") == strings.Count(o.stderr, ".sha256") {
		dura(t, "repair", archive) // one was killed behind its tail, which makes a band complete, and ahead of its sums
	}
	dura(t, "verify", "-q", "--files", archive)
}

func TestABackupThatIsKilledAgainAndAgainEnds(t *testing.T) {
	k, dir := theKilling(), onDisk(t)
	sources := k.sources(t, dir)
	undisturbed := whole(t, filepath.Join(dir, "undisturbed"), sources)
	archive := filepath.Join(dir, "archive")
	dura(t, "init", archive)
	runs := k.untilItEnds(t, archive, sources, func(o outcome) { t.Fatalf("exit status %d: %s", o.status, o.stderr) })
	t.Logf("%d runs", runs)
	if runs < 3 {
		t.Error("they are too few to tell")
	}
	k.soundAfterAll(t, archive, undisturbed, sources)
	dest := filepath.Join(dir, "dest")
	dura(t, "restore", "-q", archive, dest)
	same(t, sources[0], dest+sources[0])
	same(t, sources[1], dest+sources[1])
}

// TestABackupThatIsKilledAndMeetsAFullDiskEnds: room is freed twice that is soon used up again, and then enough.
func TestABackupThatIsKilledAndMeetsAFullDiskEnds(t *testing.T) {
	k, dir := theKilling(), onDisk(t)
	sources := k.sources(t, dir)
	undisturbed := whole(t, filepath.Join(dir, "undisturbed"), sources)
	disk := filepath.Join(dir, "disk")
	grow := smallDisk(t, disk, k.diskBytes)
	archive := filepath.Join(disk, "archive")
	dura(t, "init", archive)
	full := 0
	runs := k.untilItEnds(t, archive, sources, func(o outcome) {
		sentence(t, o, "no space is left for "+archive)
		switch full++; full {
		case 2, 4:
			grow(k.diskBytes * (full + 4) / 4)
		case 6:
			grow(4 << 30)
		}
	})
	t.Logf("%d runs, %d of them found the disk full", runs, full)
	if full < 6 {
		t.Errorf("the disk was full %d times only", full)
	}
	k.soundAfterAll(t, archive, undisturbed, sources)
}
