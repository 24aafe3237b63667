package archive_test

import (
	"bytes"
	"math"
	"runtime"
	"testing"

	"dura/archive"
	"dura/archive/archivetest"
	"dura/archive/format"
)

// entryAt is an empty file.
func entryAt(paths ...format.Path) []format.Entry {
	var entries []format.Entry
	for _, p := range paths {
		entries = append(entries, archivetest.File(p, nil).Entry)
	}
	return entries
}

// refuses walks a band that lies and wants an error of this kind, and no panic on the way, whatever is asked.
func refuses(t *testing.T, what string, kind archive.Kind, write func(w *archivetest.Band)) {
	t.Run(what, func(t *testing.T) {
		st := archivetest.NewArchive(t)
		write(archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0)}))
		b := openBand(t, st, 0, archive.Options{})
		n := 0
		readAll(t, b, func(err error) {
			n++
			wantKind(t, err, kind)
		})
		if n == 0 && len(b.Damage()) == 0 {
			t.Error("nobody noticed")
		}
		askAround(t, b)
	})
}

// askAround looks everything up in a band of which nothing is sure.
func askAround(t testing.TB, b *archive.Band) {
	for _, p := range []format.Path{"", "a", "b", "c", "d", "a/b", "\xff"} {
		b.Lookup(t.Context(), p)
		for e, err := range b.ReadDir(t.Context(), p, "") {
			if err == nil && e.Path == "" {
				t.Error("the root is in a directory")
			}
		}
	}
	for _, i := range []int64{-1, 0, 1, 2, 3, 1000, b.Entries() / 2, b.Entries() - 1, b.Entries(), math.MaxInt64} {
		if e, err := b.At(t.Context(), i); err == nil && e.Ordinal != i {
			t.Error(i, e.Ordinal)
		}
	}
}

func TestBandsThatContradictThemselvesAreRefused(t *testing.T) {
	refuses(t, "a hunk with fewer entries than its reference says", archive.KindCorrupt, func(w *archivetest.Band) {
		r := w.Hunk(entryAt("", "a"))
		r.Entries = 3
		w.Tail([]format.FenceRef{w.Fence([]format.HunkRef{r})})
	})
	refuses(t, "a hunk with another first path", archive.KindCorrupt, func(w *archivetest.Band) {
		r := w.Hunk(entryAt("b", "c"))
		r.FirstPath = "a"
		w.Tail([]format.FenceRef{w.Fence([]format.HunkRef{r})})
	})
	refuses(t, "hunks that overlap", archive.KindCorrupt, func(w *archivetest.Band) {
		w.Tail([]format.FenceRef{w.Fence([]format.HunkRef{w.Hunk(entryAt("", "b")), w.Hunk(entryAt("a", "c"))})})
	})
	refuses(t, "fences that overlap", archive.KindCorrupt, func(w *archivetest.Band) {
		x := w.Fence([]format.HunkRef{w.Hunk(entryAt("")), w.Hunk(entryAt("c"))})
		w.Tail([]format.FenceRef{x, w.Fence([]format.HunkRef{w.Hunk(entryAt("b")), w.Hunk(entryAt("d"))})})
	})
	refuses(t, "a hunk that goes on into the next fence", archive.KindCorrupt, func(w *archivetest.Band) {
		x := w.Fence([]format.HunkRef{w.Hunk(entryAt("", "c"))})
		w.Tail([]format.FenceRef{x, w.Fence([]format.HunkRef{w.Hunk(entryAt("b"))})})
	})
	refuses(t, "one hunk again and again", archive.KindCorrupt, func(w *archivetest.Band) {
		r := w.Hunk(entryAt("a"))
		again := r
		again.FirstPath = "b"
		w.Tail([]format.FenceRef{w.Fence([]format.HunkRef{r, again})})
	})
	refuses(t, "a fence with other counts", archive.KindCorrupt, func(w *archivetest.Band) {
		f := w.Fence([]format.HunkRef{w.Hunk(entryAt("", "a"))})
		f.Entries = 1 << 40
		w.Tail([]format.FenceRef{f})
	})
	refuses(t, "counts near the end of numbers", archive.KindCorrupt, func(w *archivetest.Band) {
		r := w.Hunk(entryAt("a"))
		r.Entries = math.MaxInt64
		w.Tail([]format.FenceRef{w.Fence([]format.HunkRef{r})})
	})
	refuses(t, "counts beyond the end of numbers", archive.KindCorrupt, func(w *archivetest.Band) {
		x, y := w.Hunk(entryAt("a")), w.Hunk(entryAt("b"))
		x.Entries, y.Entries = math.MaxInt64, math.MaxInt64
		w.Tail([]format.FenceRef{w.Fence([]format.HunkRef{x}), w.Fence([]format.HunkRef{y})})
	})
	refuses(t, "the same, incomplete", archive.KindCorrupt, func(w *archivetest.Band) {
		x, y := w.Hunk(entryAt("a")), w.Hunk(entryAt("b"))
		x.Entries, y.Entries = math.MaxInt64, math.MaxInt64
		w.Fence([]format.HunkRef{x})
		w.Fence([]format.HunkRef{y})
	})
	refuses(t, "empty hunks and fences, incomplete", archive.KindCorrupt, func(w *archivetest.Band) {
		w.Hunk(nil)
		w.Fence(nil)
		w.Hunk(entryAt("a"))
	})
	refuses(t, "a hunk of another band that isn't there", archive.KindMissing, func(w *archivetest.Band) {
		r := w.Hunk(entryAt("a"))
		r.Band = archivetest.BandID(7)
		w.Tail([]format.FenceRef{w.Fence([]format.HunkRef{r})})
	})
	refuses(t, "a tail without entries", archive.KindCorrupt, func(w *archivetest.Band) { w.Tail(nil) })
	refuses(t, "a fence in a hunk's place", archive.KindCorrupt, func(w *archivetest.Band) {
		f := w.Fence([]format.HunkRef{w.Hunk(entryAt("a"))})
		stored, err := w.Storage.Read(t.Context(), format.FenceName(w.ID, 0), 0, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		w.Put(format.HunkName(w.ID, 1), stored)
		r := format.HunkRef(f)
		r.Number = 1
		w.Tail([]format.FenceRef{w.Fence([]format.HunkRef{r})})
	})
}

func TestSpanListsThatDoNotFitAreRefused(t *testing.T) {
	refuses(t, "a span list of other bytes", archive.KindCorrupt, func(w *archivetest.Band) {
		l := w.Spans(nil)
		l.ContentBytes = 1000
		e := entryAt("", "a")
		e[1].Size, e[1].SHA256, e[1].SpanLists = 2000, format.Hash{1}, []format.SpanListRef{l}
		w.Tail([]format.FenceRef{w.Fence([]format.HunkRef{w.Hunk(e)})})
	})
	refuses(t, "a span list of too many bytes", archive.KindCorrupt, func(w *archivetest.Band) {
		f := &format.Frame{Block: &format.Block{Band: w.ID, StoredBytes: 1}, RawBytes: 100}
		l := w.Spans([]format.Span{{Frame: f, Bytes: 10, HoleBytes: math.MaxInt64}, {Frame: f, Bytes: 10, HoleBytes: math.MaxInt64}})
		l.ContentBytes = 1000
		e := entryAt("", "a")
		e[1].Size, e[1].SHA256, e[1].SpanLists = 2000, format.Hash{1}, []format.SpanListRef{l}
		w.Tail([]format.FenceRef{w.Fence([]format.HunkRef{w.Hunk(e)})})
	})
}

// A frame or an index object that would be huge is refused for what its header says, and costs next to no memory.
func TestDecompressionBombsAreRefused(t *testing.T) {
	enc, err := format.NewEncoder(format.DefaultCompression)
	if err != nil {
		t.Fatal(err)
	}
	bomb := enc.Append(nil, make([]byte, 100<<20))
	st := archivetest.NewArchive(t)
	w := archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0)})
	w.Put(format.BlockName(w.ID, 0), bomb)
	block := &format.Block{Band: w.ID, StoredBytes: int64(len(bomb)), SHA256: format.SumBytes(bomb)}
	f := &format.Frame{Block: block, StoredBytes: uint32(len(bomb)), RawBytes: 10, Sum: format.SumFrame(bomb)}
	e := entryAt("", "a")
	e[1].Size, e[1].SHA256, e[1].Spans = 10, format.Hash{1}, []format.Span{{Frame: f, Bytes: 10}}
	good := w.Hunk(e)
	w.Put(format.HunkName(w.ID, 1), bomb)
	bad := format.HunkRef{Band: w.ID, Number: 1, StoredBytes: int64(len(bomb)), SHA256: format.SumBytes(bomb), Entries: 1, FirstPath: "b"}
	w.Tail([]format.FenceRef{w.Fence([]format.HunkRef{good, bad})})

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var objects [][]byte
	readAll(t, openBand(t, st, 0, archive.Options{}), func(err error) {
		objects = append(objects, []byte(wantKind(t, err, archive.KindCorrupt).Object))
	})
	runtime.ReadMemStats(&after)
	if len(objects) != 2 || !bytes.Equal(objects[0], []byte(format.BlockName(w.ID, 0))) || !bytes.Equal(objects[1], []byte(format.HunkName(w.ID, 1))) {
		t.Errorf("%q", objects)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
		t.Errorf("%d bytes of memory for two bombs", used)
	}
}

// A hunk, a fence or a span list of millions of empty parts is small, and would be large in memory.
func TestIndexesOfCountlessPartsAreRefused(t *testing.T) {
	enc, err := format.NewEncoder(format.DefaultCompression)
	if err != nil {
		t.Fatal(err)
	}
	repeated := func(unit string) []byte { return enc.Append(nil, bytes.Repeat([]byte(unit), 20<<20/len(unit))) }
	inEntry := "\x22\x80\x80\x40" + string(bytes.Repeat([]byte("\x62\x00"), 1<<19)) // an entry of 2^19 empty spans
	behindGroup := enc.Append(nil, append([]byte("\xa3\x06\xa4\x06"), bytes.Repeat([]byte("\x22\x00"), 10<<20)...))
	for what, stored := range map[string][]byte{
		"entries": repeated("\x22\x00"), "frames": repeated("\x12\x00"), "spans": repeated(inEntry), "behind a group": behindGroup,
	} {
		st := archivetest.NewArchive(t)
		w := archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0)})
		w.Put(format.HunkName(w.ID, 0), stored)
		r := format.HunkRef{Band: w.ID, StoredBytes: int64(len(stored)), SHA256: format.SumBytes(stored), Entries: 10 << 20}
		w.Tail([]format.FenceRef{w.Fence([]format.HunkRef{r})})
		b := openBand(t, st, 0, archive.Options{})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := b.Lookup(t.Context(), "")
		runtime.ReadMemStats(&after)
		wantKind(t, err, archive.KindCorrupt)
		if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
			t.Errorf("%s: %d bytes of memory for an object of %d", what, used, len(stored))
		}
	}
}
