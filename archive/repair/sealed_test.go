package repair_test

import (
	"bytes"
	"maps"
	"regexp"
	"strings"
	"testing"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/alarm/alarmtest"
	"dura/archive/archivetest"
	"dura/archive/format"
	"dura/archive/repair"
	"dura/archive/seal/sealtest"
	"dura/archive/storage"
	"dura/archive/storage/memory"
)

// madeSealed is an encrypted archive with two bands, with parity.
func madeSealed(t testing.TB) *memory.Storage {
	return sealedBands(t, true)
}

func sealedBands(t testing.TB, protect bool) *memory.Storage {
	st := archivetest.NewSealedArchive(t, sealtest.Key())
	items := []archivetest.Item{archivetest.Dir(""), archivetest.File("a", noise(3000)), archivetest.File("b", noise(100)), archivetest.Dir("d"), archivetest.File("d/f", noise(9000))}
	for n := range 2 {
		settings := archivetest.Band{
			Storage: st, ID: archivetest.BandID(n), HunkEntries: 2, FenceHunks: 2, FrameBytes: 4000, SpanBytes: 2000, BlockFrames: 2, SpansInline: 2,
			Keys: sealtest.Keys(), Metadata: !protect,
		}
		if protect {
			settings.Parity = scheme.String()
		}
		archivetest.NewBand(t, settings).Complete(items)
		if protect {
			archivetest.Protect(t, st, archivetest.BandID(n), scheme)
		}
	}
	return st
}

// fixLocked repairs without the archive's key.
func fixLocked(t testing.TB, st storage.Storage) repair.Result {
	t.Helper()
	return fixRaising(t, st, nil)
}

func fixRaising(t testing.TB, st storage.Storage, alarms alarm.Raiser) repair.Result {
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
	result, err := repair.Repair(t.Context(), a, bands, repair.Options{Alarms: alarms})
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

// An index of an encrypted archive is made anew with its key, of messages, and without it that is told and nothing is written.
func TestASealedIndexIsRebuilt(t *testing.T) {
	first, second := archivetest.BandID(0), archivetest.BandID(1)
	good := sealedBands(t, false)
	want := map[format.BandID]map[string]string{first: tree(t, good, first), second: tree(t, good, second)}
	for what, lost := range map[string]func(string) bool{
		"a hunk":          is1(format.HunkName(first, 1)),
		"all hunks":       ofKind(first, format.HunkObject),
		"a fence":         is1(format.FenceName(first, 0)),
		"the tail":        is1(format.TailName(first)),
		"the head":        is1(format.HeadName(first)),
		"tail and a hunk": either(is1(format.TailName(first)), is1(format.HunkName(first, 2))),
		"tail and sums":   ofKind(first, format.TailObject, format.SumsObject),
		"the index":       ofKind(first, format.HunkObject, format.FenceObject, format.TailObject, format.HeadObject),
	} {
		for _, how := range []string{"deleted", "flipped", "emptied"} {
			if strings.Contains(what, "sums") && how != "deleted" {
				continue
			}
			t.Run(what+" "+how, func(t *testing.T) {
				st := clone(t, good)
				for stored := range objects(t, st) {
					if name, _ := format.NameOf(stored, true); lost(name) {
						change(t, st, stored, damages[how])
					}
				}
				before := objects(t, st)
				told := &alarmtest.Alarms{}
				if !strings.Contains(what, "sums") { // where these are lost nothing tells without the key that the band was complete
					result := fixRaising(t, st, told)
					if result.Healthy() || result.Repaired > 0 || len(objects(t, st)) != len(before) {
						t.Errorf("without the key: %+v", result)
					}
					if int64(len(told.Raised())) != result.Irreparable || !strings.Contains(told.Raised()[0].Err.Error(), "not made anew, for that takes the archive's key") {
						t.Errorf("without the key: %+v", told.Raised())
					}
				}
				result, said := fix(t, st, repair.Options{})
				if !result.Healthy() || result.Repaired == 0 || result.Damaged != result.Repaired {
					t.Errorf("%+v %+v", result, said)
				}
				for name, object := range objects(t, st) {
					if old, there := before[name]; there && !bytes.Equal(old, object) {
						t.Errorf("%s was changed", name)
					}
					if plain, ok := format.NameOf(name, true); !ok || format.IsSealed(plain) && len(before[name]) == 0 && how == "deleted" && object[0] != 0xC1 {
						t.Errorf("%s is no message", name)
					}
				}
				for id, entries := range want {
					if got := tree(t, st, id); !maps.Equal(got, entries) {
						t.Errorf("%s: %v, not %v", id, got, entries)
					}
				}
				isHealthy(t, st, what)
			})
		}
	}
}

// A lost span list of an encrypted archive can't be stored again as it was: its hunk is made anew, with all else that it had.
func TestASealedSpanListIsMadeAnew(t *testing.T) {
	good := sealedBands(t, false)
	id, other := archivetest.BandID(0), archivetest.BandID(1)
	name := format.SpansName(id, 0)
	for _, how := range []string{"deleted", "flipped", "without the tail"} {
		st := clone(t, good)
		if how == "without the tail" {
			change(t, st, format.StoredName(format.TailName(id), true), damages["deleted"])
			change(t, st, format.StoredName(name, true), damages["deleted"])
		} else {
			change(t, st, format.StoredName(name, true), damages[how])
		}
		before := objects(t, st)
		if dry, _ := fix(t, st, repair.Options{DryRun: true}); !dry.Healthy() || dry.Repaired < 1 || len(objects(t, st)) != len(before) {
			t.Errorf("%s: dry run: %+v", how, dry)
		}
		result, said := fix(t, st, repair.Options{})
		if result.Damaged != result.Repaired || !result.Healthy() || len(said.lost) > 0 {
			t.Errorf("%s: %+v %+v", how, result, said)
		}
		for name, object := range before {
			if !bytes.Equal(objects(t, st)[name], object) {
				t.Errorf("%s: %s was changed", how, name)
			}
		}
		for _, band := range []format.BandID{id, other} {
			if want, got := tree(t, good, band), tree(t, st, band); !maps.Equal(want, got) {
				t.Errorf("%s: %v, not %v", how, got, want)
			}
		}
		if got, want := entryOf(t, st, id, "d/f"), entryOf(t, good, id, "d/f"); got.MTime != want.MTime || got.CTime != want.CTime || got.SHA256 != want.SHA256 || got.Inode != want.Inode {
			t.Errorf("%s: %+v, not %+v", how, got, want)
		}
		isHealthy(t, st, name+" "+how)
		if result := fixLocked(t, clone(t, good)); result.Damaged > 0 {
			t.Errorf("%+v", result)
		}
	}
}

func entryOf(t testing.TB, st storage.Storage, id format.BandID, p format.Path) format.Entry {
	t.Helper()
	b := openBand(t, st, id)
	defer b.Archive().Close()
	found, err := b.Lookup(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return *found.Entry
}
