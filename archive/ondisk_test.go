package archive_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"dura/archive"
	"dura/archive/archivetest"
	"dura/archive/format"
	"dura/archive/storage"
	"dura/archive/storage/storagetest"
	"dura/cache/disk"
)

func openDisk(t testing.TB, dir string, trouble func(error)) *disk.Cache {
	t.Helper()
	d, err := disk.Open(dir, disk.Options{MaxBytes: 1 << 30, FreeBytes: 1, Now: time.Now, Trouble: trouble})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// readBand reads all of a band by way of a cache on disk, as a process of its own would, in one of the two ways that frames are
// fetched, and checks every file.
func readBand(t testing.TB, st storage.Storage, d *disk.Cache, ahead bool) {
	t.Helper()
	b := openBand(t, st, 0, archive.Options{Disk: d})
	files := 0
	for e, err := range b.Subtree(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind != format.File {
			continue
		}
		files++
		content := b.Archive().Content(e.Entry)
		p := make([]byte, e.Size)
		if !ahead {
			if n, err := content.ReadAt(t.Context(), p, 0); err != nil || n != len(p) {
				t.Fatal(e.Path, err)
			}
		}
		for s, err := range content.Segments(t.Context()) {
			if err != nil {
				t.Fatal(e.Path, err)
			}
			copy(p[s.Start:], s.Data)
			s.Release()
		}
		if format.SumBytes(p) != e.SHA256 {
			t.Error(e.Path, "is another")
		}
	}
	if files == 0 {
		t.Error("there are no files")
	}
	b.Archive().Close()
}

func diskBand(t testing.TB) storage.Storage {
	st := archivetest.NewArchive(t)
	items := []archivetest.Item{archivetest.Dir("")}
	for i := range 60 {
		items = append(items, archivetest.File(format.Path(fmt.Sprintf("f%02d", i)), noise(10_000+i)))
	}
	items = append(items, archivetest.File("large", noise(1<<20)))
	archivetest.NewBand(t, archivetest.Band{
		Storage: st, ID: archivetest.BandID(0), FrameBytes: 40_000, SpanBytes: 30_000, SpansInline: 4, HunkEntries: 10,
	}).Complete(items)
	return st
}

func TestWhatIsOnDiskIsNotReadFromStorage(t *testing.T) {
	for _, ahead := range []bool{false, true} {
		dir, rec := t.TempDir(), storagetest.NewRecorder(diskBand(t))
		none := func(err error) { t.Error(err) }
		d := openDisk(t, dir, none)
		readBand(t, rec, d, ahead)
		d.Close()
		first := rec.Counts()
		rec.Reset()
		readBand(t, rec, openDisk(t, dir, none), ahead)
		if c := rec.Counts(); c.Reads != 2 || first.Reads < 10 { // the archive's head, the tail
			t.Errorf("%+v, first %+v\n%+v", c, first, rec.Log())
		}
	}
}

// A third of the files are damaged, in turn in three ways. Each costs a read of storage and is told of, and is whole again.
func TestDamageOnDiskCostsReadsOfStorage(t *testing.T) {
	dir, rec := t.TempDir(), storagetest.NewRecorder(diskBand(t))
	d := openDisk(t, dir, nil)
	readBand(t, rec, d, true)
	d.Close()
	names, err := filepath.Glob(dir + "/??/*")
	if err != nil || len(names) < 20 {
		t.Fatal(names, err)
	}
	damaged := 0
	for i := 0; i < len(names); i += 3 {
		damaged++
		text, err := os.ReadFile(names[i])
		if err != nil {
			t.Fatal(err)
		}
		switch i % 9 {
		case 0:
			text[len(text)/2] ^= 1
		case 3:
			text = text[:len(text)/2]
		case 6:
			clear(text)
		}
		if err := os.WriteFile(names[i], text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, wrong := range []int{damaged, 0} {
		var mu sync.Mutex
		var told []error
		d := openDisk(t, dir, func(err error) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, err)
		})
		rec.Reset()
		readBand(t, rec, d, false)
		d.Close()
		for _, err := range told {
			if !errors.Is(err, disk.ErrCorrupt) {
				t.Error(err)
			}
		}
		if reads := rec.Counts().Reads; reads > 2+wrong || reads < 2+wrong/2 || len(told) != wrong { // neighbours come in one
			t.Errorf("%d reads and %d told of %d that are wrong: %v", reads, len(told), wrong, told)
		}
	}
}

func TestADiskCacheThatFailsCostsNothingElse(t *testing.T) {
	st, dir := diskBand(t), t.TempDir()+"/gone"
	d := openDisk(t, dir, func(err error) {
		if !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), dir) {
			t.Error(err)
		}
	})
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	readBand(t, st, d, true)
}
