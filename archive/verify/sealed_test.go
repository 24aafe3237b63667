package verify_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"dura/archive"
	"dura/archive/archivetest"
	"dura/archive/format"
	"dura/archive/seal/sealtest"
	"dura/archive/storage"
	"dura/archive/storage/memory"
	"dura/archive/verify"
)

func sealedArchive(t *testing.T) *memory.Storage {
	st := archivetest.NewSealedArchive(t, sealtest.Key(), []byte("sealed"))
	tree := map[string]string{}
	for i := range 50 {
		tree[fmt.Sprintf("file-%03d", i)] = fmt.Sprintf("content of %d", i)
	}
	for n := range 2 {
		archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(n), HunkEntries: 20, FenceHunks: 2, Keys: sealtest.Keys()}).
			Complete(archivetest.Tree(tree))
	}
	return st
}

func verifySealed(t *testing.T, st storage.Storage, o archive.Options, depth verify.Depth) (verify.Result, error) {
	t.Helper()
	a, err := archive.Open(t.Context(), st, o)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	bands, err := a.Bands(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return verify.Verify(t.Context(), a, bands, verify.Options{Depth: depth})
}

func TestASealedArchiveVerifiesWithItsKeyAndBlocksWithout(t *testing.T) {
	st := sealedArchive(t)
	with := archive.Options{Unlock: archivetest.Unlock(sealtest.Keys())}
	for depth := verify.Objects; depth <= verify.Files; depth++ {
		r, err := verifySealed(t, st, with, depth)
		if err != nil || r.Damaged != 0 || r.Bands != 2 || r.Objects < 10 {
			t.Errorf("depth %d: %+v %v", depth, r, err)
		}
	}
	r, err := verifySealed(t, st, archive.Options{}, verify.Blocks)
	if err != nil || r.Damaged != 0 || r.Bands != 2 || r.Objects < 10 || r.Blocks < 2 {
		t.Errorf("without the key: %+v %v", r, err)
	}
	if r, err := verifySealed(t, st, archive.Options{}, verify.Files); err == nil && r.Damaged == 0 {
		t.Error("files were found whole that nobody could open")
	}
}

func TestDamageToASealedArchiveIsFoundWithoutItsKey(t *testing.T) {
	st := sealedArchive(t)
	var names []string
	for info, err := range st.List(t.Context(), format.BandsPrefix, storage.Deep) {
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(info.Name, format.SealedSuffix) {
			names = append(names, info.Name)
		}
	}
	for _, name := range names {
		before, err := st.Read(t.Context(), name, 0, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		for _, now := range [][]byte{append([]byte{before[0] ^ 1}, before[1:]...), before[:len(before)-1], nil} {
			put(t, st, name, now)
			r, err := verifySealed(t, st, archive.Options{}, verify.Blocks)
			if err != nil || r.Damaged != 1 {
				t.Errorf("%s of %d bytes: %+v %v", name, len(now), r, err)
			}
		}
		put(t, st, name, before)
	}
}

// put replaces an object, or deletes it where content is nil.
func put(t *testing.T, st storage.Storage, name string, content []byte) {
	t.Helper()
	if err := st.Delete(context.Background(), name); err != nil && !storage.Is(err, storage.KindNotFound) {
		t.Fatal(err)
	}
	if content == nil {
		return
	}
	if err := st.Create(context.Background(), name, content); err != nil {
		t.Fatal(err)
	}
}
