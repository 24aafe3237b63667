package writer_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"testing"

	"dura/archive"
	"dura/archive/format"
	"dura/archive/seal"
	"dura/archive/seal/own"
	"dura/archive/seal/sealtest"
	"dura/archive/storage"
	"dura/archive/storage/memory"
	"dura/archive/storage/storagetest"
	"dura/writer/source/sourcetest"
)

// newSealedPlace is an archive that is encrypted, and written to by a machine that has the public key alone, and keeps what it needs
// in dir.
func newSealedPlace(t testing.TB, settings format.Settings, dir string) *place {
	t.Helper()
	p := &place{t: t, storage: memory.New()}
	create := archive.CreateOptions{ID: "00112233445566778899aabbccddeeff", Now: testTime, Settings: settings, Key: &sealtest.Key().PublicKey}
	if err := archive.Create(context.Background(), p.storage, create); err != nil {
		t.Fatal(err)
	}
	p.writeFrom(dir)
	return p
}

// writeFrom makes the machine that keeps its keys in dir the one that writes.
func (p *place) writeFrom(dir string) {
	p.writes = func() *seal.Keys {
		keys, err := own.Open(dir, func(err error) { p.t.Error(err) })
		if err != nil {
			p.t.Fatal(err)
		}
		p.t.Cleanup(func() { keys.Close() })
		return seal.NewKeys(seal.KeysOptions{Public: &sealtest.Key().PublicKey, Own: keys, Random: rand.Reader, Chunker: [32]byte{1}})
	}
}

func TestAWriterWithThePublicKeyAloneTakesUpWhatItWrote(t *testing.T) {
	dir := t.TempDir()
	p := newSealedPlace(t, smallSettings(), dir)
	items := movingItems()
	p.withIndex(t.TempDir())
	p.now = later(1)
	first := p.backup(sourcetest.New(items...))
	sameTree(t, p.read(), items)

	p.now = later(2)
	rec := storagetest.NewRecorder(p.storage)
	p.wrap = func(storage.Storage) storage.Storage { return rec }
	second := p.backup(sourcetest.New(items...))
	if second.Parent != first.Band || second.Totals.StoredBytes > 10_000 || second.Totals.Unchanged != int64(len(items)+1) {
		t.Errorf("%+v", second)
	}
	sameTree(t, p.read(), items)

	p.now, p.wrap = later(3), nil
	items = moved(items, "dir", "other")
	third := p.backup(sourcetest.New(items...))
	if blocks := p.sealedKinds(third.Band)[format.BlockObject]; blocks > 1 { // directories alone
		t.Errorf("a rename stored %d blocks", blocks)
	}
	sameTree(t, p.read(), items)
}

// sealedKinds is kinds for an encrypted archive.
func (p *place) sealedKinds(band format.BandID) map[format.ObjectKind]int {
	counts := map[format.ObjectKind]int{}
	a := p.open()
	defer a.Close()
	for info, err := range a.Storage().List(context.Background(), format.BandsPrefix+string(band), storage.Deep) {
		if err != nil {
			p.t.Fatal(err)
		}
		if _, kind, _, err := format.ParseObjectName(info.Name); err == nil {
			counts[kind]++
		}
	}
	return counts
}

func TestAWriterThatLostItsKeysStoresEverythingAgain(t *testing.T) {
	p := newSealedPlace(t, smallSettings(), t.TempDir())
	items := movingItems()
	p.now = later(1)
	first := p.backup(sourcetest.New(items...))
	p.now = later(2)
	p.writeFrom(t.TempDir())
	second := p.backup(sourcetest.New(items...))
	if second.Parent != "" || second.Totals.StoredBytes < first.Totals.StoredBytes*9/10 || len(p.raised) > 0 {
		t.Errorf("%+v after %+v, %v", second, first, p.raised)
	}
	sameTree(t, p.read(), items)
}

func TestABandOfAStrangerIsNotBuiltOn(t *testing.T) {
	p := newSealedPlace(t, smallSettings(), t.TempDir())
	items := movingItems()
	mine, index := t.TempDir(), t.TempDir()
	p.withIndex(index)
	p.now = later(1)
	p.backup(sourcetest.New(items...)) // who has the public key can seal anything, a band of these files too
	p.now = later(2)
	p.writeFrom(mine)
	second := p.backup(sourcetest.New(items...))
	if second.Parent != "" || second.Totals.StoredBytes < 1_000_000 || len(p.raised) > 0 {
		t.Errorf("%+v %v", second, p.raised)
	}
	p.now = later(3)
	third := p.backup(sourcetest.New(items...))
	if third.Parent != second.Band || third.Totals.StoredBytes > 10_000 {
		t.Errorf("%+v", third)
	}
	sameTree(t, p.read(), items)
}

func TestASealedBackupIsGoneOnFrom(t *testing.T) {
	items := resumeItems()
	whole := newSealedPlace(t, resumeSettings(), t.TempDir())
	rec := storagetest.NewRecorder(whole.storage)
	whole.wrap = func(storage.Storage) storage.Storage { return rec }
	whole.backup(sourcetest.New(items...))
	operations, bytes := len(rec.Log()), sealedBlockBytes(t, whole.storage)
	for after := 4; after < operations; after += max(operations/fewer(7, 2), 1) {
		p := newSealedPlace(t, resumeSettings(), t.TempDir())
		p.now = later(1)
		p.wrap = func(st storage.Storage) storage.Storage { return storagetest.NewCrashing(st, after, storagetest.Done) }
		crashed, err := p.tryBackup(context.Background(), sourcetest.New(items...), 2)
		if err == nil && after < operations-5 {
			t.Fatalf("no crash at operation %d", after)
		}
		p.wrap, p.now = nil, later(2)
		result := p.backup(sourcetest.New(items...))
		sameTree(t, p.read(), items)
		if err != nil && crashed.Band != "" && result.Band != crashed.Band {
			t.Errorf("%d: it did not go on with band %s", after, crashed.Band)
		}
		if again := sealedBlockBytes(t, p.storage) - bytes; err != nil && again > 2*resumeSettings().BlockBytes {
			t.Errorf("%d: %d bytes more are stored than without a crash", after, again)
		}
		p.checkSums(result.Band)
	}
}

func sealedBlockBytes(t testing.TB, st storage.Storage) (bytes int64) {
	for name, object := range objects(t, st) {
		if _, kind, _, err := format.ParseObjectName(name[:max(0, len(name)-len(format.SealedSuffix))]); err == nil && kind == format.BlockObject {
			bytes += int64(len(object))
		}
	}
	return bytes
}

func TestNoNameIsInAnyStoredByte(t *testing.T) {
	p := newSealedPlace(t, smallSettings(), t.TempDir())
	p.backup(sourcetest.New(movingItems()...))
	for name, object := range objects(t, p.storage) {
		if name == format.ReadmeName || name == format.SchemaName || name == format.RecoverName {
			continue
		}
		for _, secret := range []string{"file-0", "content of", "larger", "/source", "host"} {
			if bytes.Contains(object, []byte(secret)) {
				t.Errorf("%s has %q", name, secret)
			}
		}
	}
}

// Parity is of the messages, and a run that goes on with a band protects what an earlier one left without.
func TestEveryObjectOfASealedBandIsInAGroup(t *testing.T) {
	p := newSealedPlace(t, paritySettings("4+2"), t.TempDir())
	p.wrap = func(st storage.Storage) storage.Storage { return storagetest.NewCrashing(st, 30, storagetest.Undone) }
	if _, err := p.tryBackup(context.Background(), sourcetest.New(resumeItems()...), 2); err == nil {
		t.Fatal("the first run was not interrupted")
	}
	p.wrap, p.now = nil, later(1)
	second := p.backup(sourcetest.New(resumeItems()...))
	if !second.Continued {
		t.Errorf("%+v", second)
	}
	if times := p.checkProtected(second.Band); len(times) < 20 {
		t.Errorf("%d objects are in groups", len(times))
	}
	sameTree(t, p.read(), resumeItems())
}
