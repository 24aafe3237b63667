package repair_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"dura/archive"
	"dura/archive/alarm/alarmtest"
	"dura/archive/archivetest"
	"dura/archive/format"
	"dura/archive/parity"
	"dura/archive/repair"
	"dura/archive/seal/sealtest"
	"dura/archive/storage"
	"dura/archive/storage/memory"
	"dura/archive/storage/storagetest"
	"dura/archive/verify"
)

var scheme = parity.Scheme{Members: 16, Parity: 2}

// made is an archive with two bands, the second of which shares a hunk with the first; with parity, if that is wanted.
func made(t testing.TB, protect bool) *memory.Storage {
	st := archivetest.NewArchive(t)
	items := []archivetest.Item{archivetest.Dir(""), archivetest.File("a", noise(3000)), archivetest.File("b", noise(100)), archivetest.Dir("d"), archivetest.File("e", noise(200)), archivetest.File("d/f", noise(9000))}
	for n := range 2 {
		if n > 0 {
			items[1].Mode, items[2].MTime.Nanos = 0o640, 5
		}
		settings := archivetest.Band{Storage: st, ID: archivetest.BandID(n), HunkEntries: 2, FenceHunks: 2, FrameBytes: 4000, SpanBytes: 2000, BlockFrames: 2, SpansInline: 2, Metadata: true}
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

func noise(n int) []byte {
	b := make([]byte, n)
	x := uint32(n)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

func clone(t testing.TB, st storage.Storage) *memory.Storage {
	t.Helper()
	copied := memory.New()
	for name, object := range objects(t, st) {
		if err := copied.Create(t.Context(), name, object); err != nil {
			t.Fatal(err)
		}
	}
	return copied
}

func objects(t testing.TB, st storage.Storage) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for info, err := range st.List(t.Context(), "", storage.Deep) {
		if err != nil {
			t.Fatal(err)
		}
		object, err := st.Read(t.Context(), info.Name, 0, 1<<24)
		if err != nil {
			t.Fatal(err)
		}
		all[info.Name] = object
	}
	return all
}

// change replaces an object by what to makes of it; nil removes it.
func change(t testing.TB, st storage.Storage, name string, to func([]byte) []byte) {
	t.Helper()
	object, err := st.Read(t.Context(), name, 0, 1<<24)
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Delete(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	if changed := to(bytes.Clone(object)); changed != nil {
		if err := st.Create(t.Context(), name, changed); err != nil {
			t.Fatal(err)
		}
	}
}

var damages = map[string]func([]byte) []byte{
	"deleted":   func([]byte) []byte { return nil },
	"emptied":   func([]byte) []byte { return []byte{} },
	"truncated": func(b []byte) []byte { return b[:len(b)/2] },
	"flipped": func(b []byte) []byte {
		b[len(b)/2] ^= 4
		return b
	},
	"zeroed": func(b []byte) []byte { return make([]byte, len(b)) },
	"noise":  func(b []byte) []byte { return noise(len(b)) },
}

type told struct {
	made []repair.Made
	lost []repair.Lost
}

func fix(t testing.TB, st storage.Storage, o repair.Options, also ...archive.Other) (repair.Result, told) {
	t.Helper()
	a, err := archive.Open(t.Context(), st, archive.Options{Also: also, Unlock: archivetest.Unlock(sealtest.Keys())})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	bands, err := a.Bands(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var said told
	o.Made = func(m repair.Made) { said.made = append(said.made, m) }
	o.Lost = func(l repair.Lost) { said.lost = append(said.lost, l) }
	result, err := repair.Repair(t.Context(), a, bands, o)
	if err != nil {
		t.Fatal(err)
	}
	return result, said
}

// isHealthy wants the deepest verification to find nothing, and a second repair to have nothing to do.
func isHealthy(t testing.TB, st storage.Storage, what string) {
	t.Helper()
	for _, depth := range []verify.Depth{verify.Objects, verify.Blocks, verify.Files} {
		raised := &alarmtest.Alarms{}
		a, err := archive.Open(t.Context(), st, archive.Options{Alarms: raised, Unlock: archivetest.Unlock(sealtest.Keys())})
		if err != nil {
			t.Fatal(err)
		}
		bands, err := a.Bands(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		result, err := verify.Verify(t.Context(), a, bands, verify.Options{Depth: depth, Alarms: raised})
		if err != nil || len(bands) != 2 || len(raised.Raised()) > 0 || result.Damaged > 0 {
			t.Errorf("%s: depth %d: %v %v %+v", what, depth, err, raised.Raised(), result)
		}
		a.Close()
	}
	if result, said := fix(t, st, repair.Options{}); result.Damaged > 0 || len(said.made) > 0 {
		t.Errorf("%s: a second repair does more: %+v %+v", what, result, said)
	}
}

// Whatever happens to one object, with parity all is whole again, and nothing that exists was changed.
func TestAnyObjectIsRepairedFromParity(t *testing.T) {
	good := made(t, true)
	if result, said := fix(t, clone(t, good), repair.Options{}); result.Damaged > 0 || len(said.made) > 0 || result.Objects < 20 {
		t.Fatalf("%+v %+v", result, said)
	}
	isHealthy(t, clone(t, good), "untouched")
	for name := range objects(t, good) {
		for how, damage := range damages {
			if (name == format.ReadmeName || name == format.SchemaName || name == format.RecoverName) && how != "deleted" {
				continue // they may be another version's
			}
			if name == format.ArchiveName && how == "flipped" {
				continue // nothing has its hash, and it can be read
			}
			what := name + " " + how
			st := clone(t, good)
			change(t, st, name, damage)
			before := objects(t, st)
			if result, _ := fix(t, st, repair.Options{DryRun: true}); result.Damaged+result.Parity == 0 || result.Repaired != result.Damaged || !result.Healthy() {
				t.Errorf("%s: dry run: %+v", what, result)
			}
			if len(objects(t, st)) != len(before) {
				t.Errorf("%s: the dry run stored something", what)
			}
			result, said := fix(t, st, repair.Options{})
			if result.Damaged+result.Parity == 0 || result.Repaired != result.Damaged || !result.Healthy() || len(said.lost) > 0 {
				t.Errorf("%s: %+v %+v", what, result, said)
			}
			after := objects(t, st)
			for name := range before {
				if !bytes.Equal(after[name], before[name]) {
					t.Errorf("%s: %s was changed", what, name)
				}
			}
			if _, kind, _, _ := format.ParseObjectName(name); how == "deleted" && name != format.ArchiveName && kind != format.SumsObject && !bytes.Equal(after[name], objects(t, good)[name]) {
				t.Errorf("%s: it is not what it was", what)
			}
			isHealthy(t, st, what)
		}
	}
}

// Without parity another archive of the same bands does.
func TestAnyObjectIsRepairedFromAnotherArchive(t *testing.T) {
	good := made(t, false)
	for name := range objects(t, good) {
		if !strings.HasPrefix(name, "bands/") {
			continue
		}
		for how, damage := range damages {
			st := clone(t, good)
			change(t, st, name, damage)
			result, said := fix(t, st, repair.Options{}, archive.Other{Name: "/other", Storage: good})
			if result.Repaired == 0 || !result.Healthy() {
				t.Errorf("%s %s: %+v %+v", name, how, result, said)
			}
			isHealthy(t, st, name+" "+how)
		}
	}
}

// What can't be had is said: the files of each band, and runs of paths where the index is gone.
func TestWhatIsLostIsSaidPrecisely(t *testing.T) {
	id := archivetest.BandID(0)
	for name, want := range map[string][]string{
		format.BlockName(id, 0): {"a", "b", "e"},
		format.SpansName(id, 0): {"d/f"},
	} {
		st, irreparable := made(t, false), int64(1)
		if name != format.BlockName(id, 0) { // or it is made again
			change(t, st, format.BlockName(id, 1), damages["deleted"])
			irreparable = 2
		}
		change(t, st, name, damages["flipped"])
		result, said := fix(t, st, repair.Options{})
		got := map[string]bool{}
		for _, l := range said.lost {
			text := string(l.Path)
			if l.Run {
				text += "-" + string(l.Until)
			}
			got[text] = true
			if l.Band != id || l.Object != name {
				t.Errorf("%s: %+v", name, l)
			}
		}
		for _, w := range want {
			if !got[w] {
				t.Errorf("%s: %s is not told of, but %v", name, w, got)
			}
		}
		if len(got) != len(want) || result.Healthy() || result.Irreparable != irreparable {
			t.Errorf("%s: %v %+v", name, got, result)
		}
	}
}

// A lost fence is made again of the hunks, without parity.
func TestAFenceIsMadeOfItsHunks(t *testing.T) {
	for how, damage := range damages {
		st := made(t, false)
		change(t, st, format.FenceName(archivetest.BandID(0), 1), damage)
		if result, said := fix(t, st, repair.Options{}); result.Repaired != 1 || !result.Healthy() {
			t.Errorf("%s: %+v %+v", how, result, said)
		}
		isHealthy(t, st, how)
	}
}

// A lost span list is made again of the blocks, without parity.
func TestASpanListIsMadeOfItsChunks(t *testing.T) {
	good := made(t, false)
	var lists int
	for name := range objects(t, good) {
		if _, kind, _, _ := format.ParseObjectName(name); kind != format.SpansObject {
			continue
		}
		lists++
		for how, damage := range damages {
			st := clone(t, good)
			change(t, st, name, damage)
			if dry, _ := fix(t, st, repair.Options{DryRun: true}); dry.Repaired != 1 || !dry.Healthy() {
				t.Errorf("%s %s: dry run: %+v", name, how, dry)
			}
			if result, said := fix(t, st, repair.Options{}); result.Damaged != 1 || result.Repaired != 1 || !result.Healthy() || len(said.made) != 1 {
				t.Errorf("%s %s: %+v %+v", name, how, result, said)
			}
			isHealthy(t, st, name+" "+how)
		}
	}
	if lists < 4 {
		t.Error(lists)
	}
	// All lists at once, and a block as well: what needs that is lost, and said once.
	st := clone(t, good)
	for name := range objects(t, good) {
		if _, kind, _, _ := format.ParseObjectName(name); kind == format.SpansObject {
			change(t, st, name, damages["deleted"])
		}
	}
	whole := clone(t, st)
	if result, said := fix(t, whole, repair.Options{}); int(result.Repaired) != lists || !result.Healthy() {
		t.Errorf("%+v %+v", result, said)
	}
	isHealthy(t, whole, "all lists")
	raised := &alarmtest.Alarms{}
	change(t, st, format.BlockName(archivetest.BandID(0), 1), damages["deleted"])
	result, said := fix(t, st, repair.Options{Alarms: raised})
	if result.Healthy() || result.Damaged != result.Repaired+result.Irreparable || int64(len(raised.Raised())) != result.Irreparable || result.LostFiles == 0 {
		t.Errorf("%+v %+v %v", result, said, raised.Raised())
	}
}

// An object that can't be read has a name that is taken: what it should be stands beside it.
func TestWhatCantBeReadIsRepairedBesideIt(t *testing.T) {
	good := made(t, true)
	block := format.BlockName(archivetest.BandID(1), 0)
	st := storagetest.NewFaulty(good, storagetest.Always(storage.OpRead, block, storage.KindIO))
	result, said := fix(t, st, repair.Options{})
	if result.Repaired != 1 || !result.Healthy() || len(said.made) != 1 || said.made[0].Stored != format.RepairedName(block, 0) {
		t.Errorf("%+v %+v", result, said)
	}
}

// Up to the number of parity objects may be lost of each group, whichever.
func TestAnyTwoObjectsOfAGroupAreRepaired(t *testing.T) {
	good := made(t, true)
	var index []string
	for name := range objects(t, good) {
		of, kind, _, _ := format.ParseObjectName(name)
		if class, is := parity.ClassOf(kind); is && class == parity.Index && of == archivetest.BandID(0) {
			index = append(index, name)
		}
	}
	for i, x := range index {
		for _, y := range index[:i] {
			st := clone(t, good)
			change(t, st, x, damages["deleted"])
			change(t, st, y, damages["noise"])
			if result, said := fix(t, st, repair.Options{}); result.Repaired < 2 || !result.Healthy() {
				t.Errorf("%s and %s: %+v %+v", x, y, result, said)
			}
		}
	}
}

// Objects that have lost all parity get parity again.
func TestParityIsMadeAnew(t *testing.T) {
	st := made(t, true)
	var count int
	for name := range objects(t, st) {
		if _, kind, _, _ := format.ParseObjectName(name); kind == format.ParityObject {
			count++
			change(t, st, name, damages["deleted"])
		}
	}
	result, _ := fix(t, st, repair.Options{})
	if int(result.Parity) != count || !result.Healthy() {
		t.Errorf("%d: %+v", count, result)
	}
	change(t, st, format.BlockName(archivetest.BandID(0), 0), damages["flipped"])
	if result, _ := fix(t, st, repair.Options{}); result.Repaired != 1 || !result.Healthy() {
		t.Errorf("%+v", result)
	}
	isHealthy(t, st, fmt.Sprint(count, " parity objects"))
}
