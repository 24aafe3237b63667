package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/format"
	"dura/archive/storage"
	"dura/archive/storage/memory"
	"dura/archive/storage/storagetest"
	"dura/archive/verify"
	"dura/writer"
)

// disk is an archive for a tree, with a complete band of how that was before.
type disk struct {
	t       *testing.T
	tree    *tree
	objects map[string][]byte
	whole   int64 // bytes of blocks behind a backup that nothing disturbs
	runs    int   // so far; each has a time of its own
}

// crashSettings make several blocks of each stream.
var crashSettings = format.Settings{
	Compression: format.NoCompression, BlockBytes: 192<<10 + 16<<10, FrameBytes: 4 << 10, SplitBytes: 1000, ChunkMinBytes: 64,
	ChunkMeanBytes: 256, ChunkMaxBytes: 1024,
}

func newDisk(t *testing.T, s shape, parity string) *disk {
	t.Helper()
	d := &disk{t: t, tree: &tree{host: "host", root: "/tree"}}
	rng := rand.New(rand.NewPCG(1, 1))
	d.tree.change(0, rng, func(e *edit) { e.populate(s) })
	st := memory.New()
	settings := crashSettings
	settings.Parity = parity
	o := archive.CreateOptions{ID: "00112233445566778899aabbccddeeff", Now: d.now(), Settings: settings}
	if err := archive.Create(t.Context(), st, o); err != nil {
		t.Fatal(err)
	}
	if _, err := d.backup(st); err != nil {
		t.Fatal(err)
	}
	d.tree.change(1, rng, func(e *edit) {
		for range s.entries {
			e.mutate(s)
		}
	})
	d.objects = contents(t, st)
	return d
}

func (d *disk) now() time.Time { return time.Date(2026, 1, 1, 0, 0, d.runs, 0, time.UTC) }

// storage is what the disk held when it was made.
func (d *disk) storage() *memory.Storage {
	d.t.Helper()
	st := memory.New()
	for name, data := range d.objects {
		if err := st.Create(d.t.Context(), name, data); err != nil {
			d.t.Fatal(err)
		}
	}
	return st
}

func (d *disk) backup(st storage.Storage) (writer.Result, error) {
	ctx := d.t.Context()
	a, err := archive.Open(ctx, st, archive.Options{})
	if err != nil {
		return writer.Result{}, err
	}
	defer a.Close()
	set, err := alarm.NewSet(alarm.Options{})
	if err != nil {
		return writer.Result{}, err
	}
	d.runs++
	src := &walker{tree: d.tree, pause: func(context.Context, format.Path) error { return nil }}
	result, err := writer.Backup(ctx, a, src, writer.Options{
		Now: d.now, Random: io.MultiReader(bytes.NewReader([]byte{0, byte(d.runs >> 8), byte(d.runs)}), rand.NewChaCha8([32]byte{})), Host: d.tree.host, Program: "sim",
		Sources: []string{d.tree.root}, Alarms: set, Workers: 2,
	})
	if open := src.open.Load(); open != 0 {
		d.t.Errorf("%d handles are open", open)
	}
	return result, err
}

// judge checks every band in st, the first against the older version of the tree and others against the later.
func (d *disk) judge(st storage.Storage) error {
	ctx := d.t.Context()
	a, err := archive.Open(ctx, st, archive.Options{})
	if err != nil {
		return err
	}
	defer a.Close()
	bands, err := a.Bands(ctx)
	if err != nil {
		return err
	}
	for i, state := range bands {
		b, err := a.OpenBand(ctx, state)
		if err != nil {
			return err
		}
		found, err := read(ctx, a, b)
		if err != nil {
			return err
		}
		if err := compare(b, []*snapshot{d.tree.versions[min(i, 1)].snapshot}, found, true); err != nil {
			return fmt.Errorf("band %s: %w", b.ID(), err)
		}
	}
	return verified(ctx, a, bands, verify.Files, func(alarm.Alarm) bool { return false })
}

// contents are all objects of a storage.
func contents(t *testing.T, st storage.Storage) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for info, err := range st.List(t.Context(), "", storage.Deep) {
		if err != nil {
			t.Fatal(err)
		}
		if all[info.Name], err = st.Read(t.Context(), info.Name, 0, int(info.SizeBytes)); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// blockBytes is what the blocks among objects have together.
func blockBytes(objects map[string][]byte) (sum int64) {
	for name, data := range objects {
		if strings.HasSuffix(name, ".tar.zst") {
			sum += int64(len(data))
		}
	}
	return sum
}

// TestACrashAtEveryOperation crashes a small backup at each of its operations, once ahead of its effect and once behind it, and
// goes on: all that was complete is as it was, the tree is exact, and little is stored twice.
func TestACrashAtEveryOperation(t *testing.T) {
	for _, parity := range []string{"none", "3+2"} {
		t.Run(parity, func(t *testing.T) { crashAtEveryOperation(t, parity) })
	}
}

func crashAtEveryOperation(t *testing.T, parity string) {
	d := newDisk(t, shape{entries: 30, flood: 700, fileBytes: 1500, bulkBytes: 20_000}, parity)
	st := d.storage()
	whole := storagetest.NewCrashing(st, math.MaxInt, storagetest.Undone)
	if _, err := d.backup(whole); err != nil {
		t.Fatal(err)
	}
	operations := whole.Operations()
	d.whole = blockBytes(contents(t, st))
	t.Logf("%d operations", operations)
	if operations < 20 {
		t.Error("they are few")
	}
	for n := range operations {
		if testing.Short() && n%7 != 0 {
			continue
		}
		for _, fate := range []storagetest.Fate{storagetest.Undone, storagetest.Done} {
			if err := d.crashAndGoOn(n, fate); err != nil {
				t.Fatalf("crashed in operation %d, fate %d: %v", n+1, fate, err)
			}
		}
	}
}

func (d *disk) crashAndGoOn(after int, fate storagetest.Fate) error {
	st := d.storage()
	if _, err := d.backup(storagetest.NewCrashing(st, after, fate)); err != nil && !errors.Is(err, storagetest.ErrCrashed) {
		return err
	}
	if err := d.judge(st); err != nil {
		return fmt.Errorf("after the crash: %w", err)
	}
	result, err := d.backup(st)
	if err != nil {
		return err
	}
	if err := d.judge(st); err != nil {
		return fmt.Errorf("in the end: %w", err)
	}
	if err := d.once(st, result.Band); err != nil {
		return err
	}
	for name, data := range d.objects {
		if got, err := st.Read(d.t.Context(), name, 0, len(data)+1); err != nil || !bytes.Equal(got, data) {
			return fmt.Errorf("%s has changed: %v", name, err)
		}
	}
	return nil
}

// once checks that what the crashed run had stored was found again: at the most one block more is stored than without a crash.
func (d *disk) once(st storage.Storage, band format.BandID) error {
	a, err := archive.Open(d.t.Context(), st, archive.Options{})
	if err != nil {
		return err
	}
	defer a.Close()
	twice, err := storedTwice(d.t.Context(), a, band)
	if err != nil {
		return err
	}
	const block = 16<<10 + 4<<10 // with its footer
	if more := blockBytes(contents(d.t, st)) - d.whole; twice > 0 || more > block {
		return fmt.Errorf("%d bytes of content are stored twice, and blocks have %d bytes more", twice, more)
	}
	return nil
}
