package format

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

func TestBandIDsRoundTripAndSort(t *testing.T) {
	at := time.Date(2026, 11, 23, 10, 15, 0, 999, time.FixedZone("", 3600))
	id := NewBandID(at, [3]byte{0x4f, 0x2a, 0x9c})
	if id != "2026-11-23-091500-4f2a9c" {
		t.Fatal(id)
	}
	if parsed, err := ParseBandID(string(id)); err != nil || parsed != id {
		t.Fatal(parsed, err)
	}
	if !id.Time().Equal(at.Truncate(time.Second)) {
		t.Fatal(id.Time())
	}
	for _, bad := range []string{"", "2026-11-23-091500-4F2A9C", "2026-13-23-091500-4f2a9c", "2026-11-23-091500-4f2a9", "../../../../../etc/passwd", "2026-11-23-091500-4f2a9c/"} {
		if _, err := ParseBandID(bad); err == nil {
			t.Errorf("%q passes", bad)
		}
	}
}

// What is a moment, time.Parse says too: of true ones, of days that months lack, and of those with a byte that is another.
func TestMomentsAreWhatTheTimePackageReads(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	moments := 0
	for range 300_000 {
		text := []byte(fmt.Sprintf("%04d-%02d-%02d-%02d%02d%02d", random.IntN(10_000), random.IntN(14), random.IntN(33), random.IntN(25), random.IntN(61), random.IntN(61)))
		if random.IntN(2) == 0 {
			text[random.IntN(len(text))] = "0123456789-+. \x00:/"[random.IntN(17)]
		}
		_, err := time.Parse(bandIDLayout, string(text))
		if got := isMoment(string(text)); got != (err == nil) {
			t.Fatalf("%q is a moment: %v; %v", text, got, err)
		}
		if err == nil {
			moments++
		}
	}
	if moments < 10_000 {
		t.Errorf("%d moments alone", moments)
	}
}

func TestObjectNamesParseBack(t *testing.T) {
	const b = BandID("2026-11-23-091500-4f2a9c")
	for name, want := range map[string]struct {
		kind ObjectKind
		n    uint64
	}{
		HeadName(b): {HeadObject, 0}, TailName(b): {TailObject, 0}, SumsName(b): {SumsObject, 0}, DeletedName(b): {DeletedObject, 0},
		AlarmsName(b): {AlarmsObject, 0}, BlockName(b, 0): {BlockObject, 0}, BlockName(b, 1234567): {BlockObject, 1234567},
		HunkName(b, 999): {HunkObject, 999}, SpansName(b, 1000): {SpansObject, 1000}, FenceName(b, 3): {FenceObject, 3},
		"bands/" + string(b) + "/data/000/1.tar.zst": {OtherObject, 0}, "bands/" + string(b) + ".txt": {OtherObject, 0},
	} {
		band, kind, n, err := ParseObjectName(name)
		if err != nil || band != b || kind != want.kind || n != want.n {
			t.Errorf("%s: %v %v %v %v", name, band, kind, n, err)
		}
	}
	if BlockName(b, 1234567) != "bands/2026-11-23-091500-4f2a9c/data/1234/1234567.tar.zst" {
		t.Error(BlockName(b, 1234567))
	}
	for _, foreign := range []string{"", "bands/x", "DURA-ARCHIVE", "bands/"} {
		if _, _, _, err := ParseObjectName(foreign); err == nil {
			t.Errorf("%q passes", foreign)
		}
	}
}

func FuzzParseObjectName(f *testing.F) {
	f.Add("bands/2026-11-23-091500-4f2a9c/data/000/000001.tar.zst")
	f.Fuzz(func(t *testing.T, name string) {
		band, kind, n, err := ParseObjectName(name)
		if err == nil && kind == BlockObject && BlockName(band, n) != name {
			t.Fatal(name)
		}
	})
}
