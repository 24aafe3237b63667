package archive_test

import (
	"bytes"
	"maps"
	"strings"
	"testing"

	"dura/archive"
	"dura/archive/alarm/alarmtest"
	"dura/archive/archivetest"
	"dura/archive/format"
	"dura/archive/parity"
	"dura/archive/seal"
	"dura/archive/seal/sealtest"
	"dura/archive/storage"
	"dura/archive/storage/memory"
)

// sealedWithParity has one band of small files and a large one, and what is in it.
func sealedWithParity(t testing.TB, protect bool) (*memory.Storage, map[string]string) {
	st := archivetest.NewSealedArchive(t, sealtest.Key())
	tree := map[string]string{"large": string(noise(20_000)), "a": "content of a", "d/b": "content of b", "d/c": "content of c"}
	archivetest.NewBand(t, archivetest.Band{
		Storage: st, ID: archivetest.BandID(0), HunkEntries: 2, FenceHunks: 2, FrameBytes: 4000, SpanBytes: 3000, BlockFrames: 2, SpansInline: 2,
		Keys: sealtest.Keys(),
	}).Complete(archivetest.Tree(tree))
	if protect {
		archivetest.Protect(t, st, archivetest.BandID(0), parity.Scheme{Members: 16, Parity: 2})
	}
	return st, tree
}

// Whatever object is lost or changed, its content is had from parity, or from another archive, whose messages are the same.
func TestReadingASealedArchiveGoesOn(t *testing.T) {
	protected, tree := sealedWithParity(t, true)
	plain, _ := sealedWithParity(t, false)
	for name, stored := range objectsOf(t, protected) {
		if !strings.HasPrefix(name, format.BandsPrefix) || !strings.HasSuffix(name, format.SealedSuffix) {
			continue
		}
		for _, changed := range [][]byte{nil, {}, stored[:len(stored)/2], flipped(stored)} {
			readsOn(t, protected, name, changed, tree, nil)
		}
	}
	for name, stored := range objectsOf(t, plain) {
		if strings.HasPrefix(name, format.BandsPrefix) && strings.HasSuffix(name, format.SealedSuffix) {
			for _, changed := range [][]byte{nil, flipped(stored)} {
				readsOn(t, plain, name, changed, tree, []archive.Other{{Name: "other", Storage: plain}})
			}
		}
	}
}

// objectsOf are all objects, by their names in storage.
func objectsOf(t testing.TB, st *memory.Storage) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for info, err := range st.List(t.Context(), "", storage.Deep) {
		if err != nil {
			t.Fatal(err)
		}
		if all[info.Name], err = st.Read(t.Context(), info.Name, 0, int(info.SizeBytes)); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func flipped(b []byte) []byte {
	b = bytes.Clone(b)
	b[len(b)/2] ^= 4
	return b
}

func readsOn(t *testing.T, good *memory.Storage, name string, changed []byte, tree map[string]string, also []archive.Other) {
	t.Helper()
	st := memory.New()
	for other, stored := range objectsOf(t, good) {
		if other == name {
			stored = changed
		}
		if stored != nil {
			if err := st.Create(t.Context(), other, stored); err != nil {
				t.Fatal(err)
			}
		}
	}
	o := sealedOptions()
	raised := &alarmtest.Alarms{}
	o.Also, o.Alarms = also, raised
	b := openBand(t, st, 0, o)
	got, err := contents(t, b)
	if err == nil {
		_, err = b.Head(t.Context())
	}
	if err == nil {
		_, _, err = b.Alarms(t.Context())
	}
	if err != nil || !maps.Equal(got, tree) || len(b.Damage()) > 0 {
		t.Errorf("%s of %d bytes: %v", name, len(changed), err)
	}
	if n := len(raised.Raised()); n > 1 || n == 0 && changed == nil { // a frame is read without what else its message has
		t.Errorf("%s of %d bytes: alarms: %v", name, len(changed), raised.Raised())
	}
}

// Where DURA-ARCHIVE is lost, the archive's key says what archive it is, and a head, for who can open it, its settings.
func TestASealedArchiveThatLostItsHeadOpens(t *testing.T) {
	good, tree := sealedWithParity(t, true)
	for _, left := range [][]byte{nil, {}, []byte("format: 1\n"), bytes.Repeat([]byte{0}, 300)} {
		st := memory.New()
		for name, stored := range objectsOf(t, good) {
			if name == format.ArchiveName {
				stored = left
			}
			if stored != nil {
				if err := st.Create(t.Context(), name, stored); err != nil {
					t.Fatal(err)
				}
			}
		}
		raised := &alarmtest.Alarms{}
		o := sealedOptions()
		o.Alarms = raised
		b := openBand(t, st, 0, o)
		if got, err := contents(t, b); err != nil || !maps.Equal(got, tree) || len(raised.Raised()) != 1 || raised.Raised()[0].Filename != format.ArchiveName {
			t.Errorf("%q: %v %v", left, err, raised.Raised())
		}
		head := b.Archive().Head()
		if head.ID != archivetest.ArchiveID || head.KeyFingerprint != sealtest.Key().Fingerprint() || !head.Settings.AreWhole() {
			t.Errorf("%q: %+v", left, head)
		}
		locked, err := archive.Open(t.Context(), st, archive.Options{Unlock: archivetest.Unlock(seal.NewKeys(seal.KeysOptions{Public: &sealtest.Key().PublicKey}))})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := locked.BandHead(t.Context(), archivetest.BandID(0)); !archive.Is(err, archive.KindLocked) || locked.Head().Settings.AreWhole() {
			t.Errorf("without the key: %v", err)
		}
		locked.Close()
		if err := st.Delete(t.Context(), format.PublicKeyName); err != nil {
			t.Fatal(err)
		}
		if err := st.Create(t.Context(), format.SecretKeyName(0), []byte("sealed")); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Open(t.Context(), st, o); !archive.Is(err, archive.KindMissing) || !strings.Contains(err.Error(), format.PublicKeyName) {
			t.Errorf("%q and no key: %v", left, err)
		}
		o.Also = []archive.Other{{Name: "other", Storage: good}}
		if got, err := contents(t, openBand(t, st, 0, o)); err != nil || !maps.Equal(got, tree) {
			t.Errorf("%q, no key, and another archive: %v", left, err)
		}
	}
}
