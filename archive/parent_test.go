package archive_test

import (
	"errors"
	"slices"
	"testing"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/alarm/alarmtest"
	"dura/archive/archivetest"
	"dura/archive/format"
	"dura/archive/storage/memory"
)

// kinds are the alarms raised, as area/condition filename, sorted, each once.
func kinds(raised *alarmtest.Alarms) []string { return slices.Compact(raised.Sorted()) }

// asInParent is a file whose content is in the parent.
func asInParent(p format.Path) archivetest.Item {
	it := archivetest.File(p, nil)
	it.AsInParent = true
	it.Mode = 0o600
	return it
}

// chain has a band 0 with the content and n bands that refer to it, each to the one before.
func chain(t testing.TB, n int, top ...archivetest.Item) *memory.Storage {
	st := archivetest.NewArchive(t)
	archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0)}).Complete(archivetest.Tree(map[string]string{"f": "content", "d/": ""}))
	for i := 1; i <= n; i++ {
		items := append([]archivetest.Item{archivetest.Dir("")}, top...)
		archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(i), Parent: archivetest.BandID(i - 1)}).Complete(items)
	}
	return st
}

func TestContentIsFoundInTheParent(t *testing.T) {
	st := chain(t, 5, asInParent("f"))
	b := openBand(t, st, 5, archive.Options{})
	byPath, err := b.Lookup(t.Context(), "f")
	if err != nil {
		t.Fatal(err)
	}
	listed, err := collected(b.ReadDir(t.Context(), "", ""))
	if err != nil {
		t.Fatal(err)
	}
	byPlace, err := b.At(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []archive.Located{byPath, listed[0], byPlace} {
		p := make([]byte, 7)
		if _, err := b.Archive().Content(e.Entry).ReadAt(t.Context(), p, 0); err != nil || string(p) != "content" || e.Mode != 0o600 || e.AsInParent {
			t.Errorf("%q %v %+v", p, err, e.Entry)
		}
	}
}

func TestContentThatNoParentHasIsAnAlarm(t *testing.T) {
	for what, path := range map[string]format.Path{"no such path": "g", "not a file": "d"} {
		st := chain(t, 2, asInParent(path))
		raised := &alarmtest.Alarms{}
		b := openBand(t, st, 2, archive.Options{Alarms: raised})
		e, err := b.Lookup(t.Context(), path)
		if err != nil || !e.AsInParent {
			t.Fatal(what, e, err)
		}
		if got := kinds(raised); !slices.Equal(got, []string{"band/missing " + string(path)}) {
			t.Errorf("%s: %q", what, got)
		}
		e.Size = 10
		_, err = b.Archive().Content(e.Entry).At(t.Context(), 0)
		wantKind(t, err, archive.KindMissing)
	}
}

func TestAnAlarmCanEndALookup(t *testing.T) {
	abort := &alarm.AbortError{}
	b := openBand(t, chain(t, 1, asInParent("g")), 1, archive.Options{Alarms: &alarmtest.Alarms{Verdict: alarmtest.Ending(abort)}})
	if _, err := b.Lookup(t.Context(), "g"); !errors.Is(err, abort) {
		t.Error(err)
	}
	if _, err := collected(b.Subtree(t.Context(), "")); !errors.Is(err, abort) {
		t.Error(err)
	}
}

func TestParentsThatAreMissingOrGoInACircleAreAlarms(t *testing.T) {
	st := archivetest.NewArchive(t)
	items := []archivetest.Item{archivetest.Dir(""), asInParent("f")}
	for i, parent := range map[int]int{1: 2, 2: 3, 3: 1, 4: 9, 5: 5} {
		archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(i), Parent: archivetest.BandID(parent)}).Complete(items)
	}
	archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(6)}).Complete(items)
	for i, want := range map[int]string{1: "band/corrupt f", 4: "band/missing f", 5: "band/corrupt f", 6: "band/corrupt f"} {
		raised := &alarmtest.Alarms{}
		b := openBand(t, st, i, archive.Options{Alarms: raised})
		if _, err := b.Lookup(t.Context(), "f"); err != nil {
			t.Error(i, err)
		}
		if got := kinds(raised); !slices.Equal(got, []string{want}) {
			t.Errorf("%d: %q", i, got)
		}
	}
}
