package compare_test

import (
	"slices"
	"strings"
	"testing"

	"dura/archive"
	"dura/archive/archivetest"
	"dura/archive/compare"
	"dura/archive/format"
	"dura/archive/repair"
	"dura/archive/seal/sealtest"
	"dura/archive/storage"
	"dura/archive/storage/memory"
)

// rebuilt is a copy of an archive that has lost objects, and was repaired.
func rebuilt(t testing.TB, st storage.Storage, lost ...string) *memory.Storage {
	t.Helper()
	copied := copyOf(t, st, without(lost...))
	a, err := archive.Open(t.Context(), copied, archive.Options{Unlock: archivetest.Unlock(sealtest.Keys())})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	bands, err := a.Bands(t.Context())
	if err == nil {
		_, err = repair.Repair(t.Context(), a, bands, repair.Options{})
	}
	if err != nil {
		t.Fatal(err)
	}
	return copied
}

// A rebuilt index is told of once, with what is not in it, whichever of the two it is; its objects are not.
func TestARebuiltIndexIsOneFinding(t *testing.T) {
	t.Run("plain", func(t *testing.T) { rebuiltIsOneFinding(t, twoBands(t, "")) })
	t.Run("sealed", func(t *testing.T) { rebuiltIsOneFinding(t, sealedBands(t, "")) })
}

func rebuiltIsOneFinding(t *testing.T, st *memory.Storage) {
	const (
		mostly  = "both have the same files with the same content, but the rebuilt one may lack metadata and fractions of seconds"
		ofHere  = "here the index of the band was rebuilt, and OTHER has the one that was stored: "
		ofThere = "in OTHER the index of the band was rebuilt, and here is the one that was stored: "
	)
	first, second := format.RebuiltTailName(archivetest.BandID(0), 0), format.RebuiltTailName(archivetest.BandID(1), 0)
	shared := rebuilt(t, st, format.HunkName(archivetest.BandID(0), 0))
	_, raised := mustRun(t, compare.Same, shared, st, compare.Options{})
	expect(t, raised, "band/mismatch: "+first+": "+ofHere+mostly, "band/mismatch: "+second+": "+ofHere+mostly)
	_, raised = mustRun(t, compare.Same, st, shared, compare.Options{})
	expect(t, raised, "band/mismatch: "+first+": "+ofThere+mostly, "band/mismatch: "+second+": "+ofThere+mostly)
	r, raised := mustRun(t, compare.Same, shared, copyOf(t, shared, nil), compare.Options{})
	expect(t, raised)
	if r.Bands != 2 || r.Objects == 0 {
		t.Errorf("%+v", r)
	}

	// The file in chunks needs a block that is lost as well.
	block := lastBlock(t, st)
	less := rebuilt(t, st, format.HunkName(archivetest.BandID(0), 1), block)
	_, raised = mustRun(t, compare.Same, less, st, compare.Options{Only: archivetest.BandID(0)})
	if got := raised.of(first); len(got) != 1 || !strings.Contains(got[0], ofHere) || !strings.Contains(got[0], "the first is /z; restore these from where they are whole") {
		t.Errorf("%q", raised.texts())
	}
	if got := raised.of(block); len(got) != 1 || len(raised.texts()) != 2 {
		t.Errorf("%q", raised.texts())
	}
	twice := rebuilt(t, st, format.HunkName(archivetest.BandID(0), 1))
	_, raised = mustRun(t, compare.Same, shared, twice, compare.Options{Only: archivetest.BandID(0)})
	if got := raised.of(first); len(got) != 1 || len(raised.texts()) != 1 || !strings.Contains(got[0], "here and in OTHER the index of the band was rebuilt, and not in the same way") {
		t.Errorf("%q", raised.texts())
	}
}

// lastBlock is the last block of the first band.
func lastBlock(t testing.TB, st storage.Storage) string {
	all := names(t, st)
	i := slices.IndexFunc(all, func(name string) bool { return strings.Contains(name, string(archivetest.BandID(0))+"/index/") })
	return strings.TrimSuffix(all[i-1], format.SealedSuffix)
}

// Damage beside a rebuilt index is found as elsewhere: to its own objects, to those of the stored one where that counts, and to blocks.
func TestDamageBesideARebuiltIndexIsFound(t *testing.T) {
	st := twoBands(t, "")
	shared := rebuilt(t, st, format.HunkName(archivetest.BandID(0), 0))
	id := archivetest.BandID(0)
	for _, name := range []string{format.HunkName(id, 1), format.BlockName(id, 0), format.SpansName(id, 5), format.HeadName(id)} {
		for side := range 2 {
			h, o := copyOf(t, shared, without(name)), st
			if side == 1 {
				h, o = st, h
			}
			if _, raised := mustRun(t, compare.Same, h, o, compare.Options{Only: id}); len(raised.of(name)) != 1 {
				t.Errorf("%s missing, side %d: %q", name, side, raised.texts())
			}
		}
	}
	for name, lost := range map[string]*memory.Storage{format.TailName(id): copyOf(t, st, without(format.TailName(id))), format.HunkName(id, 0): copyOf(t, st, without(format.HunkName(id, 0)))} {
		if _, raised := mustRun(t, compare.Same, lost, shared, compare.Options{Only: id}); len(raised.of(name)) > 1 || len(raised.texts()) == 0 {
			t.Errorf("%s missing beside a rebuilt one: %q", name, raised.texts())
		}
	}
}
