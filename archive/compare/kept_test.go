package compare_test

import (
	"errors"
	"strings"
	"testing"

	"dura/archive/archivetest"
	"dura/archive/compare"
	"dura/archive/format"
	"dura/archive/storage"
	"dura/archive/storage/storagetest"
	"dura/archive/summaries"
)

// summariesOf is what a machine would have kept of an archive.
func summariesOf(t testing.TB, st storage.Storage) summaries.List {
	t.Helper()
	l := summaries.List{Archive: archivetest.ArchiveID, Since: archivetest.Time}
	for n := range 2 {
		tail, err := st.Read(t.Context(), format.TailName(archivetest.BandID(n)), 0, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		decoded, err := format.DecodeTail(archivetest.BandID(n), tail)
		if err != nil {
			t.Fatal(err)
		}
		l = l.With(summaries.Summary{Band: archivetest.BandID(n), TailSHA256: format.SumBytes(tail), Totals: decoded.Totals})
	}
	return l
}

func TestBandsAreWhatThisMachineWrote(t *testing.T) {
	for _, scheme := range []string{"", "3+1"} {
		st := twoBands(t, scheme)
		l := summariesOf(t, st)
		id, name := archivetest.BandID(1), format.TailName(archivetest.BandID(1))
		rec := storagetest.NewRecorder(st)
		r, raised := mustRun(t, kept(l), rec, st, compare.Options{})
		expect(t, raised)
		if c := rec.Counts(); r.Bands != 2 || c.Reads != 3 || c.Lists != 1 {
			t.Errorf("%+v %+v", r, c)
		}
		r, raised = mustRun(t, kept(l), st, st, compare.Options{Only: id})
		expect(t, raised)
		if r.Bands != 1 {
			t.Errorf("%+v", r)
		}

		gone := "band/missing: bands/" + string(id) + ": this machine wrote the band, with 5 entries and 0 bytes of content, and nobody has given it up"
		_, raised = mustRun(t, kept(l), copyOf(t, st, without(string(id))), st, compare.Options{})
		expect(t, raised, gone)

		given := copyOf(t, st, without(string(id)))
		if err := given.Create(t.Context(), format.DeletedName(id)); err != nil {
			t.Fatal(err)
		}
		r, raised = mustRun(t, kept(l), given, st, compare.Options{})
		expect(t, raised)
		if r.Bands != 1 || r.GivenUp != 1 {
			t.Errorf("%+v", r)
		}

		for text, by := range map[string]func([]byte) []byte{
			"band/missing: " + name + ": this machine wrote it": func([]byte) []byte { return nil },
			"band/mismatch: " + name + ": it is not the one that this machine wrote": func(b []byte) []byte {
				b[len(b)-3] ^= 1
				return b
			},
		} {
			_, raised = mustRun(t, kept(l), copyOf(t, st, with(name, by)), st, compare.Options{})
			expect(t, raised, text)
		}
		if _, _, err := run(t, kept(l), st, st, compare.Options{Only: archivetest.BandID(7)}); !errors.Is(err, compare.ErrNothingInCommon) {
			t.Error(err)
		}
	}
}

// TestAReplacedBandIsFound: another band of the same name, whole in itself, and the parity and the repaired copies left as they were.
func TestAReplacedBandIsFound(t *testing.T) {
	st := twoBands(t, "3+1")
	l := summariesOf(t, st)
	other := archivetest.NewArchive(t)
	for n := range 2 {
		archivetest.NewBand(t, archivetest.Band{Storage: other, ID: archivetest.BandID(n)}).Complete(archivetest.Tree(map[string]string{"f": "forged"}))
	}
	name := format.TailName(archivetest.BandID(0))
	for _, left := range []string{"/parity/", ""} {
		forged := copyOf(t, other, nil)
		for _, n := range names(t, st) {
			if object, err := st.Read(t.Context(), n, 0, 1<<20); err == nil && left != "" && strings.Contains(n, left) {
				if err := forged.Create(t.Context(), n, object); err != nil {
					t.Fatal(err)
				}
			}
		}
		_, raised := mustRun(t, kept(l), forged, st, compare.Options{})
		if len(raised.of(name)) != 1 || len(raised.Raised()) != 2 {
			t.Errorf("%q", raised.texts())
		}
		tail, err := st.Read(t.Context(), name, 0, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if err := forged.Create(t.Context(), format.RepairedName(name, 0), tail); err != nil {
			t.Fatal(err)
		}
		_, raised = mustRun(t, kept(l), forged, st, compare.Options{})
		if len(raised.of(name)) != 1 {
			t.Errorf("%q", raised.texts())
		}
		if _, raised = mustRun(t, compare.Same, forged, st, compare.Options{}); len(raised.of(name)) != 1 {
			t.Errorf("%q", raised.texts())
		}
	}
}

func TestARepairedTailIsTheOneThatWasWritten(t *testing.T) {
	st := twoBands(t, "3+1")
	l := summariesOf(t, st)
	name := format.TailName(archivetest.BandID(0))
	repaired := copyOf(t, st, with(name, func(b []byte) []byte { return b[:20] }))
	tail, err := st.Read(t.Context(), name, 0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if err := repaired.Create(t.Context(), format.RepairedName(name, 0), tail); err != nil {
		t.Fatal(err)
	}
	_, raised := mustRun(t, kept(l), repaired, st, compare.Options{})
	expect(t, raised)
}
