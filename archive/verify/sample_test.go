package verify_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dura/archive/archivetest"
	"dura/archive/format"
	"dura/archive/storage"
	"dura/archive/storage/storagetest"
	"dura/archive/verify"
)

func TestAYearOfWeeklySamplesCoversEverythingAndADayIsAlwaysTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		percent := rapid.Float64Range(2, 100).Draw(t, "percent")
		step := rapid.SampledFrom([]int{1, 7}).Draw(t, "days between runs")
		start := time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "start"), 0)
		names := rapid.SliceOfNDistinct(rapid.String(), 1, 50, rapid.ID).Draw(t, "names")
		times := map[string]int{}
		parts := int(verify.Rotation(percent, start).Parts)
		if parts > 52 || float64(parts) > 100/percent {
			t.Fatalf("%v%% are %d parts", percent, parts)
		}
		for run := range parts {
			s := verify.Rotation(percent, start.AddDate(0, 0, run*step))
			for _, name := range names {
				if s.Has(name) {
					times[name]++
				}
			}
		}
		for _, name := range names {
			if times[name] != 1 {
				t.Fatalf("%q was checked %d times in %d runs", name, times[name], parts)
			}
		}
		midnight := start.UTC().Truncate(24 * time.Hour)
		if verify.Rotation(percent, midnight) != verify.Rotation(percent, midnight.Add(24*time.Hour-1)) {
			t.Fatal("two samples in a day")
		}
	})
}

func TestSamplesAreAsLargeAsTheySay(t *testing.T) {
	const names = 20_000
	for _, c := range []struct{ percent, least, most float64 }{{5, 4.5, 5.5}, {100, 100, 100}, {150, 100, 100}, {50, 48, 52}, {34, 48, 52}, {0.5, 0.3, 0.8}} {
		for kind, s := range map[string]verify.Sample{
			"random": verify.Random(c.percent, 7), "rotation": verify.Rotation(c.percent, time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)),
		} {
			n := 0
			for i := range names {
				if s.Has(fmt.Sprint("bands/x/data/", i)) {
					n++
				}
			}
			if got := float64(n) * 100 / names; got < c.least || got > c.most {
				t.Errorf("%s: %v%% are %v%%", kind, c.percent, got)
			}
		}
	}
	if a, b := verify.Random(5, 1), verify.Random(5, 2); a == b {
		t.Error("the seed does not matter")
	}
	for _, odd := range []float64{0, -1, 1e-300} {
		if s := verify.Random(odd, 1); s.Parts > 1<<32 {
			t.Error(odd, s)
		}
	}
}

// A sample reads the blocks that it has and no others; all parts together read each block once.
func TestASampleReadsItsPartAlone(t *testing.T) {
	st := archivetest.NewArchive(t)
	band := archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0), FrameBytes: 1000, BlockFrames: 1})
	items := []archivetest.Item{archivetest.Dir("")}
	for i := range 200 {
		items = append(items, archivetest.File(format.Path(fmt.Sprintf("f%03d", i)), noise(i+1, 1000)))
	}
	band.Complete(items)
	for _, depth := range []verify.Depth{verify.Blocks, verify.Files} {
		read := map[string]int{}
		var files, bytes int64
		const percent = 10
		for day := range 10 {
			recorder := storagetest.NewRecorder(st)
			s := verify.Rotation(percent, archivetest.Time.AddDate(0, 0, day))
			result, raised := check(t, recorder, verify.Options{Depth: depth, Sample: s})
			if len(raised) > 0 {
				t.Error(raised)
			}
			files += result.Files
			bytes += result.Bytes
			today := map[string]bool{}
			for _, op := range recorder.Log() {
				if op.Op == storage.OpRead && strings.Contains(op.Name, "/data/") {
					today[op.Name] = true
				}
			}
			if len(today) < 5 || len(today) > 40 {
				t.Errorf("depth %v, day %d: %d of 200 blocks were read", depth, day, len(today))
			}
			for name := range today {
				read[name]++
			}
		}
		if len(read) != 200 || slices.Max(slices.Collect(maps.Values(read))) != 1 {
			t.Errorf("depth %v: %d blocks were read", depth, len(read))
		}
		if depth == verify.Files && files != 200 || bytes < 200_000 {
			t.Errorf("depth %v: %d files, %d bytes", depth, files, bytes)
		}
	}
}

// Damage is found on the day of its part, and not on others.
func TestASampleFindsDamageInItsPart(t *testing.T) {
	st := twoBands(t)
	var name string
	for info, err := range st.List(t.Context(), "bands/"+string(archivetest.BandID(0))+"/data/", storage.Deep) {
		if err != nil {
			t.Fatal(err)
		}
		name = info.Name
	}
	damaged := storagetest.NewDamaged(st)
	damaged.Flip(name, 20)
	found := 0
	for day := range 4 {
		s := verify.Rotation(25, archivetest.Time.AddDate(0, 0, day))
		_, raised := check(t, damaged, verify.Options{Depth: verify.Blocks, Sample: s})
		if s.Has(name) != (len(raised) > 0) {
			t.Errorf("day %d: %v", day, raised)
		}
		found += len(raised)
	}
	if found != 1 {
		t.Errorf("found %d times", found)
	}
}
