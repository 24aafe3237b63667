package repair_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"dura/archive"
	"dura/archive/archivetest"
	"dura/archive/format"
	"dura/archive/repair"
	"dura/archive/seal/sealtest"
	"dura/archive/storage"
	"dura/archive/storage/memory"
)

// madeSealed is an encrypted archive with two bands, with parity.
func madeSealed(t testing.TB) *memory.Storage {
	st := archivetest.NewSealedArchive(t, sealtest.Key())
	items := []archivetest.Item{archivetest.Dir(""), archivetest.File("a", noise(3000)), archivetest.File("b", noise(100)), archivetest.Dir("d"), archivetest.File("d/f", noise(9000))}
	for n := range 2 {
		archivetest.NewBand(t, archivetest.Band{
			Storage: st, ID: archivetest.BandID(n), HunkEntries: 2, FenceHunks: 2, FrameBytes: 4000, SpanBytes: 2000, BlockFrames: 2, SpansInline: 2,
			Parity: scheme.String(), Keys: sealtest.Keys(),
		}).Complete(items)
		archivetest.Protect(t, st, archivetest.BandID(n), scheme)
	}
	return st
}

// fixLocked repairs without the archive's key.
func fixLocked(t testing.TB, st storage.Storage) repair.Result {
	t.Helper()
	a, err := archive.Open(t.Context(), st, archive.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	bands, err := a.Bands(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	result, err := repair.Repair(t.Context(), a, bands, repair.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// Of an encrypted archive, too, any object is rebuilt as it was stored, with its key and without it.
func TestAnySealedObjectIsRepairedFromParity(t *testing.T) {
	good := madeSealed(t)
	if result, said := fix(t, clone(t, good), repair.Options{}); result.Damaged > 0 || len(said.made) > 0 || result.Objects < 20 {
		t.Fatalf("%+v %+v", result, said)
	}
	if result := fixLocked(t, clone(t, good)); result.Damaged > 0 || !result.Healthy() || result.Objects < 20 {
		t.Fatalf("without the key: %+v", result)
	}
	for name := range objects(t, good) {
		inBand := strings.HasPrefix(name, format.BandsPrefix)
		if inBand && (!strings.HasPrefix(name, format.BandsPrefix+string(archivetest.BandID(0))) || numbered.MatchString(name)) {
			continue // one of a kind is enough
		}
		repairSealed(t, good, name, "deleted", false)
		if inBand {
			repairSealed(t, good, name, "flipped", false)
		}
		if inBand && !strings.HasSuffix(name, "parity/000/000000-0.rs") { // that all parity of a group is gone nobody sees without a key
			repairSealed(t, good, name, "flipped", true)
		}
	}
}

// numbered are the names of objects that are not the first of their kind.
var numbered = regexp.MustCompile(`00000[1-9]\.`)

func repairSealed(t *testing.T, good *memory.Storage, name, how string, locked bool) {
	t.Helper()
	what := name + " " + how
	st := clone(t, good)
	change(t, st, name, damages[how])
	before := objects(t, st)
	var result repair.Result
	if locked {
		what += " without the key"
		result = fixLocked(t, st)
	} else {
		result, _ = fix(t, st, repair.Options{})
	}
	if result.Damaged+result.Parity == 0 || result.Repaired != result.Damaged || !result.Healthy() {
		t.Errorf("%s: %+v", what, result)
	}
	after := objects(t, st)
	for other := range before {
		if !bytes.Equal(after[other], before[other]) {
			t.Errorf("%s: %s was changed", what, other)
		}
	}
	was := objects(t, good)[name]
	for made := range after {
		if _, old := before[made]; old || name == format.ArchiveName {
			continue
		}
		if made != name && !strings.Contains(made, "/repaired/") || strings.HasSuffix(made, format.SealedSuffix) != strings.HasSuffix(name, format.SealedSuffix) {
			t.Errorf("%s: it is stored as %s", what, made)
		}
		if !bytes.Equal(after[made], was) && !strings.HasSuffix(name, ".sha256") { // which now has the parity, too
			t.Errorf("%s: %s is not what it was", what, made)
		}
	}
	if result, said := fix(t, st, repair.Options{}); result.Damaged+result.Parity > 0 {
		t.Errorf("%s: a second repair does more: %+v %+v", what, result, said)
	}
}

// Without its key nothing tells the settings of an archive, and none are made up.
func TestNoSettingsAreMadeUp(t *testing.T) {
	st := madeSealed(t)
	change(t, st, format.ArchiveName, damages["deleted"])
	if result := fixLocked(t, st); result.Healthy() || result.Repaired > 0 || objects(t, st)[format.ArchiveName] != nil {
		t.Errorf("%+v", result)
	}
	if result, _ := fix(t, st, repair.Options{}); !result.Healthy() || result.Repaired != 1 {
		t.Errorf("with the key: %+v", result)
	}
	isHealthy(t, st, "DURA-ARCHIVE")
}
