package compare_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/alarm/alarmtest"
	"dura/archive/archivetest"
	"dura/archive/compare"
	"dura/archive/format"
	"dura/archive/repair"
	"dura/archive/storage/memory"
	"dura/archive/storage/storagetest"
)

func TestCopiesAreTheSameForSixReadsABand(t *testing.T) {
	for _, scheme := range []string{"", "3+1"} {
		st := twoBands(t, scheme)
		h, o := storagetest.NewRecorder(st), storagetest.NewRecorder(copyOf(t, st, nil))
		r, raised := mustRun(t, compare.Same, h, o, compare.Options{})
		expect(t, raised)
		objects := 0
		for _, name := range names(t, st) {
			if strings.HasPrefix(name, "bands/") && !strings.Contains(name, "/parity/") {
				objects++
			}
		}
		if r.Bands != 2 || r.Objects != int64(objects) || r.BandsOnlyHere+r.BandsOnlyThere+r.GivenUp != 0 {
			t.Errorf("%+v", r)
		}
		for _, rec := range []*storagetest.Recorder{h, o} {
			// Opening, and DURA-ARCHIVE again; of a band head, tail, and .sha256 with what says that it ends; bands, and each one for itself, and perhaps its repairs.
			if c := rec.Counts(); c.Reads != 2+2*4 || c.Lists > 1+2*2 || c.Stats != 4 {
				t.Errorf("%+v", c)
			}
			for _, op := range rec.Log() {
				if op.Op == "read" && strings.Contains(op.Name, "data/") || strings.Contains(op.Name, "index/") {
					t.Errorf("%+v", op)
				}
			}
		}
	}
}

// TestDamageIsFoundWhereverItIs has each object of one archive deleted, cut short, or flipped at its end.
func TestDamageIsFoundWhereverItIs(t *testing.T) {
	t.Run("plain", func(t *testing.T) { damageIsFound(t, twoBands(t, "")) })
	t.Run("sealed", func(t *testing.T) { damageIsFound(t, sealedBands(t, "")) })
}

func damageIsFound(t *testing.T, st *memory.Storage) {
	for _, stored := range names(t, st) {
		name := strings.TrimSuffix(stored, format.SealedSuffix)
		for how, by := range map[string]func([]byte) []byte{
			"deleted":   func([]byte) []byte { return nil },
			"cut short": func(b []byte) []byte { return b[:len(b)-1] },
			"flipped": func(b []byte) []byte {
				b[len(b)/2] ^= 1
				return b
			},
		} {
			_, kind, _, errName := format.ParseObjectName(name)
			isText := kind == format.HeadObject || kind == format.TailObject
			if how != "deleted" && errName != nil || how == "flipped" && !isText && kind != format.SumsObject || how == "cut short" && kind == format.SumsObject {
				continue // nothing is said of README.txt, and hashes of blocks and the index are for verify
			}
			damaged := copyOf(t, st, with(stored, by))
			for side := range 2 {
				h, o := damaged, st
				if side == 1 {
					h, o = st, damaged
				}
				r, raised := mustRun(t, compare.Same, h, o, compare.Options{})
				found := raised.of(name)
				if len(found) != 1 {
					t.Errorf("%s %s, side %d: %q", name, how, side, raised.texts())
					continue
				}
				if side == 1 && !strings.Contains(found[0], "OTHER") {
					t.Errorf("%s %s, side %d: %q does not say where", name, how, side, found[0])
				}
				if r.Bands != 2 {
					t.Errorf("%s %s: %+v", name, how, r)
				}
			}
		}
	}
}

func TestALineThatAnotherSHA256HasIsMissed(t *testing.T) {
	st := twoBands(t, "")
	name := format.SumsName(archivetest.BandID(0))
	less := copyOf(t, st, with(name, func(b []byte) []byte { return b[:bytes.LastIndexByte(b[:len(b)-1], '\n')+1] }))
	_, raised := mustRun(t, compare.Same, less, st, compare.Options{})
	expect(t, raised, "band/mismatch: "+name+": it has no line for "+format.FenceName(archivetest.BandID(0), 0)+", which the one in OTHER has")
	_, raised = mustRun(t, compare.Same, st, less, compare.Options{})
	expect(t, raised, "band/mismatch: "+name+": in OTHER it has no line for "+format.FenceName(archivetest.BandID(0), 0))
}

func TestWhatOnlyOneArchiveHas(t *testing.T) {
	st := twoBands(t, "")
	second := string(archivetest.BandID(1))
	less := copyOf(t, st, without(second))
	r, raised := mustRun(t, compare.Same, less, st, compare.Options{})
	expect(t, raised, "band/missing: bands/"+second+": OTHER has this band")
	if r.Bands != 1 || r.BandsOnlyThere != 1 {
		t.Errorf("%+v", r)
	}
	r, raised = mustRun(t, compare.Same, st, less, compare.Options{})
	expect(t, raised)
	if r.Bands != 1 || r.BandsOnlyHere != 1 {
		t.Errorf("%+v", r)
	}
	r, raised = mustRun(t, compare.Same, less, st, compare.Options{Only: archivetest.BandID(0)})
	expect(t, raised)
	if r.Bands != 1 || r.BandsOnlyThere != 0 {
		t.Errorf("%+v", r)
	}
	if _, _, err := run(t, compare.Same, st, less, compare.Options{Only: archivetest.BandID(1)}); !errors.Is(err, compare.ErrNothingInCommon) {
		t.Error(err)
	}
	given := copyOf(t, st, nil)
	if err := given.Create(t.Context(), format.DeletedName(archivetest.BandID(0))); err != nil {
		t.Fatal(err)
	}
	for _, both := range [][2]int{{0, 1}, {1, 0}} {
		pair := []*storagetest.Recorder{storagetest.NewRecorder(given), storagetest.NewRecorder(st)}
		r, raised = mustRun(t, compare.Same, pair[both[0]], pair[both[1]], compare.Options{})
		expect(t, raised)
		if r.Bands != 1 || r.GivenUp != 1 {
			t.Errorf("%+v", r)
		}
	}
}

func TestABandOnItsWayIsNoDamage(t *testing.T) {
	st := twoBands(t, "")
	second := archivetest.BandID(1)
	early := copyOf(t, st, without(format.TailName(second), format.SumsName(second), string(second)+"/index/000000.fence", string(second)+"/index/000001.fence"))
	r, raised := mustRun(t, compare.Same, st, early, compare.Options{})
	expect(t, raised)
	if r.Bands != 2 || r.ObjectsNotThere != 4 {
		t.Errorf("%+v", r)
	}
	_, raised = mustRun(t, compare.Same, early, st, compare.Options{})
	if len(raised.Raised()) != 4 || len(raised.of(format.TailName(second))) != 1 {
		t.Errorf("%q", raised.texts())
	}
	// Only there, and not complete: nothing is missing yet.
	r, raised = mustRun(t, compare.Same, copyOf(t, st, without(string(second))), early, compare.Options{})
	expect(t, raised)
	if r.BandsOnlyThere != 1 {
		t.Errorf("%+v", r)
	}
}

// TestAnotherHistoryIsFoundByTheIndex has bands of one name and other contents, without .sha256.
func TestAnotherHistoryIsFoundByTheIndex(t *testing.T) {
	var both [2]*storagetest.Recorder
	id := archivetest.BandID(0)
	for s := range both {
		st := archivetest.NewArchive(t)
		tree := map[string]string{"d/a": "same", "d/b": "same", "e/c": "same", "e/d": "one " + string(rune('a'+s))}
		archivetest.NewBand(t, archivetest.Band{Storage: st, ID: id, HunkEntries: 5, FrameBytes: 512, BlockFrames: 3}).Complete(archivetest.Tree(tree))
		both[s] = storagetest.NewRecorder(copyOf(t, st, without(".sha256")))
	}
	_, raised := mustRun(t, compare.Same, both[0], both[1], compare.Options{})
	for _, name := range []string{format.TailName(id), format.FenceName(id, 0), format.HunkName(id, 1), format.BlockName(id, 1)} {
		if len(raised.of(name)) != 1 {
			t.Errorf("%s: %q", name, raised.of(name))
		}
	}
	if len(raised.Raised()) != 4 {
		t.Errorf("%q", raised.texts())
	}
	for _, rec := range both {
		for _, op := range rec.Log() {
			if op.Op == "read" && (strings.Contains(op.Name, "/data/") || op.Name == format.HunkName(id, 0)) {
				t.Errorf("%+v", op) // what has the same hash is not read
			}
		}
	}
	// With .sha256 they say so themselves.
	for s := range both {
		st := archivetest.NewArchive(t)
		archivetest.NewBand(t, archivetest.Band{Storage: st, ID: id}).Complete(archivetest.Tree(map[string]string{"a": "content " + string(rune('a'+s))}))
		both[s] = storagetest.NewRecorder(st)
	}
	_, raised = mustRun(t, compare.Same, both[0], both[1], compare.Options{})
	for _, name := range []string{format.TailName(id), format.FenceName(id, 0), format.HunkName(id, 0), format.BlockName(id, 0)} {
		if len(raised.of(name)) != 1 {
			t.Errorf("%s: %q", name, raised.texts())
		}
	}
}

func TestHunksOfAnIncompleteBandAreCompared(t *testing.T) {
	st := twoBands(t, "")
	id := archivetest.BandID(0)
	incomplete := without(format.TailName(id), format.SumsName(id), "fence")
	other := archivetest.NewArchive(t)
	b := archivetest.NewBand(t, archivetest.Band{Storage: other, ID: id})
	b.Hunk([]format.Entry{archivetest.Dir("").Entry, archivetest.Dir("x").Entry})
	_, raised := mustRun(t, compare.Same, copyOf(t, copyOf(t, st, incomplete), without(string(archivetest.BandID(1)))), other, compare.Options{})
	if len(raised.of(format.HunkName(id, 0))) != 1 {
		t.Errorf("%q", raised.texts())
	}
}

func TestRepairedCopiesMakeUpForDamage(t *testing.T) {
	st := twoBands(t, "3+1")
	id := archivetest.BandID(0)
	for _, name := range []string{format.TailName(id), format.HeadName(id), format.BlockName(id, 0), format.HunkName(id, 0)} {
		damaged := copyOf(t, st, with(name, func(b []byte) []byte { return b[:len(b)-1] }))
		_, raised := mustRun(t, compare.Same, damaged, st, compare.Options{})
		if len(raised.of(name)) != 1 {
			t.Errorf("%s: %q", name, raised.texts())
		}
		a, err := archive.Open(t.Context(), damaged, archive.Options{})
		if err != nil {
			t.Fatal(err)
		}
		states, err := a.Bands(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if r, err := repair.Repair(t.Context(), a, states, repair.Options{}); err != nil || r.Repaired != 1 {
			t.Fatalf("%+v %v", r, err)
		}
		a.Close()
		_, raised = mustRun(t, compare.Same, damaged, st, compare.Options{})
		expect(t, raised)
		_, raised = mustRun(t, compare.Same, st, damaged, compare.Options{})
		expect(t, raised)
	}
}

// TestWhichTailIsWrong: without .sha256 parity tells.
func TestWhichTailIsWrong(t *testing.T) {
	st := copyOf(t, twoBands(t, "3+1"), without(".sha256"))
	name := format.TailName(archivetest.BandID(1))
	damaged := copyOf(t, st, with(name, func(b []byte) []byte {
		b[len(b)-3] ^= 1
		return b
	}))
	_, raised := mustRun(t, compare.Same, damaged, st, compare.Options{})
	expect(t, raised, "band/mismatch: "+name+": it is not what was stored, and another one in OTHER")
	_, raised = mustRun(t, compare.Same, st, damaged, compare.Options{})
	expect(t, raised, "band/mismatch: "+name+": in OTHER it is not what was stored")
}

func TestHostileSumsEnd(t *testing.T) {
	st := twoBands(t, "")
	name := format.SumsName(archivetest.BandID(0))
	for _, text := range []string{"x\n", strings.Repeat("y", 1<<17), "\n", strings.Repeat(strings.Repeat("0", 64)+"  a\n", 3)} {
		bad := copyOf(t, st, with(name, func([]byte) []byte { return []byte(text) }))
		for _, both := range [][2]int{{0, 1}, {1, 0}} {
			pair := []*storagetest.Recorder{storagetest.NewRecorder(bad), storagetest.NewRecorder(st)}
			_, raised := mustRun(t, compare.Same, pair[both[0]], pair[both[1]], compare.Options{})
			if len(raised.of(name)) != 1 || len(raised.Raised()) != 1 {
				t.Errorf("%.20q: %q", text, raised.texts())
			}
		}
	}
}

func TestAnAlarmOrTheContextEndsIt(t *testing.T) {
	st := twoBands(t, "")
	less := copyOf(t, st, without(string(archivetest.BandID(1))))
	open := func(st *storagetest.Recorder) *archive.Archive {
		a, err := archive.Open(t.Context(), st, archive.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(a.Close)
		return a
	}
	h, o := open(storagetest.NewRecorder(less)), open(storagetest.NewRecorder(st))
	end := &alarm.AbortError{}
	if _, err := compare.Same(t.Context(), h, o, compare.Options{Alarms: &alarmtest.Alarms{Verdict: alarmtest.Ending(end)}}); !errors.Is(err, end) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := compare.Same(ctx, h, o, compare.Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := compare.Contents(ctx, h, o, compare.Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
