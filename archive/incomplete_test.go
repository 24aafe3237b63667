package archive_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"dura/archive"
	"dura/archive/alarm/alarmtest"
	"dura/archive/archivetest"
	"dura/archive/format"
	"dura/archive/storage"
	"dura/archive/storage/memory"
	"dura/archive/storage/storagetest"
)

// begun is a band of 100 entries in ten hunks, two to a fence, without a tail; each object of what is stored no more.
func begun(t testing.TB, lost ...string) *memory.Storage {
	st := archivetest.NewArchive(t)
	archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0), HunkEntries: 10, FenceHunks: 2}).Write(manyFiles(99))
	for _, name := range lost {
		if err := st.Delete(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	return st
}

func fenceName(n uint64) string { return format.FenceName(archivetest.BandID(0), n) }
func hunkName(n uint64) string  { return format.HunkName(archivetest.BandID(0), n) }

func TestAnIncompleteBandHasWhatFencesAndHunksItHas(t *testing.T) {
	for _, c := range []struct {
		what    string
		lost    []string
		entries int64
		fences  int
	}{
		{"all fences", nil, 100, 5},
		{"the last fence is not there yet", []string{fenceName(4)}, 100, 4},
		{"nor the hunk ahead of it", []string{fenceName(4), hunkName(9)}, 90, 4},
		{"a hunk that came late", []string{fenceName(4), hunkName(8)}, 90, 4},
		{"no fence yet", []string{fenceName(0), fenceName(1), fenceName(2), fenceName(3), fenceName(4)}, 100, 0},
		{"a fence in the middle is lost", []string{fenceName(2)}, 100, 4},
	} {
		raised := &alarmtest.Alarms{}
		b := openBand(t, begun(t, c.lost...), 0, archive.Options{Alarms: raised})
		if b.Complete() || b.Entries() != c.entries || len(b.Fences()) != c.fences || len(b.Damage()) > 0 || len(raised.Raised()) > 0 {
			t.Errorf("%s: %d entries, %d fences, %v", c.what, b.Entries(), len(b.Fences()), b.Damage())
		}
		found, err := collected(b.Subtree(t.Context(), ""))
		if err != nil || int64(len(found)) != c.entries {
			t.Errorf("%s: %d found, %v", c.what, len(found), err)
		}
		for _, e := range found {
			if got, err := b.Lookup(t.Context(), e.Path); err != nil || got.Ordinal != e.Ordinal {
				t.Fatal(c.what, got, err)
			}
		}
	}
}

func TestABandThatHasJustBegunIsEmpty(t *testing.T) {
	st := archivetest.NewArchive(t)
	archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0)})
	b := openBand(t, st, 0, archive.Options{})
	if found, err := collected(b.Subtree(t.Context(), "")); err != nil || len(found) > 0 || b.Entries() != 0 {
		t.Error(found, err)
	}
	if found, err := collected(b.ReadDir(t.Context(), "", "")); err != nil || len(found) > 0 {
		t.Error(found, err)
	}
	_, err := b.Lookup(t.Context(), "")
	wantKind(t, err, archive.KindNotFound)
	if h, err := b.Head(t.Context()); err != nil || h.Host != "host" {
		t.Error(h, err)
	}
}

func TestDamageToAnIncompleteBandIsPassedOver(t *testing.T) {
	garbage := func(st storage.Storage, name string) {
		if err := st.Create(t.Context(), name, []byte("garbage")); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		what    string
		lost    []string
		bad     []string // garbage in its place
		entries int64
		alarm   string
	}{
		{"a loose hunk", []string{fenceName(4), hunkName(8)}, []string{hunkName(8)}, 90, "band/corrupt " + hunkName(8)},
		{"a fence, whose hunks are found", []string{fenceName(2)}, []string{fenceName(2)}, 100, "band/corrupt " + fenceName(2)},
	} {
		st := begun(t, c.lost...)
		for _, name := range c.bad {
			garbage(st, name)
		}
		raised := &alarmtest.Alarms{}
		b := openBand(t, st, 0, archive.Options{Alarms: raised})
		if b.Entries() != c.entries || len(b.Damage()) != 1 || !slices.Equal(kinds(raised), []string{c.alarm}) {
			t.Errorf("%s: %d entries, %v, %q", c.what, b.Entries(), b.Damage(), kinds(raised))
		}
	}
}

func TestHunksTwiceInAnIncompleteBandAreFoundOnce(t *testing.T) {
	st := archivetest.NewArchive(t)
	w := archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0)})
	entries, _, _ := w.Write(manyFiles(9))
	w.Hunk(entries)
	raised := &alarmtest.Alarms{}
	b := openBand(t, st, 0, archive.Options{Alarms: raised})
	if found, err := collected(b.Subtree(t.Context(), "")); err != nil || len(found) != 10 {
		t.Error(len(found), err)
	}
	if got := kinds(raised); !slices.Equal(got, []string{"band/corrupt " + hunkName(1)}) {
		t.Errorf("%q", got)
	}
}

func TestADamagedTailLeavesTheBandReadable(t *testing.T) {
	inner := archivetest.NewArchive(t)
	archivetest.NewBand(t, archivetest.Band{Storage: inner, ID: archivetest.BandID(0), HunkEntries: 10, FenceHunks: 2}).Complete(manyFiles(99))
	tail := format.TailName(archivetest.BandID(0))
	text, err := inner.Read(t.Context(), tail, 0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < bytes.LastIndexByte(text, '}'); i += 7 {
		if i%2 == 1 {
			i += 1 + bytes.IndexByte(text[i:], '\n') // it loses whole lines, and is a text protobuf
		}
		st := storagetest.NewDamaged(inner)
		st.Truncate(tail, int64(i))
		raised := &alarmtest.Alarms{}
		b := openBand(t, st, 0, archive.Options{Alarms: raised})
		if found, err := collected(b.Subtree(t.Context(), "")); err != nil || len(found) != 100 || b.Complete() {
			t.Error(i, len(found), err)
		}
		if got := kinds(raised); !slices.Equal(got, []string{"band/corrupt " + tail}) {
			t.Errorf("%d: %q", i, got)
		}
	}
	faulty := storagetest.NewFaulty(inner, storagetest.Always(storage.OpRead, tail, storage.KindIO))
	a := open(t, faulty, archive.Options{})
	_, err = a.OpenBand(t.Context(), archive.BandState{ID: archivetest.BandID(0), Complete: true})
	wantKind(t, err, archive.KindIO) // that may pass, and says nothing of the tail
}

func TestABandThatLostItsTailIsNotPassedOver(t *testing.T) {
	st := archivetest.NewArchive(t)
	for i := range 2 {
		archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(i)}).Complete(manyFiles(9))
	}
	tail := format.TailName(archivetest.BandID(1))
	if err := st.Delete(t.Context(), tail); err != nil {
		t.Fatal(err)
	}
	raised := &alarmtest.Alarms{}
	a := open(t, st, archive.Options{Alarms: raised})
	state, err := a.FindBand(t.Context(), "latest")
	if err != nil || state.ID != archivetest.BandID(1) {
		t.Fatal(state, err)
	}
	b, err := a.OpenBand(t.Context(), state)
	if err != nil || b.Complete() || b.Entries() != 10 {
		t.Error(b, err)
	}
	if got := kinds(raised); !slices.Equal(got, []string{"band/missing " + tail}) {
		t.Errorf("%q", got)
	}
}

func TestATailOfALaterVersionIsNotGuessedAt(t *testing.T) {
	st := archivetest.NewArchive(t)
	text := fmt.Sprintf("format: 9\nband: %q\n", archivetest.BandID(0))
	if err := st.Create(t.Context(), format.TailName(archivetest.BandID(0)), []byte(text)); err != nil {
		t.Fatal(err)
	}
	_, err := open(t, st, archive.Options{}).OpenBand(t.Context(), archive.BandState{ID: archivetest.BandID(0), Complete: true})
	wantKind(t, err, archive.KindTooNew)
}
