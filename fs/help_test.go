package fs_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/alarm/alarmtest"
	"dura/archive/archivetest"
	"dura/archive/format"
	"dura/archive/storage"
	"dura/fs"
)

// mounter is who mounts in tests.
var mounter = fs.Owner{UID: 12, GID: 34}

// openArchive opens an archive until the test ends.
func openArchive(t *testing.T, st storage.Storage, alarms alarm.Raiser) *archive.Archive {
	t.Helper()
	a, err := archive.Open(t.Context(), st, archive.Options{Alarms: alarms})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

// lateRaiser passes alarms on once it is known where to.
type lateRaiser struct {
	mu    sync.Mutex
	to    *fs.FileSystem
	early []alarm.Alarm
}

func (l *lateRaiser) Raise(a alarm.Alarm) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.to != nil {
		return l.to.Raise(a)
	}
	l.early = append(l.early, a)
	return nil
}

func (l *lateRaiser) set(f *fs.FileSystem) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.to = f
	for _, a := range l.early {
		_ = f.Raise(a) // it never fails
	}
}

// newFS makes a file system that nobody has mounted.
func newFS(t *testing.T, a *archive.Archive, o fs.Options) (*fs.FileSystem, *alarmtest.Alarms) {
	t.Helper()
	alarms := &alarmtest.Alarms{}
	o.Alarms, o.Mounter = alarms, mounter
	f, err := fs.New(t.Context(), a, o)
	if err != nil {
		t.Fatal(err)
	}
	return f, alarms
}

// newBand begins a band in st.
func newBand(t *testing.T, st storage.Storage, n int) *archivetest.Band {
	t.Helper()
	return archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(n)})
}

// oneBand is an archive with a complete band of these items.
func oneBand(t *testing.T, items []archivetest.Item) storage.Storage {
	t.Helper()
	st := archivetest.NewArchive(t)
	newBand(t, st, 0).Complete(items)
	return st
}

// item is an entry of an archivetest tree that f changes.
func item(p format.Path, kind format.Kind, f func(*format.Entry)) archivetest.Item {
	it := archivetest.Dir(p)
	it.Kind = kind
	if f != nil {
		f(&it.Entry)
	}
	return it
}

// writeTree writes the files of an archivetest tree to a local directory.
func writeTree(t *testing.T, dir string, content map[string]string) {
	t.Helper()
	for name, text := range content {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// clock is a time of day that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Millisecond)
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// noise is content that does not shrink.
func noise(bytes int) []byte {
	r := rand.NewChaCha8([32]byte{1})
	content := make([]byte, bytes)
	_, _ = r.Read(content)
	return content
}
