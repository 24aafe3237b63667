package verify_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/alarm/alarmtest"
	"dura/archive/archivetest"
	"dura/archive/event"
	"dura/archive/format"
	"dura/archive/storage"
	"dura/archive/storage/memory"
	"dura/archive/storage/storagetest"
	"dura/archive/verify"
)

// noise is data that does not compress, another for each seed.
func noise(seed, n int) []byte {
	out := make([]byte, n)
	state := uint64(seed)
	for i := range out {
		state = state*6364136223846793005 + 1442695040888963407
		out[i] = byte(state >> 56)
	}
	return out
}

// twoBands have every kind of object. The second one has a block of its own and refers to those of the first, and to its hunk.
func twoBands(t testing.TB) *memory.Storage {
	st := archivetest.NewArchive(t)
	sizes := archivetest.Band{Storage: st, ID: archivetest.BandID(0), HunkEntries: 3, FrameBytes: 4000, SpanBytes: 2000, BlockFrames: 2, SpansInline: 2}
	holes := archivetest.File("holes", nil)
	holes.Content = []archivetest.Part{{HoleBytes: 1000, Data: noise(4, 500)}, {HoleBytes: 70_000}}
	first := archivetest.NewBand(t, sizes)
	entries, hunks, fences := first.Write([]archivetest.Item{
		archivetest.Dir(""), archivetest.File("a", noise(1, 3000)), archivetest.File("b", noise(2, 100)), archivetest.File("empty", nil), holes,
		archivetest.File("z", noise(3, 9000)),
	})
	first.Tail(fences)
	sizes.ID, sizes.Parent = archivetest.BandID(1), archivetest.BandID(0)
	second := archivetest.NewBand(t, sizes)
	fresh, _, _ := second.Write([]archivetest.Item{archivetest.File("y", noise(5, 700))})
	own := second.Hunk(append(fresh, entries[5]))
	second.Tail([]format.FenceRef{second.Fence([]format.HunkRef{hunks[0], own})})
	return st
}

// check verifies all bands, and returns the alarms of the archive and of the check together.
func check(t testing.TB, st storage.Storage, o verify.Options) (verify.Result, []string) {
	t.Helper()
	raised := &alarmtest.Alarms{}
	a, err := archive.Open(t.Context(), st, archive.Options{Alarms: raised})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	bands, err := a.Bands(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	o.Alarms = raised
	r, err := verify.Verify(t.Context(), a, bands, o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Damaged != int64(len(raised.Raised())) {
		t.Errorf("%d damaged, and the alarms are %q", r.Damaged, raised.Sorted())
	}
	return r, raised.Sorted()
}

func allDepths() map[string]verify.Depth {
	return map[string]verify.Depth{"objects": verify.Objects, "blocks": verify.Blocks, "files": verify.Files}
}

func TestAWholeArchiveGivesNoAlarm(t *testing.T) {
	st := twoBands(t)
	var blockBytes int64
	var objects int64
	for info, err := range st.List(t.Context(), "bands/", storage.Deep) {
		if err != nil {
			t.Fatal(err)
		}
		objects++
		if strings.Contains(info.Name, "/data/") {
			blockBytes += info.SizeBytes
		}
	}
	for name, depth := range allDepths() {
		for _, workers := range []int{0, 1, 7} {
			r, raised := check(t, st, verify.Options{Depth: depth, Workers: workers})
			// The second band has a fence and a hunk, of "y" alone, that nothing refers to.
			if len(raised) > 0 || r.Bands != 2 || r.Entries != 8 || r.Objects != objects-2 || r.Blocks != 4 || r.Unreferenced != 2 {
				t.Errorf("%s: %+v %q", name, r, raised)
			}
			if files := map[verify.Depth]int64{verify.Files: 7}[depth]; r.Files != files {
				t.Errorf("%s: %d files", name, r.Files)
			}
			if depth == verify.Blocks && r.Bytes < blockBytes || depth == verify.Objects && r.Bytes >= blockBytes {
				t.Errorf("%s: %d bytes of %d", name, r.Bytes, blockBytes)
			}
		}
	}
}

func TestNoBlockIsReadToCheckItsPresenceAndNoneTwiceToCheckItsHash(t *testing.T) {
	for _, depth := range []verify.Depth{verify.Objects, verify.Blocks} {
		rec := storagetest.NewRecorder(twoBands(t))
		check(t, rec, verify.Options{Depth: depth})
		lists := 0
		read := map[string]int64{}
		for _, op := range rec.Log() {
			switch op.Op {
			case storage.OpList:
				lists++
			case storage.OpRead:
				read[op.Name] += op.Bytes
			}
		}
		if lists != 2+2 { // bands, asked twice, and one for each band
			t.Error(lists, "listings")
		}
		for name, bytes := range read {
			info, err := rec.Stat(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			if isBlock := strings.Contains(name, "/data/"); isBlock && (depth == verify.Objects || bytes != info.SizeBytes) {
				t.Errorf("depth %d: %d of %d bytes of %s", depth, bytes, info.SizeBytes, name)
			}
		}
	}
}

func TestAnIncompleteBandIsCheckedAsFarAsItGoes(t *testing.T) {
	st := archivetest.NewArchive(t)
	w := archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0), HunkEntries: 2})
	w.Write([]archivetest.Item{archivetest.Dir(""), archivetest.File("a", noise(1, 3000)), archivetest.File("b", noise(2, 3000))})
	if err := st.Delete(t.Context(), format.FenceName(archivetest.BandID(0), 0)); err != nil {
		t.Fatal(err)
	}
	if r, raised := check(t, st, verify.Options{Depth: verify.Files}); len(raised) > 0 || r.Files != 2 || r.Objects != 4 { // head, two hunks, block
		t.Errorf("%+v %q", r, raised)
	}
	damaged := storagetest.NewDamaged(st)
	damaged.Flip(format.HunkName(archivetest.BandID(0), 1), 100)
	if _, raised := check(t, damaged, verify.Options{}); !slices.Equal(raised, []string{"band/corrupt " + format.HunkName(archivetest.BandID(0), 1)}) {
		t.Errorf("%q", raised)
	}
}

func TestOneBandAlone(t *testing.T) {
	st := twoBands(t)
	a, err := archive.Open(t.Context(), st, archive.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := a.FindBand(t.Context(), "latest")
	if err != nil {
		t.Fatal(err)
	}
	raised := &alarmtest.Alarms{}
	lost := format.BlockName(archivetest.BandID(0), 0)
	if err := st.Delete(t.Context(), lost); err != nil {
		t.Fatal(err)
	}
	r, err := verify.Verify(t.Context(), a, []archive.BandState{s}, verify.Options{Alarms: raised})
	if err != nil || r.Bands != 1 || r.Unreferenced != 0 || !slices.Equal(raised.Sorted(), []string{"block/missing " + lost}) {
		t.Errorf("%+v %v %q", r, err, raised.Sorted())
	}
}

func TestAnAlarmCanEndTheCheck(t *testing.T) {
	abort := &alarm.AbortError{}
	for name, depth := range allDepths() {
		st := storagetest.NewDamaged(twoBands(t))
		st.Lose(format.BlockName(archivetest.BandID(0), 0))
		raised := &alarmtest.Alarms{Verdict: alarmtest.Ending(abort)}
		a, err := archive.Open(t.Context(), st, archive.Options{})
		if err != nil {
			t.Fatal(err)
		}
		bands, err := a.Bands(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := verify.Verify(t.Context(), a, bands, verify.Options{Depth: depth, Alarms: raised}); !errors.Is(err, abort) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestACancelledCheckSaysSo(t *testing.T) {
	for name, depth := range allDepths() {
		st := twoBands(t)
		ctx, cancel := context.WithCancel(t.Context())
		a, err := archive.Open(t.Context(), st, archive.Options{})
		if err != nil {
			t.Fatal(err)
		}
		bands, err := a.Bands(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		raised := &alarmtest.Alarms{}
		_, err = verify.Verify(ctx, a, bands, verify.Options{Depth: depth, Alarms: raised, Events: func(event.Event) { cancel() }})
		if !errors.Is(err, context.Canceled) || len(raised.Raised()) > 0 {
			t.Errorf("%s: %v %v", name, err, raised)
		}
	}
}

func TestProgressReachesWhatWasExpected(t *testing.T) {
	for name, depth := range allDepths() {
		var last event.Progress
		var mu sync.Mutex
		check(t, twoBands(t), verify.Options{Depth: depth, Events: func(e event.Event) {
			mu.Lock()
			defer mu.Unlock()
			if p, ok := e.(event.Progress); ok && p.Done.Entries >= last.Done.Entries && p.Done.ContentBytes >= last.Done.ContentBytes {
				last = p
			}
		}})
		if last.Done.Entries != last.Expected.Entries || last.Done.Entries == 0 || depth == verify.Blocks && last.Done.ContentBytes < last.Expected.ContentBytes {
			t.Errorf("%s: %+v", name, last)
		}
	}
}
