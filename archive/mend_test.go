package archive_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/alarm/alarmtest"
	"dura/archive/archivetest"
	"dura/archive/format"
	"dura/archive/parity"
	"dura/archive/storage"
	"dura/archive/storage/memory"
	"dura/archive/storage/storagetest"
)

// protected is whole with parity.
func protected(t testing.TB, s parity.Scheme) *memory.Storage {
	st := whole(t)
	archivetest.Protect(t, st, archivetest.BandID(0), s)
	return st
}

// namesOf are the objects of the band of kinds that are wanted.
func namesOf(t testing.TB, st storage.Storage, want func(format.ObjectKind) bool) (names []string) {
	t.Helper()
	for info, err := range st.List(t.Context(), "bands/", storage.Deep) {
		if err != nil {
			t.Fatal(err)
		}
		if _, kind, _, err := format.ParseObjectName(info.Name); err == nil && want(kind) {
			names = append(names, info.Name)
		}
	}
	return names
}

func inParity(k format.ObjectKind) bool {
	_, is := parity.ClassOf(k)
	return is
}

// readsWhole opens the band as a listing tells of it, and reads everything, its head included.
func readsWhole(t testing.TB, st storage.Storage, o archive.Options) error {
	t.Helper()
	a, err := archive.Open(t.Context(), st, o)
	if err != nil {
		return err
	}
	defer a.Close()
	state, err := a.FindBand(t.Context(), "latest")
	if err != nil {
		return err
	}
	b, err := a.OpenBand(t.Context(), state)
	if err != nil {
		return err
	}
	if !b.Complete() {
		return errors.New("the band is not complete")
	}
	if _, err := b.Head(t.Context()); err != nil {
		return err
	}
	var failure error
	entries, bytes := readAll(t, b, func(err error) { failure = errors.Join(failure, err) })
	if failure == nil && (entries != 6 || bytes != 12300) {
		return fmt.Errorf("%d entries, %d bytes", entries, bytes)
	}
	return failure
}

// damages are the ways to damage an object, but for such as storagetest.Damaged does not do.
var damages = map[string]func(*storagetest.Damaged, string){
	"lost":      func(d *storagetest.Damaged, name string) { d.Lose(name) },
	"truncated": func(d *storagetest.Damaged, name string) { d.Truncate(name, 20) },
	"emptied":   func(d *storagetest.Damaged, name string) { d.Truncate(name, 0) },
	"flipped": func(d *storagetest.Damaged, name string) {
		for bit := range int64(20) {
			d.Flip(name, 50*bit+3)
		}
	},
}

// Whichever object is damaged, with parity all is read as if it was not, and one alarm tells of it.
func TestWithParityNothingIsLost(t *testing.T) {
	for _, scheme := range []parity.Scheme{{Members: 1, Parity: 1}, {Members: 3, Parity: 1}, {Members: 16, Parity: 2}} {
		good := protected(t, scheme)
		for _, name := range namesOf(t, good, inParity) {
			for how, damage := range damages {
				st := storagetest.NewDamaged(good)
				damage(st, name)
				var told alarmtest.Alarms
				if err := readsWhole(t, st, archive.Options{Alarms: &told}); err != nil {
					t.Errorf("%v: %s %s: %v", scheme, name, how, err)
				}
				_, kind, _, _ := format.ParseObjectName(name)
				if kind == format.AlarmsObject {
					continue // it is not read here
				}
				if len(told.Raised()) != 1 || told.Raised()[0].Filename != name || !strings.Contains(told.Raised()[0].Message, "rebuilt from parity") {
					t.Errorf("%v: %s %s: %v", scheme, name, how, told.Raised())
				}
			}
		}
	}
}

// Parity objects may be damaged as well, as long as the group can bear it.
func TestParityBearsWhatItPromises(t *testing.T) {
	good := protected(t, parity.Scheme{Members: 4, Parity: 2})
	indexes := namesOf(t, good, func(k format.ObjectKind) bool { return k != format.BlockObject && inParity(k) })
	for _, name := range indexes {
		for how, damage := range damages {
			for place := range 2 {
				st := storagetest.NewDamaged(good)
				damage(st, name)
				for _, p := range namesOf(t, good, func(k format.ObjectKind) bool { return k == format.ParityObject }) {
					if strings.HasSuffix(p, fmt.Sprintf("-%d.rs", place)) {
						damage(st, p)
					}
				}
				err := readsWhole(t, st, archive.Options{})
				if _, kind, _, _ := format.ParseObjectName(name); kind == format.BlockObject {
					continue // two blocks have one parity object
				}
				// The last group of the index has fewer members, and so one parity object.
				if err != nil && !lastGroupHas(t, good, name) {
					t.Errorf("%s and shards %d %s: %v", name, place, how, err)
				}
			}
		}
	}
}

// lastGroupHas reports whether name is in a group of one parity object.
func lastGroupHas(t testing.TB, st storage.Storage, name string) bool {
	t.Helper()
	a := open(t, st, archive.Options{})
	for info, err := range st.List(t.Context(), "bands/", storage.Deep) {
		if err != nil {
			t.Fatal(err)
		}
		if _, kind, _, _ := format.ParseObjectName(info.Name); kind != format.ParityObject {
			continue
		}
		g, _, err := a.ReadParityGroup(t.Context(), archive.ParityObject{Name: info.Name, StoredBytes: info.SizeBytes})
		if err != nil {
			t.Fatal(err)
		}
		if _, has := g.Place(name); has {
			return len(g.Parity) == 1
		}
	}
	t.Fatal(name, "is in no group")
	return false
}

// Beyond what the group can bear it is said what is damaged and what can't be rebuilt, and the rest is served.
func TestBeyondParityItIsSaidPrecisely(t *testing.T) {
	good := protected(t, parity.Scheme{Members: 16, Parity: 1})
	st := storagetest.NewDamaged(good)
	blocks := []string{format.BlockName(archivetest.BandID(0), 0), format.BlockName(archivetest.BandID(0), 1)}
	for _, name := range blocks {
		st.Lose(name)
	}
	b := openBand(t, st, 0, archive.Options{})
	var beyond *archive.BeyondError
	_, left := readAll(t, b, func(err error) {
		wantKind(t, err, archive.KindMissing)
		if !errors.As(err, &beyond) || len(beyond.Bad) != 2 || beyond.Bad[0] != blocks[0] || beyond.Bad[1] != blocks[1] || beyond.Err.Spare != 1 {
			t.Error(err, beyond)
		}
	})
	if left != 5000 || beyond == nil { // of the third block
		t.Error(left)
	}
}

// A storage that is away says nothing of its objects: nothing is rebuilt, and no alarm says that anything is lost.
func TestAStorageThatIsAwayIsNotDamage(t *testing.T) {
	good := protected(t, parity.Scheme{Members: 16, Parity: 2})
	block := format.BlockName(archivetest.BandID(0), 0)
	for kind, want := range map[storage.Kind]bool{storage.KindUnavailable: false, storage.KindIO: true} {
		var told alarmtest.Alarms
		st := storagetest.NewFaulty(good, storagetest.Always(storage.OpRead, block, kind))
		err := readsWhole(t, st, archive.Options{Alarms: &told})
		if (err == nil) != want || len(told.Raised()) != map[bool]int{true: 1, false: 0}[want] {
			t.Error(kind, err, told.Raised())
		}
	}
}

// Rebuilding a frame reads the rows that it lies in, and no others.
func TestRebuildingReadsTheRowsItNeeds(t *testing.T) {
	st := archivetest.NewArchive(t)
	var items []archivetest.Item
	items = append(items, archivetest.Dir(""))
	for i := range 40 {
		items = append(items, archivetest.File(format.Path(fmt.Sprintf("f%02d", i)), noise(1<<20)))
	}
	archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0), BlockFrames: 8}).Complete(items)
	archivetest.Protect(t, st, archivetest.BandID(0), parity.Scheme{Members: 16, Parity: 2})
	damaged := storagetest.NewDamaged(st)
	damaged.Flip(format.BlockName(archivetest.BandID(0), 2), 8*(3<<20))
	rec := storagetest.NewRecorder(damaged)
	b := openBand(t, rec, 0, archive.Options{})
	found, err := b.Lookup(t.Context(), "f18")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []format.Path{"f18", "f19"} { // one of them has the bit
		if found, err = b.Lookup(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		rec.Reset()
		got := make([]byte, 1<<20)
		if _, err := b.Archive().Content(found.Entry).ReadAt(t.Context(), got, 0); err != nil {
			t.Fatal(err)
		}
		if string(got) != string(noise(1<<20)) {
			t.Error("other content")
		}
		// The frame twice, and one slice of each other member and of a shard; descriptions.
		if c := rec.Counts(); c.ReadBytes > 2<<20+300_000+10*parity.SliceBytes || c.Reads > 12 {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

func TestWhatIsDamagedIsTakenFromAnotherArchive(t *testing.T) {
	good := whole(t)
	for _, name := range append(namesOf(t, good, inParity), format.ArchiveName) {
		for how, damage := range damages {
			st := storagetest.NewDamaged(good)
			damage(st, name)
			var told alarmtest.Alarms
			err := readsWhole(t, st, archive.Options{Alarms: &told, Also: []archive.Other{{Name: "/other", Storage: good}}})
			if err != nil {
				t.Errorf("%s %s: %v", name, how, err)
			}
			_, kind, _, _ := format.ParseObjectName(name)
			if kind != format.AlarmsObject && (len(told.Raised()) != 1 || told.Raised()[0].Filename != name) {
				t.Errorf("%s %s: %v", name, how, told.Raised())
			}
			if name != format.ArchiveName && kind != format.AlarmsObject && !strings.Contains(told.Raised()[0].Message, "taken from /other") {
				t.Errorf("%s %s: %v", name, how, told.Raised())
			}
		}
	}
}

// What DURA-ARCHIVE said is in every head.
func TestALostArchiveHeadCostsNothing(t *testing.T) {
	good := whole(t)
	for how, damage := range damages {
		st := storagetest.NewDamaged(good)
		damage(st, format.ArchiveName)
		var told alarmtest.Alarms
		if err := readsWhole(t, st, archive.Options{Alarms: &told}); err != nil {
			t.Errorf("%s: %v", how, err)
		}
		if len(told.Raised()) != 1 || told.Raised()[0].Area != alarm.Archive || told.Raised()[0].Filename != format.ArchiveName {
			t.Errorf("%s: %v", how, told.Raised())
		}
		if a := open(t, st, archive.Options{}); a.Head().ID != archivetest.ArchiveID {
			t.Errorf("%s: %+v", how, a.Head())
		}
	}
	empty := storagetest.NewDamaged(archivetest.NewArchive(t))
	empty.Lose(format.ArchiveName)
	_, err := archive.Open(t.Context(), empty, archive.Options{})
	wantKind(t, err, archive.KindNotAnArchive)
}

// A repaired copy is as good as what it stands for: nothing is told of.
func TestRepairedCopiesAreReadInSilence(t *testing.T) {
	good := whole(t)
	for _, name := range namesOf(t, good, inParity) {
		object, err := good.Read(t.Context(), name, 0, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		copied := whole(t)
		for round, content := range [][]byte{[]byte("an earlier repair, damaged"), object} {
			if err := copied.Create(t.Context(), format.RepairedName(name, round), content); err != nil {
				t.Fatal(err)
			}
		}
		st := storagetest.NewDamaged(copied)
		st.Truncate(name, 20)
		var told alarmtest.Alarms
		if err := readsWhole(t, st, archive.Options{Alarms: &told}); err != nil || len(told.Raised()) > 0 {
			t.Error(name, err, told.Raised())
		}
	}
}

// Every object of a group may be damaged, parity objects too, as long as that is in different rows.
func TestAllOfAGroupMayBeDamagedInDifferentRows(t *testing.T) {
	st := archivetest.NewArchive(t)
	items := []archivetest.Item{archivetest.Dir("")}
	for i := range 16 {
		items = append(items, archivetest.File(format.Path(fmt.Sprintf("f%02d", i)), noise(1<<20-i)))
	}
	id := archivetest.BandID(0)
	archivetest.NewBand(t, archivetest.Band{Storage: st, ID: id, BlockFrames: 2}).Complete(items)
	archivetest.Protect(t, st, id, parity.Scheme{Members: 16, Parity: 2})
	damaged := storagetest.NewDamaged(st)
	row := int64(0)
	for _, name := range namesOf(t, st, func(k format.ObjectKind) bool { return k == format.BlockObject || k == format.ParityObject }) {
		if info, err := st.Stat(t.Context(), name); err != nil || info.SizeBytes < 1<<20 {
			continue // the parity of the index
		}
		damaged.Flip(name, 8*(row*parity.SliceBytes+5000)) // in a parity object, whose shard begins a little later, it is the same row
		row++
	}
	if row < 9 {
		t.Fatal(row, "objects")
	}
	b := openBand(t, damaged, 0, archive.Options{})
	for e, err := range b.Subtree(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind != format.File {
			continue
		}
		got := make([]byte, e.Size)
		if _, err := b.Archive().Content(e.Entry).ReadAt(t.Context(), got, 0); err != nil || string(got) != string(noise(int(e.Size))) {
			t.Errorf("%s: %v", e.Path, err)
		}
	}
	if n := len(b.Archive().Mended()); n < 8 {
		t.Error(n, "objects were mended")
	}
}
