package archive_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"dura/archive"
	"dura/archive/archivetest"
	"dura/archive/format"
	"dura/archive/storage"
	"dura/archive/storage/memory"
	"dura/archive/storage/storagetest"
)

// open opens the archive in st.
func open(t testing.TB, st storage.Storage, o archive.Options) *archive.Archive {
	t.Helper()
	a, err := archive.Open(t.Context(), st, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

// openBand opens the n-th band of the archive in st.
func openBand(t testing.TB, st storage.Storage, n int, o archive.Options) *archive.Band {
	t.Helper()
	a := open(t, st, o)
	s, err := a.FindBand(t.Context(), string(archivetest.BandID(n)))
	if err != nil {
		t.Fatal(err)
	}
	b, err := a.OpenBand(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// wantKind checks that err is an *archive.Error of this kind, and returns it.
func wantKind(t testing.TB, err error, kind archive.Kind) *archive.Error {
	t.Helper()
	var e *archive.Error
	if !errors.As(err, &e) || e.Kind != kind {
		t.Fatalf("want %v, got %v", kind, err)
	}
	return e
}

func TestAnArchiveIsMadeAndOpened(t *testing.T) {
	st := archivetest.NewArchive(t)
	a := open(t, st, archive.Options{})
	head := a.Head()
	if head.ID != archivetest.ArchiveID || !head.Created.Equal(archivetest.Time) || head.Settings != format.DefaultSettings() {
		t.Errorf("%+v", head)
	}
	for name, want := range map[string][]byte{format.ReadmeName: format.Readme, format.SchemaName: format.Schema, format.RecoverName: format.Recover} {
		if got, err := st.Read(t.Context(), name, 0, 1<<20); err != nil || string(got) != string(want) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	if bands, err := a.Bands(t.Context()); err != nil || len(bands) != 0 {
		t.Error(bands, err)
	}
}

func TestDuraArchiveIsWrittenLast(t *testing.T) {
	st := storagetest.NewRecorder(memory.New())
	if err := archive.Create(t.Context(), st, archive.CreateOptions{ID: archivetest.ArchiveID, Now: archivetest.Time}); err != nil {
		t.Fatal(err)
	}
	log := st.Log()
	if last := log[len(log)-1]; last.Op != storage.OpCreate || last.Name != format.ArchiveName || st.Counts().Creates != 4 {
		t.Errorf("%+v", log)
	}
}

func TestAnArchiveIsMadeInAnEmptyPlaceAlone(t *testing.T) {
	o := archive.CreateOptions{ID: archivetest.ArchiveID, Now: archivetest.Time}
	for _, c := range []struct{ there, object string }{
		{"photos/a.jpg", "photos/a.jpg"}, {"a", "a"}, {format.ArchiveName, format.ArchiveName}, {format.ReadmeName, format.ReadmeName},
	} {
		st := memory.New()
		if err := st.Create(t.Context(), c.there, []byte("x")); err != nil {
			t.Fatal(err)
		}
		if e := wantKind(t, archive.Create(t.Context(), st, o), archive.KindExists); e.Object != c.object {
			t.Errorf("%s: %+v", c.there, e)
		}
	}
	if e := wantKind(t, archive.Create(t.Context(), archivetest.NewArchive(t), o), archive.KindExists); e.Object != format.ArchiveName {
		t.Errorf("%+v", e)
	}
	if err := archive.Create(t.Context(), memory.New(), archive.CreateOptions{ID: "short", Now: archivetest.Time}); err == nil {
		t.Error("an archive without a proper id is made")
	}
}

// occupied has a file that is no object.
type occupied struct{ storage.Storage }

func (occupied) Occupant(context.Context) (string, error) { return "Photos", nil }

func TestAPlaceWithWhatIsNoObjectIsNotEmpty(t *testing.T) {
	err := archive.Create(t.Context(), occupied{memory.New()}, archive.CreateOptions{ID: archivetest.ArchiveID, Now: archivetest.Time})
	if e := wantKind(t, err, archive.KindExists); e.Object != "Photos" {
		t.Errorf("%+v", e)
	}
}

func TestMakingAnArchiveCanBeRepeatedWhereverItStopped(t *testing.T) {
	o := archive.CreateOptions{ID: archivetest.ArchiveID, Now: archivetest.Time}
	for n := 1; n <= 4; n++ { // a listing and three creates
		inner := memory.New()
		if err := archive.Create(t.Context(), storagetest.NewFaulty(inner, storagetest.Nth(n, storage.KindFull)), o); err == nil {
			t.Fatalf("fault %d is not told of", n)
		}
		if _, err := archive.Open(t.Context(), inner, archive.Options{}); !archive.Is(err, archive.KindNotAnArchive) {
			t.Errorf("after fault %d: %v", n, err)
		}
		if err := archive.Create(t.Context(), inner, o); err != nil {
			t.Errorf("after fault %d: %v", n, err)
		}
	}
}

func TestWhatIsNoArchiveIsToldApart(t *testing.T) {
	good := string(format.EncodeArchiveHead(format.ArchiveHead{ID: archivetest.ArchiveID, Created: archivetest.Time}))
	for _, c := range []struct {
		what, text string
		kind       archive.Kind
	}{
		{"garbage", "\x00\x01", archive.KindCorrupt},
		{"truncated", good[:20], archive.KindCorrupt},
		{"empty", "", archive.KindCorrupt},
		{"newer", strings.Replace(good, "format: 1", "format: 2", 1), archive.KindTooNew},
		{"unknown feature", good + "required_features: \"teleport\"\n", archive.KindTooNew},
	} {
		st := memory.New()
		if err := st.Create(t.Context(), format.ArchiveName, []byte(c.text)); err != nil {
			t.Fatal(err)
		}
		_, err := archive.Open(t.Context(), st, archive.Options{})
		if e := wantKind(t, err, c.kind); e.Object != format.ArchiveName {
			t.Errorf("%s: %+v", c.what, e)
		}
	}
	_, err := archive.Open(t.Context(), memory.New(), archive.Options{})
	wantKind(t, err, archive.KindNotAnArchive)
	for kind, want := range map[storage.Kind]archive.Kind{storage.KindDenied: archive.KindDenied, storage.KindIO: archive.KindIO} {
		st := storagetest.NewFaulty(archivetest.NewArchive(t), storagetest.Always(storage.OpRead, "", kind))
		_, err := archive.Open(t.Context(), st, archive.Options{})
		wantKind(t, err, want)
	}
}

func TestAnEndOfTheContextStaysWhatItIs(t *testing.T) {
	st := archivetest.NewArchive(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := archive.Open(ctx, st, archive.Options{})
	var e *archive.Error
	if !errors.Is(err, context.Canceled) || errors.As(err, &e) {
		t.Error(err)
	}
}

func TestBandsAreListedWithTheirState(t *testing.T) {
	st := archivetest.NewArchive(t)
	put := func(names ...string) {
		for _, name := range names {
			if err := st.Create(t.Context(), name, []byte("x")); err != nil {
				t.Fatal(err)
			}
		}
	}
	id := archivetest.BandID
	put(format.HeadName(id(2)), format.HeadName(id(0)), format.TailName(id(0)), format.SumsName(id(0)), format.TailName(id(1)),
		format.HeadName(id(3)), format.DeletedName(id(3)), "bands/what.head", "bands/"+string(id(4))+"/data/000/000000.tar.zst",
		"bands/"+string(id(5))+".other", format.SumsName(id(6)))
	rec := storagetest.NewRecorder(st)
	a := open(t, rec, archive.Options{})
	rec.Reset()
	got, err := a.Bands(t.Context())
	want := []archive.BandState{
		{ID: id(0), HasHead: true, Complete: true, HasSums: true}, {ID: id(1), Complete: true}, {ID: id(2), HasHead: true},
		{ID: id(3), HasHead: true, Deleted: true},
		{ID: id(6), Complete: true, HasSums: true}, // it had a tail
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%+v %v", got, err)
	}
	if c := rec.Counts(); c != (storagetest.Counts{Lists: 1}) {
		t.Errorf("%+v", c)
	}
}

func TestBandsAreFoundByWhatPeopleCallThem(t *testing.T) {
	st := archivetest.NewArchive(t)
	ids := []string{
		"2026-11-22-080000-aaaaaa", "2026-11-23-080000-bbbbbb", "2026-11-23-120000-cccccc", "2026-11-23-130000-dddddd", "2026-11-24-080000-eeeeee",
		"2026-11-25-080000-ffffff",
	}
	for i, id := range ids {
		names := []string{format.HeadName(format.BandID(id)), format.TailName(format.BandID(id))}
		switch i {
		case 3, 4:
			names = names[:1] // incomplete
		case 5:
			names = append(names, format.DeletedName(format.BandID(id)))
		}
		for _, name := range names {
			if err := st.Create(t.Context(), name, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	a := open(t, st, archive.Options{})
	for _, c := range []struct {
		spec string
		want int // place in ids
		kind archive.Kind
	}{
		{"", 2, -1}, {"latest", 2, -1}, {"latest~0", 2, -1}, {"latest~1", 1, -1}, {"latest~2", 0, -1}, {"latest~3", 0, archive.KindNotFound},
		{"latest~-1", 0, archive.KindNotFound}, {"latest~99999999999999999999", 0, archive.KindNotFound}, {"latest~x", 0, archive.KindNotFound},
		{ids[0], 0, -1}, {ids[4], 4, -1}, {ids[5], 0, archive.KindDeleted}, {"2026-11-22", 0, -1}, {"2026-11-23", 2, -1},
		{"2026-11-24", 4, -1}, {"2026-11-25", 0, archive.KindNotFound}, {"2026-11-23-08", 1, -1}, {"2026-11-23-1", 0, archive.KindAmbiguous},
		{"2026", 0, archive.KindAmbiguous}, {"2025", 0, archive.KindNotFound}, {"LATEST", 0, archive.KindNotFound},
	} {
		got, err := a.FindBand(t.Context(), c.spec)
		if c.kind >= 0 {
			wantKind(t, err, c.kind)
		} else if err != nil || string(got.ID) != ids[c.want] {
			t.Errorf("%q: %+v %v", c.spec, got, err)
		}
	}
	var ambiguous *archive.AmbiguousError
	if _, err := a.FindBand(t.Context(), "2026-11-23-1"); !errors.As(err, &ambiguous) || len(ambiguous.Bands) != 2 {
		t.Error(err)
	}
	var none *archive.NoBandError
	if _, err := a.FindBand(t.Context(), "x"); !errors.As(err, &none) || none.Complete != 3 || none.Incomplete != 2 {
		t.Error(err)
	}
}

func TestADeletedBandIsNotOpened(t *testing.T) {
	a := open(t, archivetest.NewArchive(t), archive.Options{})
	_, err := a.OpenBand(t.Context(), archive.BandState{ID: archivetest.BandID(0), Complete: true, Deleted: true})
	wantKind(t, err, archive.KindDeleted)
}
