package writer_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"dura/archive"
	"dura/archive/format"
	"dura/writer"
	"dura/writer/dedup"
	"dura/writer/source/sourcetest"
)

// withIndex gives the backups of p an index in dir, opened anew for each.
func (p *place) withIndex(dir string) {
	p.options = func(o *writer.Options) {
		x, err := dedup.Open(dir, "00112233445566778899aabbccddeeff", dedup.Options{})
		if err != nil {
			p.t.Fatal(err)
		}
		p.t.Cleanup(func() { x.Close() })
		o.Index = x
	}
}

// moved are items with their paths below another directory, as a rename leaves them.
func moved(items []sourcetest.Item, from, to format.Path) []sourcetest.Item {
	var out []sourcetest.Item
	for _, it := range items {
		if it.Entry.Path == from {
			it.Entry.Path = to
		} else if it.Entry.Path.Within(from) {
			it.Entry.Path = to + it.Entry.Path[len(from):]
		}
		out = append(out, it)
	}
	return out
}

func movingItems() []sourcetest.Item {
	return append(manyFiles(3000), sized("dir/large", sourcetest.Random(1, 300_000)), sized("dir/larger", sourcetest.Random(2, 900_000)))
}

func TestARenamedDirectoryStoresNoContent(t *testing.T) {
	items := movingItems()
	p := newPlace(t, smallSettings())
	dir := t.TempDir()
	p.withIndex(dir)
	p.now = later(1)
	p.backup(sourcetest.New(items...))
	for i, lost := range []bool{false, true} {
		if lost { // it is made anew from the archive
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
		}
		items = moved(items, "dir", "other")
		if i == 1 {
			items = moved(items, "other", "third")
		}
		p.now = later(2 + i)
		result := p.backup(sourcetest.New(items...))
		if k := p.kinds(result.Band); k[format.BlockObject] > 1 || result.Totals.StoredBytes > 600_000 { // the directory is a member
			t.Errorf("lost %v: objects %v, %d bytes", lost, k, result.Totals.StoredBytes)
		}
		sameTree(t, p.read(), items)
	}
}

func TestAnotherHostsContentIsNotStoredAgain(t *testing.T) {
	items := movingItems()
	p := newPlace(t, smallSettings())
	p.now = later(1)
	p.backup(sourcetest.New(items...))
	p.withIndex(t.TempDir())
	with := p.options
	p.options = func(o *writer.Options) { with(o); o.Host = "another" }
	p.now = later(2)
	result := p.backup(sourcetest.New(moved(items, "dir", "elsewhere")...))
	if k := p.kinds(result.Band); k[format.BlockObject] > 1 || result.Parent != "" {
		t.Errorf("objects %v, parent %q", k, result.Parent)
	}
	sameTree(t, p.read(), moved(items, "dir", "elsewhere"))
}

// TestAnIndexThatLiesHarmsNothing gives each content the place of another.
func TestAnIndexThatLiesHarmsNothing(t *testing.T) {
	items := movingItems()
	p := newPlace(t, smallSettings())
	p.now = later(1)
	first := p.backup(sourcetest.New(items...))
	dir := t.TempDir()
	x, err := dedup.Open(dir, "00112233445566778899aabbccddeeff", dedup.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p.eachHunk(first.Band, func(number uint64, entries []format.Entry) {
		lies := append(append([]format.Entry(nil), entries[1:]...), entries[0])
		if err := x.AddHunk(first.Band, number, lies); err != nil {
			t.Fatal(err)
		}
		if err := x.AddHunk(first.Band, number+1000, entries); err != nil { // of hunks that are not there
			t.Fatal(err)
		}
		for _, e := range entries {
			if err := x.AddSpans(first.Band, 77+uint64(len(e.Spans)), e.Spans); err != nil {
				t.Fatal(err)
			}
		}
	})
	if err := x.AddSpans(first.Band, 1<<64-1, nil); err != nil {
		t.Fatal(err)
	}
	if err := x.Commit(); err != nil {
		t.Fatal(err)
	}
	x.Close()
	p.withIndex(dir)
	items = moved(items, "dir", "other")
	p.now = later(2)
	p.backup(sourcetest.New(items...))
	sameTree(t, p.read(), items)
}

func (p *place) eachHunk(id format.BandID, f func(number uint64, entries []format.Entry)) {
	p.t.Helper()
	a := p.open()
	defer a.Close()
	band, err := a.OpenBand(context.Background(), archive.BandState{ID: id, Complete: true})
	if err != nil {
		p.t.Fatal(err)
	}
	for h, err := range band.Index(context.Background(), format.Root) {
		if err != nil {
			p.t.Fatal(err)
		}
		f(h.Ref.Number, h.Entries)
	}
}

// TestADamagedIndexHarmsNothing flips, cuts and empties its files.
func TestADamagedIndexHarmsNothing(t *testing.T) {
	items := movingItems()
	for name, damage := range map[string]func([]byte) []byte{
		"flipped": func(b []byte) []byte {
			for i := 0; i < len(b); i += 1000 {
				b[i] ^= 0x10
			}
			return b
		},
		"cut":     func(b []byte) []byte { return b[:len(b)/2] },
		"emptied": func([]byte) []byte { return nil },
		"garbage": func(b []byte) []byte { copy(b, dataOf(sourcetest.Random(1, int64(len(b))))); return b },
	} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name != "flipped" {
				t.Skip("one of them will do")
			}
			p := newPlace(t, smallSettings())
			dir := t.TempDir()
			p.withIndex(dir)
			p.now = later(1)
			p.backup(sourcetest.New(items...))
			files, err := filepath.Glob(filepath.Join(dir, "*"))
			if err != nil || len(files) == 0 {
				t.Fatal(fmt.Errorf("no files in the index: %w", err))
			}
			for _, file := range files {
				content, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, damage(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			p.now = later(2)
			p.backup(sourcetest.New(moved(items, "dir", "other")...))
			sameTree(t, p.read(), moved(items, "dir", "other"))
		})
	}
}
