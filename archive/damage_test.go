package archive_test

import (
	"testing"

	"dura/archive"
	"dura/archive/alarm/alarmtest"
	"dura/archive/archivetest"
	"dura/archive/format"
	"dura/archive/storage"
	"dura/archive/storage/memory"
	"dura/archive/storage/storagetest"
)

// whole is an archive with every kind of object: two blocks, three hunks, two fences, and span lists.
func whole(t testing.TB) *memory.Storage {
	st := archivetest.NewArchive(t)
	items := []archivetest.Item{
		archivetest.Dir(""), archivetest.File("a", noise(3000)), archivetest.File("b", noise(100)), archivetest.Dir("d"), archivetest.File("e", noise(200)),
		archivetest.File("d/f", noise(9000)),
	}
	archivetest.NewBand(t, archivetest.Band{
		Storage: st, ID: archivetest.BandID(0), HunkEntries: 2, FenceHunks: 2, FrameBytes: 4000, SpanBytes: 2000, BlockFrames: 2, SpansInline: 2,
	}).Complete(items)
	return st
}

// readAll reads a band as a restore would, and counts what it got. Each error goes to told.
func readAll(t testing.TB, b *archive.Band, told func(error)) (entries, bytes int64) {
	t.Helper()
	for e, err := range b.Subtree(t.Context(), "") {
		if err != nil {
			told(err)
			continue
		}
		entries++
		if e.Kind != format.File {
			continue
		}
		for s, err := range b.Archive().Content(e.Entry).Segments(t.Context()) {
			if err != nil {
				told(err)
			}
			bytes += int64(len(s.Data))
		}
	}
	return entries, bytes
}

func TestEachDamageCostsWhatTheObjectHeldAndIsNamed(t *testing.T) {
	good := whole(t)
	id := archivetest.BandID(0)
	const allEntries, allBytes = 6, 3000 + 100 + 200 + 9000
	for _, c := range []struct {
		object         string
		entries, bytes int64 // what is left
	}{
		{format.FenceName(id, 0), 6, 12300}, {format.FenceName(id, 1), 6, 12300}, {format.HunkName(id, 1), 4, 12200}, {format.HunkName(id, 2), 4, 3100},
		{format.SpansName(id, 0), 6, 8300}, {format.BlockName(id, 0), 6, 9000}, {format.BlockName(id, 1), 6, 8300},
	} {
		for how, damage := range map[archive.Kind]func(*storagetest.Damaged){
			archive.KindMissing:  func(d *storagetest.Damaged) { d.Lose(c.object) },
			archive.KindMismatch: func(d *storagetest.Damaged) { d.Truncate(c.object, 20) },
		} {
			st := storagetest.NewDamaged(good)
			damage(st)
			found := map[string]bool{}
			var told alarmtest.Alarms // of fences, which are put together from the hunks
			entries, bytes := readAll(t, openBand(t, st, 0, archive.Options{Alarms: &told}), func(err error) { found[wantKind(t, err, how).Object] = true })
			for _, a := range told.Raised() {
				found[a.Filename] = true
			}
			if entries != c.entries || bytes != c.bytes || len(found) != 1 || !found[c.object] {
				t.Errorf("%v %s: %d entries and %d bytes are left, %v", how, c.object, entries, bytes, found)
			}
		}
	}
	if entries, bytes := readAll(t, openBand(t, good, 0, archive.Options{}), func(err error) { t.Error(err) }); entries != allEntries || bytes != allBytes {
		t.Error(entries, bytes)
	}
}

func TestNoFlippedBitOfTheIndexGoesUnseen(t *testing.T) {
	good := whole(t)
	for info, err := range good.List(t.Context(), "bands/"+string(archivetest.BandID(0))+"/index/", storage.Deep) {
		if err != nil {
			t.Fatal(err)
		}
		for bit := int64(0); bit < info.SizeBytes*8; bit += 13 {
			st := storagetest.NewDamaged(good)
			st.Flip(info.Name, bit)
			n := 0
			var told alarmtest.Alarms
			readAll(t, openBand(t, st, 0, archive.Options{Alarms: &told}), func(err error) {
				n++
				if e := wantKind(t, err, archive.KindMismatch); e.Object != info.Name {
					t.Errorf("%s: %v", info.Name, err)
				}
			})
			if n+len(told.Raised()) == 0 {
				t.Fatalf("bit %d of %s", bit, info.Name)
			}
		}
	}
}

func TestNoFlippedBitOfATailGivesWrongContent(t *testing.T) {
	good := whole(t)
	tail := format.TailName(archivetest.BandID(0))
	info, err := good.Stat(t.Context(), tail)
	if err != nil {
		t.Fatal(err)
	}
	wantEntries, wantBytes := readAll(t, openBand(t, good, 0, archive.Options{}), func(err error) { t.Error(err) })
	step := int64(1)
	if testing.Short() {
		step = 11
	}
	for bit := int64(0); bit < info.SizeBytes*8; bit += step {
		st := storagetest.NewDamaged(good)
		st.Flip(tail, bit)
		a := open(t, st, archive.Options{})
		b, err := a.OpenBand(t.Context(), archive.BandState{ID: archivetest.BandID(0), Complete: true})
		if err != nil {
			continue
		}
		failures := 0
		entries, bytes := readAll(t, b, func(error) { failures++ })
		if failures == 0 && (entries != wantEntries || bytes != wantBytes) {
			t.Errorf("bit %d: %d entries, %d bytes, and no error", bit, entries, bytes)
		}
	}
}

func TestObjectsThatChangedPlacesAreSeen(t *testing.T) {
	id := archivetest.BandID(0)
	for _, pair := range [][2]string{
		{format.HunkName(id, 0), format.HunkName(id, 1)}, {format.FenceName(id, 0), format.FenceName(id, 1)},
		{format.SpansName(id, 0), format.SpansName(id, 1)}, {format.BlockName(id, 0), format.BlockName(id, 1)},
	} {
		st := whole(t)
		swap(t, st, pair[0], pair[1])
		n := 0
		var told alarmtest.Alarms
		readAll(t, openBand(t, st, 0, archive.Options{Alarms: &told}), func(err error) {
			n++
			wantKind(t, err, archive.KindMismatch)
		})
		if n+len(told.Raised()) < 2 {
			t.Errorf("%v: %d errors", pair, n)
		}
	}
}

func swap(t testing.TB, st storage.Storage, x, y string) {
	t.Helper()
	var content [2][]byte
	for i, name := range []string{x, y} {
		var err error
		if content[i], err = st.Read(t.Context(), name, 0, 1<<20); err != nil {
			t.Fatal(err)
		}
		if err := st.Delete(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	for i, name := range []string{y, x} {
		if err := st.Create(t.Context(), name, content[i]); err != nil {
			t.Fatal(err)
		}
	}
}

func TestADamagedHeadIsNamed(t *testing.T) {
	st := storagetest.NewDamaged(whole(t))
	b := openBand(t, st, 0, archive.Options{})
	if h, err := b.Head(t.Context()); err != nil || h.Band != b.ID() {
		t.Fatal(h, err)
	}
	st.Flip(format.HeadName(b.ID()), 100)
	b = openBand(t, st, 0, archive.Options{})
	_, err := b.Head(t.Context())
	if e := wantKind(t, err, archive.KindMismatch); e.Object != format.HeadName(b.ID()) {
		t.Errorf("%+v", e)
	}
	if a := archive.AlarmOf(err); a.String() != "band/mismatch: "+format.HeadName(b.ID())+": "+err.Error() {
		t.Error(a)
	}
}

func TestStorageThatFailsSaysWhere(t *testing.T) {
	id := archivetest.BandID(0)
	for kind, want := range map[storage.Kind]archive.Kind{storage.KindIO: archive.KindIO, storage.KindDenied: archive.KindDenied, storage.KindUnavailable: archive.KindIO} {
		st := storagetest.NewFaulty(whole(t), storagetest.Always(storage.OpRead, format.HunkName(id, 1), kind))
		b := openBand(t, st, 0, archive.Options{})
		_, err := b.Lookup(t.Context(), "b")
		if e := wantKind(t, err, want); e.Object != format.HunkName(id, 1) || e.Path != "b" || e.Band != id || !storage.Is(err, kind) {
			t.Errorf("%+v", e)
		}
	}
	st := storagetest.NewFaulty(whole(t), storagetest.Always(storage.OpList, "", storage.KindIO))
	_, err := open(t, st, archive.Options{}).Bands(t.Context())
	wantKind(t, err, archive.KindIO)
}
