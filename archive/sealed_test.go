package archive_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"

	"dura/archive"
	"dura/archive/alarm/alarmtest"
	"dura/archive/archivetest"
	"dura/archive/format"
	"dura/archive/seal"
	"dura/archive/seal/sealtest"
	"dura/archive/storage"
	"dura/archive/storage/memory"
	"dura/archive/storage/storagetest"
)

func sealedOptions() archive.Options {
	return archive.Options{Unlock: archivetest.Unlock(sealtest.Keys())}
}

// sealedArchive has some bands of small files and a large one.
func sealedArchive(t testing.TB, bands int) (*memory.Storage, map[string]string) {
	st := archivetest.NewSealedArchive(t, sealtest.Key())
	tree := map[string]string{"large": string(noise(3 << 20))}
	for i := range 300 {
		tree[fmt.Sprintf("secret-dir/secret-file-%03d", i)] = fmt.Sprintf("secret content of %d", i)
	}
	for n := range bands {
		archivetest.NewBand(t, archivetest.Band{
			Storage: st, ID: archivetest.BandID(n), HunkEntries: 20, FenceHunks: 10, FrameBytes: 4 << 10, SpansInline: 4, SpanBytes: 300 << 10, Keys: sealtest.Keys(),
		}).Complete(archivetest.Tree(tree))
	}
	return st, tree
}

// contents reads all files of a band.
func contents(t testing.TB, b *archive.Band) (map[string]string, error) {
	t.Helper()
	got := map[string]string{}
	for e, err := range b.Subtree(t.Context(), format.Root) {
		if err != nil {
			return got, err
		}
		if e.Kind != format.File {
			continue
		}
		var content []byte
		for s, err := range b.Archive().Content(e.Entry).Segments(t.Context()) {
			if err != nil {
				return got, err
			}
			content = append(content, s.Data...)
		}
		got[string(e.Path)] = string(content)
	}
	return got, nil
}

func TestASealedBandGivesWhatIsInIt(t *testing.T) {
	st, tree := sealedArchive(t, 1)
	got, err := contents(t, openBand(t, st, 0, sealedOptions()))
	if err != nil || len(got) != len(tree) {
		t.Fatal(len(got), err)
	}
	for path, content := range tree {
		if got[path] != content {
			t.Errorf("%s: %d bytes", path, len(got[path]))
		}
	}
}

func TestASealedSmallFileCostsWhatAnyOtherDoes(t *testing.T) {
	st, _ := sealedArchive(t, 1)
	rec := storagetest.NewRecorder(st)
	b := openBand(t, rec, 0, sealedOptions())
	if _, err := b.Lookup(t.Context(), "secret-dir/secret-file-201"); err != nil { // brings in the fence
		t.Fatal(err)
	}
	rec.Reset()
	e, err := b.Lookup(t.Context(), "secret-dir/secret-file-299")
	if err != nil {
		t.Fatal(err)
	}
	for s, err := range b.Archive().Content(e.Entry).Segments(t.Context()) {
		if err != nil || string(s.Data) != "secret content of 299" {
			t.Errorf("%q %v", s.Data, err)
		}
	}
	if c := rec.Counts(); c.Reads > 2 || c.Lists+c.Stats != 0 { // hunk, frame
		t.Errorf("%+v\n%+v", c, rec.Log())
	}
}

func TestNoNameAndNoContentIsInStorage(t *testing.T) {
	st, _ := sealedArchive(t, 2)
	objects := 0
	for info, err := range st.List(t.Context(), "", storage.Deep) {
		if err != nil {
			t.Fatal(err)
		}
		stored, err := st.Read(t.Context(), info.Name, 0, int(info.SizeBytes))
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"secret-dir", "secret-file", "secret content", "/src", "archivetest"} {
			if bytes.Contains(stored, []byte(secret)) || strings.Contains(info.Name, secret) {
				t.Errorf("%s has %q", info.Name, secret)
			}
		}
		objects++
	}
	if objects < 50 {
		t.Error(objects)
	}
}

func TestWithoutAKeyASealedArchiveTellsOfItsBandsAlone(t *testing.T) {
	st, _ := sealedArchive(t, 2)
	a := open(t, st, archive.Options{})
	bands, err := a.Bands(t.Context())
	if err != nil || len(bands) != 2 || !bands[1].Complete || !bands[1].HasHead || !bands[1].HasSums {
		t.Fatal(bands, err)
	}
	var locked *seal.LockedError
	if _, err := a.OpenBand(t.Context(), bands[0]); !archive.Is(err, archive.KindLocked) || !errors.As(err, &locked) {
		t.Error(err)
	}
	if a.CanOpen(bands[0].ID) {
		t.Error("it says that it can open a band")
	}
}

func TestAKeyThatIsNotTheArchivesOpensNothing(t *testing.T) {
	st, _ := sealedArchive(t, 1)
	stranger, err := seal.Generate(archivetest.ArchiveID, archivetest.Time, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys := seal.NewKeys(seal.KeysOptions{Public: &stranger.PublicKey, Secret: stranger, Random: rand.Reader})
	if _, err := archive.Open(t.Context(), st, archive.Options{Unlock: archivetest.Unlock(keys)}); !archive.Is(err, archive.KindMismatch) {
		t.Error(err)
	}
}

// replace puts another object in the place of one.
func replace(t testing.TB, st storage.Storage, name string, content []byte) {
	t.Helper()
	if err := st.Delete(context.Background(), name); err != nil {
		t.Fatal(name, err)
	}
	if err := st.Create(context.Background(), name, content); err != nil {
		t.Fatal(name, err)
	}
}

func stored(t testing.TB, st storage.Storage, name string) []byte {
	t.Helper()
	content, err := st.Read(context.Background(), name, 0, 64<<20)
	if err != nil {
		t.Fatal(name, err)
	}
	return content
}

// TestObjectsOfOthersAreNeverServed puts each object in the place of each other one of its kind, of the same band and of another, and looks
// whether anything is served that the band does not have.
func TestObjectsOfOthersAreNeverServed(t *testing.T) {
	for _, complete := range []bool{true, false} {
		st, tree := sealedArchive(t, 2)
		tree2 := map[string]string{"secret-dir/secret-file-000": "another content", "large": string(noise(2 << 20))}
		archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(2), HunkEntries: 2, FenceHunks: 2, SpansInline: 4, SpanBytes: 300 << 10, Keys: sealtest.Keys()}).
			Complete(archivetest.Tree(tree2))
		mine, other := string(archivetest.BandID(0)), string(archivetest.BandID(2))
		if !complete {
			for _, name := range []string{format.TailName(archivetest.BandID(0)), format.SumsName(archivetest.BandID(0))} {
				if err := st.Delete(t.Context(), format.StoredName(name, true)); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, swap := range [][2]string{
			{".head.gpg", ".head.gpg"}, {".tail.gpg", ".tail.gpg"}, {"/alarms.zst.gpg", "/alarms.zst.gpg"},
			{"/data/000/000000.tar.zst.gpg", "/data/000/000000.tar.zst.gpg"}, {"/index/000/000000.hunk.zst.gpg", "/index/000/000000.hunk.zst.gpg"},
			{"/index/000/000001.hunk.zst.gpg", "/index/000/000000.hunk.zst.gpg"}, {"/index/000000.fence.zst.gpg", "/index/000000.fence.zst.gpg"},
			{"/index/000/000000.spans.zst.gpg", "/index/000/000000.spans.zst.gpg"},
		} {
			name, from := "bands/"+mine+swap[0], "bands/"+other+swap[1]
			if !complete && swap[0] == ".tail.gpg" {
				if err := st.Create(t.Context(), name, stored(t, st, from)); err != nil {
					t.Fatal(err)
				}
			}
			before := stored(t, st, name)
			replace(t, st, name, stored(t, st, from))
			mustServeNothingElse(t, st, fmt.Sprintf("%v: %s for %s", complete, from, name), tree, swap[0] == "/alarms.zst.gpg")
			replace(t, st, name, before)
			if !complete && swap[0] == ".tail.gpg" {
				if err := st.Delete(t.Context(), name); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// mustServeNothingElse reads the first band, whatever it takes, and compares what comes with what may.
func mustServeNothingElse(t *testing.T, st storage.Storage, what string, tree map[string]string, harmless bool) {
	t.Helper()
	raised := &alarmtest.Alarms{}
	o := sealedOptions()
	o.Alarms = raised
	a := open(t, st, o)
	s, err := a.FindBand(t.Context(), string(archivetest.BandID(0)))
	if err != nil {
		t.Fatal(err)
	}
	found := harmless
	b, err := a.OpenBand(t.Context(), s)
	if err != nil {
		return
	}
	if _, err := b.Head(t.Context()); err != nil {
		found = true
	}
	for e, err := range b.Subtree(t.Context(), format.Root) {
		if err != nil {
			found = true
			continue
		}
		if e.Kind != format.File {
			continue
		}
		var content []byte
		for s, err := range a.Content(e.Entry).Segments(t.Context()) {
			if err != nil {
				found, content = true, nil
				break
			}
			content = append(content, s.Data...)
		}
		if content != nil && string(content) != tree[string(e.Path)] {
			t.Errorf("%s: %s is served with another content", what, e.Path)
		}
	}
	if !found && len(kinds(raised)) == 0 {
		t.Errorf("%s: not found", what)
	}
}

func TestAnObjectThatIsNoMessageIsNotPartOfASealedArchive(t *testing.T) {
	st, _ := sealedArchive(t, 1)
	plain := archivetest.BandID(5)
	archivetest.NewBand(t, archivetest.Band{Storage: st, ID: plain}).Complete(archivetest.Tree(map[string]string{"a": "b"}))
	a := open(t, st, sealedOptions())
	bands, err := a.Bands(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range bands {
		if s.ID == plain && (s.HasHead || s.Complete && !s.HasSums) {
			t.Errorf("%+v", s)
		}
	}
	if _, err := a.OpenBand(t.Context(), archive.BandState{ID: plain, Complete: true, HasHead: true}); err == nil {
		b := openBand(t, st, 5, sealedOptions())
		if b.Entries() != 0 {
			t.Error("a plain band is served")
		}
	}
}

func TestASealedFooterTellsOfItsBlock(t *testing.T) {
	st, _ := sealedArchive(t, 1)
	rec := storagetest.NewRecorder(st)
	a := open(t, rec, sealedOptions())
	block := format.Block{Band: archivetest.BandID(0)}
	info, err := st.Stat(t.Context(), block.Name()+".gpg")
	if err != nil {
		t.Fatal(err)
	}
	block.StoredBytes = info.SizeBytes
	rec.Reset()
	footer, err := a.Footer(t.Context(), &block)
	if err != nil || len(footer.Members) == 0 || block.Seal.IsZero() {
		t.Fatal(err, footer)
	}
	if c := rec.Counts(); c.Reads != 2 {
		t.Error(c)
	}
	sum, err := a.SumBlock(t.Context(), &block)
	if err != nil || sum != format.SumBytes(stored(t, st, block.Name()+".gpg")) {
		t.Error(err)
	}
	changed := stored(t, st, block.Name()+".gpg")
	changed[len(changed)/2] ^= 1
	replace(t, st, block.Name()+".gpg", changed)
	if _, err := a.SumBlock(t.Context(), &block); !archive.Is(err, archive.KindMismatch) {
		t.Error(err)
	}
}

// TestAnIndexSealedAnewIsFound has somebody who knows what is in an index, and has the public key, point it elsewhere.
func TestAnIndexSealedAnewIsFound(t *testing.T) {
	st, tree := sealedArchive(t, 1)
	keys := sealtest.Keys()
	dec, err := format.NewDecoder(1)
	if err != nil {
		t.Fatal(err)
	}
	enc, err := format.NewIndexEncoder()
	if err != nil {
		t.Fatal(err)
	}
	name := format.FenceName(archivetest.BandID(0), 0)
	frame, err := keys.Open(name, stored(t, st, name+".gpg"))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := dec.Decode("fence", frame, format.MaxIndexBytes)
	if err != nil {
		t.Fatal(err)
	}
	refs, err := format.DecodeFence(raw)
	if err != nil || len(refs) < 3 {
		t.Fatal(len(refs), err)
	}
	refs[1].Number, refs[1].StoredBytes, refs[1].SHA256 = refs[2].Number, refs[2].StoredBytes, refs[2].SHA256
	if raw, err = format.EncodeFence(refs); err != nil {
		t.Fatal(err)
	}
	sealed, _, err := keys.Seal(name, enc.Append(nil, raw))
	if err != nil {
		t.Fatal(err)
	}
	replace(t, st, name+".gpg", sealed)
	mustServeNothingElse(t, st, "a fence that was sealed anew", tree, false)
}
