package repair_test

import (
	"fmt"
	"slices"
	"testing"

	"dura/archive/archivetest"
	"dura/archive/format"
	"dura/archive/parity"
	"dura/archive/repair"
	"dura/archive/storage"
	"dura/archive/storage/memory"
	"dura/archive/storage/storagetest"
)

// manyBlocks is an archive whose one band has two full groups of blocks and a part of a third.
func manyBlocks(t testing.TB) *memory.Storage {
	st := archivetest.NewArchive(t)
	items := []archivetest.Item{archivetest.Dir("")}
	for i := range 80 {
		items = append(items, archivetest.File(format.Path(fmt.Sprintf("f%02d", i)), noise(150_000+i)))
	}
	id := archivetest.BandID(0)
	archivetest.NewBand(t, archivetest.Band{Storage: st, ID: id, FrameBytes: 150_000, BlockFrames: 2, Parity: scheme.String(), Metadata: true}).Complete(items)
	archivetest.Protect(t, st, id, scheme)
	return st
}

// taken is what was asked of a storage for one object.
type taken struct{ reads, bytes, creates int64 }

func countObjects(log []storagetest.Record) map[string]taken {
	counts := map[string]taken{}
	for _, r := range log {
		c := counts[r.Name]
		switch r.Op {
		case storage.OpRead:
			c.reads++
			c.bytes += r.Bytes
		case storage.OpCreate:
			c.creates++
		}
		counts[r.Name] = c
	}
	return counts
}

func isBlock(name string) bool {
	_, kind, _, _ := format.ParseObjectName(name)
	return kind == format.BlockObject
}

func isParityOf(name string, group uint64) bool {
	_, kind, number, _ := format.ParseObjectName(name)
	return kind == format.ParityObject && number == group
}

// Each object of a healthy archive is read once, in one go; of parity objects the description is read ahead of that.
func TestEachObjectIsReadOnce(t *testing.T) {
	st := manyBlocks(t)
	recorder := storagetest.NewRecorder(st)
	if result, said := fix(t, recorder, repair.Options{}); result.Damaged > 0 {
		t.Fatalf("%+v %+v", result, said)
	}
	counts := countObjects(recorder.Log())
	blocks := 0
	for name, object := range objects(t, st) {
		c, size := counts[name], int64(len(object))
		_, kind, _, _ := format.ParseObjectName(name)
		switch kind {
		case format.BlockObject:
			blocks++
			if c != (taken{reads: 1, bytes: size}) {
				t.Errorf("%s of %d bytes: %+v", name, size, c)
			}
		case format.ParityObject:
			if c.reads > 2 || c.bytes > size+64<<10 {
				t.Errorf("%s of %d bytes: %+v", name, size, c)
			}
		}
	}
	if blocks < 35 || recorder.Counts().Creates > 0 {
		t.Error(blocks, recorder.Counts())
	}
}

// Two lost blocks of a group are rebuilt in one pass: the other objects of the group are read once more, and all others once.
func TestTwoLostBlocksCostOneMoreReadingOfTheirGroup(t *testing.T) {
	good := objects(t, manyBlocks(t))
	id := archivetest.BandID(0)
	lost := []string{format.BlockName(id, 17), format.BlockName(id, 30)}
	for how, damage := range map[string]func([]byte) []byte{"deleted": damages["deleted"], "noise": damages["noise"]} {
		st := manyBlocks(t)
		for _, name := range lost {
			change(t, st, name, damage)
		}
		recorder := storagetest.NewRecorder(st)
		result, said := fix(t, recorder, repair.Options{})
		if result.Repaired != 2 || !result.Healthy() {
			t.Fatalf("%s: %+v %+v", how, result, said)
		}
		counts := countObjects(recorder.Log())
		for name, object := range good {
			c, size, most := counts[name], int64(len(object)), int64(1)
			switch {
			case name == lost[0] || name == lost[1]:
				most = 2
			case isBlock(name) && isInSecondGroup(name):
				most = 2
			case isParityOf(name, parity.GroupNumber(parity.Contents, 1)):
				most = 2
				size += 64 << 10 // descriptions
			case !isBlock(name):
				continue
			}
			if c.bytes > most*size {
				t.Errorf("%s: %s of %d bytes: %+v", how, name, size, c)
			}
			if most == 1 && c.reads != 1 {
				t.Errorf("%s: %s: %+v", how, name, c)
			}
		}
		if n := recorder.Counts().Creates; n != 2 {
			t.Errorf("%s: %d objects were stored", how, n)
		}
		if result, said := fix(t, st, repair.Options{}); result.Damaged > 0 {
			t.Errorf("%s: a second repair does more: %+v %+v", how, result, said)
		}
	}
}

func isInSecondGroup(name string) bool {
	_, _, number, _ := format.ParseObjectName(name)
	return number/uint64(scheme.Members) == 1
}

// Of blocks that have one bad slice each the others are read in that row alone.
func TestABadSliceCostsItsRow(t *testing.T) {
	st := manyBlocks(t)
	damaged := storagetest.NewDamaged(st)
	id := archivetest.BandID(0)
	damaged.Flip(format.BlockName(id, 17), 8*100_000)
	damaged.Flip(format.BlockName(id, 18), 8*200_000)
	recorder := storagetest.NewRecorder(damaged)
	if result, said := fix(t, recorder, repair.Options{}); result.Repaired != 2 || !result.Healthy() {
		t.Fatalf("%+v %+v", result, said)
	}
	for name, c := range countObjects(recorder.Log()) {
		object, err := damaged.Read(t.Context(), name, 0, 1<<24)
		if !isBlock(name) || name == format.BlockName(id, 17) || name == format.BlockName(id, 18) || err != nil {
			continue
		}
		most := int64(len(object))
		if isInSecondGroup(name) {
			most += 3 * parity.SliceBytes // from the first bad row to the last
		}
		if c.bytes > most {
			t.Errorf("%s of %d bytes: %+v", name, len(object), c)
		}
	}
}

// What a repair has come past in a large band is stored again, whatever happens to it later.
func TestARepairStoresAsItGoes(t *testing.T) {
	const blocks = 2500
	st := archivetest.NewArchive(t)
	items := []archivetest.Item{archivetest.Dir("")}
	for i := range blocks {
		items = append(items, archivetest.File(format.Path(fmt.Sprintf("f%04d", i)), noise(500+i)))
	}
	id := archivetest.BandID(0)
	archivetest.NewBand(t, archivetest.Band{Storage: st, ID: id, FrameBytes: 400, BlockFrames: 1, Parity: scheme.String(), Metadata: true}).Complete(items)
	archivetest.Protect(t, st, id, scheme)
	lost, last := format.BlockName(id, 3), format.BlockName(id, blocks-1)
	change(t, st, lost, damages["deleted"])
	recorder := storagetest.NewRecorder(st)
	if result, said := fix(t, recorder, repair.Options{}); result.Repaired != 1 || !result.Healthy() {
		t.Fatalf("%+v %+v", result, said)
	}
	log := recorder.Log()
	stored := slices.IndexFunc(log, func(r storagetest.Record) bool { return r.Op == storage.OpCreate && r.Name == lost })
	read := slices.IndexFunc(log, func(r storagetest.Record) bool { return r.Op == storage.OpRead && r.Name == last })
	if stored < 0 || read < 0 || stored > read {
		t.Errorf("stored again by operation %d, and the last block is read by operation %d", stored, read)
	}
}
