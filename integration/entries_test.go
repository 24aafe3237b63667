package integration

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/event"
	"dura/archive/format"
	"dura/archive/storage/file"
	"dura/archive/storage/storagetest"
	"dura/writer"
	"dura/writer/source/sourcetest"
)

// manyEntries is what a child process is told, and answers.
type manyEntries struct {
	Directory string
	Tree      sourcetest.Scale
	At        time.Time

	Totals    event.Totals
	Seconds   float64
	PeakBytes int64
}

const manyEntriesVariable = "DURA_TEST_ENTRIES"

// TestManyEntriesChild is the child process, whose memory is that of a backup alone.
func TestManyEntriesChild(t *testing.T) {
	var m manyEntries
	if os.Getenv(manyEntriesVariable) == "" {
		t.Skip("for another test")
	}
	if err := json.Unmarshal([]byte(os.Getenv(manyEntriesVariable)), &m); err != nil {
		t.Fatal(err)
	}
	debug.SetGCPercent(200)
	debug.SetMemoryLimit(100 << 20) // as the program does
	st, err := file.Open(m.Directory, file.Options{})
	if err != nil {
		t.Fatal(err)
	}
	a, err := archive.Open(t.Context(), st, archive.Options{})
	if err != nil {
		t.Fatal(err)
	}
	alarms, err := alarm.NewSet(alarm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	result, err := writer.Backup(t.Context(), a, m.Tree.Source(), writer.Options{
		Now: func() time.Time { return m.At }, Random: rand.Reader, Host: "host", Sources: []string{"/source"}, Alarms: alarms,
	})
	if err != nil {
		t.Fatal(err)
	}
	m.Totals, m.Seconds, m.PeakBytes = result.Totals, time.Since(began).Seconds(), peakBytes(t)
	if err := json.NewEncoder(os.NewFile(3, "answer")).Encode(m); err != nil {
		t.Fatal(err)
	}
}

// peakBytes is the most memory that this process has had.
func peakBytes(t *testing.T) int64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("there is no /proc")
	}
	for lines := bufio.NewScanner(bytes.NewReader(status)); lines.Scan(); {
		if kilobytes, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(kilobytes, "kB")), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	t.Fatal("no peak")
	return 0
}

// back backs a tree up in a child process.
func (m manyEntries) back(t *testing.T) manyEntries {
	t.Helper()
	told, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(os.Args[0], "-test.run=^TestManyEntriesChild$")
	child.Env = append(os.Environ(), manyEntriesVariable+"="+string(told))
	child.ExtraFiles = []*os.File{write}
	out, err := child.CombinedOutput()
	write.Close()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := json.NewDecoder(read).Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestMemoryAndEffortDoNotGrowWithTheTree backs up trees of 100,000 and of 5,000,000 entries, twice each.
func TestMemoryAndEffortDoNotGrowWithTheTree(t *testing.T) {
	sizes := []int{100_000, 5_000_000}
	if testing.Short() {
		sizes = []int{20_000, 200_000}
	}
	for _, entries := range sizes {
		dir := t.TempDir()
		st, err := file.Open(dir, file.Options{})
		if err != nil {
			t.Fatal(err)
		}
		at := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
		if err := archive.Create(t.Context(), st, archive.CreateOptions{ID: strings.Repeat("0a", 16), Now: at}); err != nil {
			t.Fatal(err)
		}
		tree := sourcetest.Scale{Entries: entries, ContentEvery: 100, ContentBytes: 100}
		for run, changed := range []int{0, 100} {
			tree.Changed, tree.Change = changed, changed
			m := manyEntries{Directory: dir, Tree: tree, At: at.AddDate(0, 0, run)}.back(t)
			t.Logf("%d entries, run %d: %.1f s, %.1f µs an entry, peak memory %d MB, %d objects", entries, run, m.Seconds,
				m.Seconds/float64(entries)*1e6, m.PeakBytes>>20, m.Totals.Objects)
			if m.Totals.Entries != int64(entries) || m.PeakBytes > 200<<20 {
				t.Errorf("%d entries in %d MB", m.Totals.Entries, m.PeakBytes>>20)
			}
			if run == 1 && (m.Totals.Unchanged < int64(entries-1000) || m.Totals.Objects > 300) {
				t.Errorf("%+v", m.Totals)
			}
		}
		checkReads(t, st, tree)
	}
}

// checkReads counts what it takes to list one directory and to read one file, from the opening of the archive on.
func checkReads(t *testing.T, st *file.Storage, tree sourcetest.Scale) {
	t.Helper()
	var dir, last format.Path
	n := 0
	for it := range tree.Source().Items() {
		if n++; it.Entry.Kind == format.File && it.Data != nil && it.Data.Size > 0 && n > tree.Entries/2 {
			dir, _ = it.Entry.Path.Split()
			last = it.Entry.Path
			break
		}
	}
	for what, do := range map[string]func(context.Context, *archive.Archive, *archive.Band) error{
		"ls": func(ctx context.Context, _ *archive.Archive, b *archive.Band) error {
			for _, err := range b.ReadDir(ctx, dir, "") {
				if err != nil {
					return err
				}
			}
			return nil
		},
		"cat": func(ctx context.Context, a *archive.Archive, b *archive.Band) error {
			e, err := b.Lookup(ctx, last)
			if err != nil {
				return err
			}
			_, err = a.Content(e.Entry).ReadAt(ctx, make([]byte, e.Size), 0)
			return err
		},
	} {
		rec := storagetest.NewRecorder(st)
		a, err := archive.Open(t.Context(), rec, archive.Options{})
		if err != nil {
			t.Fatal(err)
		}
		state, err := a.FindBand(t.Context(), "latest")
		if err != nil {
			t.Fatal(err)
		}
		band, err := a.OpenBand(t.Context(), state)
		if err != nil {
			t.Fatal(err)
		}
		if err := do(t.Context(), a, band); err != nil {
			t.Fatal(err)
		}
		if c := rec.Counts(); c.Reads > 5 {
			t.Errorf("%s of %q takes %d reads: %+v", what, last, c.Reads, c)
		}
		a.Close()
	}
}
