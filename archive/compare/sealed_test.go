package compare_test

import (
	"testing"

	"dura/archive/archivetest"
	"dura/archive/compare"
	"dura/archive/format"
	"dura/archive/seal/sealtest"
	"dura/archive/storage"
	"dura/archive/storage/storagetest"
	"dura/archive/summaries"
)

// sealedTail is a band's tail as it is stored in an encrypted archive, and what it says.
func sealedTail(t testing.TB, st storage.Storage, id format.BandID) (stored []byte, tail format.Tail) {
	t.Helper()
	name := format.TailName(id)
	stored, err := st.Read(t.Context(), name+format.SealedSuffix, 0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	text, err := sealtest.Keys().Open(name, stored)
	if err != nil {
		t.Fatal(err)
	}
	if tail, err = format.DecodeTail(id, text); err != nil {
		t.Fatal(err)
	}
	return stored, tail
}

// sealAnew is a tail as somebody with the key seals it.
func sealAnew(t testing.TB, id format.BandID, tail format.Tail) []byte {
	t.Helper()
	stored, _, err := sealtest.Keys().Seal(format.TailName(id), format.EncodeTail(tail))
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

func TestSealedCopiesAreTheSameForWhatPlainOnesCost(t *testing.T) {
	for _, scheme := range []string{"", "3+1"} {
		st := sealedBands(t, scheme)
		h, o := storagetest.NewRecorder(st), storagetest.NewRecorder(copyOf(t, st, nil))
		r, raised := mustRun(t, compare.Same, h, o, compare.Options{})
		expect(t, raised)
		if plain, _ := mustRun(t, compare.Same, twoBands(t, scheme), twoBands(t, scheme), compare.Options{}); r.Bands != 2 || r.Objects != plain.Objects {
			t.Errorf("%+v, and of plain ones %+v", r, plain)
		}
		for _, rec := range []*storagetest.Recorder{h, o} {
			if c := rec.Counts(); c.Reads != 2+2*4+1 || c.Lists > 1+2*2 || c.Stats != 4+1 { // the public key too
				t.Errorf("%+v", c)
			}
		}
	}
}

func TestOfTwoPublicKeysTheWrongOneIsFound(t *testing.T) {
	st := sealedBands(t, "")
	const text = ": it is not the key that DURA-ARCHIVE names"
	wrong := copyOf(t, st, with(format.PublicKeyName, func(b []byte) []byte { return b[:len(b)/2] }))
	_, raised := mustRun(t, compare.Same, wrong, st, compare.Options{})
	expect(t, raised, "archive/mismatch: "+format.PublicKeyName+text)
	_, raised = mustRun(t, compare.Same, st, wrong, compare.Options{})
	expect(t, raised, "archive/mismatch: "+format.PublicKeyName+": in OTHER it is not the key that DURA-ARCHIVE names")
}

// TestASealedTailIsTheOneThatWasWritten has a repaired copy of the tail beside what is in its place.
func TestASealedTailIsTheOneThatWasWritten(t *testing.T) {
	st := sealedBands(t, "3+1")
	id := archivetest.BandID(0)
	name := format.TailName(id)
	stored, tail := sealedTail(t, st, id)
	l := summaries.List{Archive: archivetest.ArchiveID, Since: archivetest.Time}.
		With(summaries.Summary{Band: id, TailSHA256: format.SumBytes(stored), Totals: tail.Totals})
	forged := tail
	forged.Totals.Entries++
	for _, c := range []struct {
		what  string
		is    []byte
		found int
	}{
		{"itself", stored, 0}, {"damaged", stored[:20], 0}, {"the same sealed anew", sealAnew(t, id, tail), 0}, {"another one", sealAnew(t, id, forged), 1},
	} {
		is := copyOf(t, st, with(name+format.SealedSuffix, func([]byte) []byte { return c.is }))
		if err := is.Create(t.Context(), format.RepairedName(name, 0)+format.SealedSuffix, stored); err != nil {
			t.Fatal(err)
		}
		if _, raised := mustRun(t, kept(l), is, st, compare.Options{}); len(raised.of(name)) != c.found || len(raised.Raised()) != c.found {
			t.Errorf("%s, against what was kept: %q", c.what, raised.texts())
		}
		if _, raised := mustRun(t, compare.Same, is, st, compare.Options{}); len(raised.of(name)) != c.found || len(raised.Raised()) != c.found {
			t.Errorf("%s, against a copy: %q", c.what, raised.texts())
		}
	}
}

// TestASealedAndAPlainArchiveOfOneSource have the same files, sealed by keys and stored in objects of their own.
func TestASealedAndAPlainArchiveOfOneSource(t *testing.T) {
	for _, other := range []storage.Storage{twoBands(t, ""), sealedBands(t, "")} {
		r, raised := mustRun(t, compare.Contents, sealedBands(t, ""), other, compare.Options{})
		expect(t, raised)
		if r.Bands != 1 || r.Entries == 0 || r.Files == 0 || r.Changed+r.Unknown+r.EntriesOnlyHere+r.EntriesOnlyThere != 0 {
			t.Errorf("%+v", r)
		}
	}
}
