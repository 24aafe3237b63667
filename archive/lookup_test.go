package archive_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"dura/archive"
	"dura/archive/archivetest"
	"dura/archive/format"
	"dura/archive/storage/storagetest"
)

// collected drains an iteration, and stops at the first error.
func collected(all iter.Seq2[archive.Located, error]) ([]archive.Located, error) {
	var found []archive.Located
	for e, err := range all {
		if err != nil {
			return found, err
		}
		found = append(found, e)
	}
	return found, nil
}

func pathsOf(found []archive.Located) []format.Path {
	paths := make([]format.Path, len(found))
	for i, e := range found {
		paths[i] = e.Path
	}
	return paths
}

// someTree draws directories and empty files whose names sort oddly.
func someTree(t *rapid.T) []archivetest.Item {
	names := rapid.SampledFrom([]string{"a", "b", "a-b", "a.b", "aa", "\x01", "\xff", "z"})
	paths := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
		p := names.Draw(t, "name")
		for range rapid.IntRange(0, 3).Draw(t, "depth") {
			p += "/" + names.Draw(t, "name")
		}
		return p
	}), 0, 40).Draw(t, "paths")
	tree := map[string]string{"/": ""}
	for _, p := range paths {
		tree[p] = ""
	}
	return archivetest.Tree(tree)
}

// model is what a band should say, by the plainest means.
type model []format.Path

func (m model) filter(keep func(format.Path) bool) (paths []format.Path, ordinals []int64) {
	for i, p := range m {
		if keep(p) {
			paths, ordinals = append(paths, p), append(ordinals, int64(i))
		}
	}
	return paths, ordinals
}

func (m model) check(t *rapid.T, what string, all iter.Seq2[archive.Located, error], keep func(format.Path) bool) {
	found, err := collected(all)
	paths, ordinals := m.filter(keep)
	if err != nil || !slices.Equal(pathsOf(found), paths) {
		t.Fatalf("%s: %q %v\nwant %q", what, pathsOf(found), err, paths)
	}
	for i := range found {
		if found[i].Ordinal != ordinals[i] {
			t.Fatalf("%s: %q is number %d, not %d", what, found[i].Path, found[i].Ordinal, ordinals[i])
		}
	}
}

func TestABandSaysOfItsEntriesWhatAListWould(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		items := someTree(rt)
		st := archivetest.NewArchive(t)
		w := archivetest.NewBand(t, archivetest.Band{
			Storage: st, ID: archivetest.BandID(0), HunkEntries: rapid.IntRange(1, 7).Draw(rt, "hunk"), FenceHunks: rapid.IntRange(1, 4).Draw(rt, "fence"),
		})
		_, _, fences := w.Write(items)
		if rapid.Bool().Draw(rt, "complete") {
			w.Tail(fences)
		}
		var m model
		for _, it := range items {
			m = append(m, it.Path)
		}
		b := openBand(t, st, 0, archive.Options{})
		if b.Entries() != int64(len(m)) {
			rt.Fatal(b.Entries(), len(m))
		}
		for i, p := range m {
			if e, err := b.Lookup(t.Context(), p); err != nil || e.Path != p || e.Ordinal != int64(i) {
				rt.Fatal(p, e, err)
			}
			if e, err := b.At(t.Context(), int64(i)); err != nil || e.Path != p || e.Ordinal != int64(i) {
				rt.Fatal(p, e, err)
			}
			m.check(rt, fmt.Sprintf("below %q", p), b.Subtree(t.Context(), p), func(q format.Path) bool { return q.Within(p) })
			from := rapid.SampledFrom([]string{"", "a", "a-b", "b", "m", "\xff"}).Draw(rt, "from")
			if items[i].Kind != format.Directory {
				continue
			}
			m.check(rt, fmt.Sprintf("in %q behind %q", p, from), b.ReadDir(t.Context(), p, from), func(q format.Path) bool {
				dir, name := q.Split()
				return q != format.Root && dir == p && name > from
			})
		}
		for _, p := range []format.Path{"nowhere", "a/nowhere", "\x00", "zz"} {
			_, err := b.Lookup(t.Context(), p)
			wantKind(t, err, archive.KindNotFound)
			for _, all := range []iter.Seq2[archive.Located, error]{b.ReadDir(t.Context(), p, ""), b.Subtree(t.Context(), p)} {
				found, err := collected(all)
				if e := wantKind(t, err, archive.KindNotFound); len(found) > 0 || e.Path != p {
					rt.Fatal(found, e)
				}
			}
		}
		for _, i := range []int64{-1, b.Entries()} {
			_, err := b.At(t.Context(), i)
			wantKind(t, err, archive.KindNotFound)
		}
	})
}

func TestListingAFileSaysThatItIsNone(t *testing.T) {
	st := archivetest.NewArchive(t)
	archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0)}).Complete(archivetest.Tree(map[string]string{"d/f": "x", "e/": ""}))
	b := openBand(t, st, 0, archive.Options{})
	_, err := collected(b.ReadDir(t.Context(), "d/f", ""))
	wantKind(t, err, archive.KindNotADirectory)
	if found, err := collected(b.ReadDir(t.Context(), "e", "")); err != nil || len(found) > 0 {
		t.Error("an empty directory:", found, err)
	}
	if found, err := collected(b.Subtree(t.Context(), "d/f")); err != nil || len(found) != 1 {
		t.Error("the subtree of a file:", found, err)
	}
}

func TestAnIterationStopsWhenItsCallerDoes(t *testing.T) {
	st := archivetest.NewArchive(t)
	archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0), HunkEntries: 2, FenceHunks: 2}).Complete(manyFiles(50))
	b := openBand(t, st, 0, archive.Options{})
	for _, all := range []iter.Seq2[archive.Located, error]{b.ReadDir(t.Context(), "", ""), b.Subtree(t.Context(), ""), b.Subtree(t.Context(), "f000003")} {
		n := 0
		for range all {
			if n++; n == 1 {
				break
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n, failures := 0, 0
	for _, err := range b.Subtree(ctx, "") {
		if n++; n == 3 {
			cancel()
		}
		if err != nil {
			failures++
		}
	}
	if failures != 1 || n > 10 {
		t.Errorf("after its context was done the iteration went on: %d yields, %d errors", n, failures)
	}
}

// manyFiles are a root and n empty files.
func manyFiles(n int) []archivetest.Item {
	items := []archivetest.Item{archivetest.Dir("")}
	for i := range n {
		items = append(items, archivetest.File(format.Path(fmt.Sprintf("f%06d", i)), nil))
	}
	return items
}

func TestAWalkReadsEachObjectOnce(t *testing.T) {
	st := archivetest.NewArchive(t)
	archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0), HunkEntries: 10, FenceHunks: 7}).Complete(manyFiles(999))
	rec := storagetest.NewRecorder(st)
	b := openBand(t, rec, 0, archive.Options{})
	rec.Reset()
	found, err := collected(b.Subtree(t.Context(), ""))
	if err != nil || len(found) != 1000 {
		t.Fatal(len(found), err)
	}
	if c := rec.Counts(); c.Reads != 100+15 || c.Lists != 0 {
		t.Errorf("%+v", c)
	}
	rec.Reset()
	if _, err := collected(b.ReadDir(t.Context(), "", "f000499")); err != nil || rec.Counts().Reads != 0 {
		t.Errorf("a second walk reads again: %+v %v", rec.Counts(), err)
	}
}

func TestASmallRunIsNotReadBeyond(t *testing.T) {
	st := archivetest.NewArchive(t)
	tree := map[string]string{}
	for i := range 100 {
		for j := range 10 {
			tree[fmt.Sprintf("d%02d/f%d", i, j)] = ""
		}
	}
	archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0), HunkEntries: 10, FenceHunks: 10}).Complete(archivetest.Tree(tree))
	for _, all := range []func(*archive.Band) iter.Seq2[archive.Located, error]{
		func(b *archive.Band) iter.Seq2[archive.Located, error] { return b.ReadDir(t.Context(), "d50", "") },
		func(b *archive.Band) iter.Seq2[archive.Located, error] { return b.Subtree(t.Context(), "d50") },
	} {
		rec := storagetest.NewRecorder(st)
		b := openBand(t, rec, 0, archive.Options{})
		rec.Reset()
		found, err := collected(all(b))
		b.Archive().Close()
		if err != nil || len(found) < 10 || rec.Counts().Reads > 5 { // two fences, the entry's hunk, two that hold the run
			t.Error(len(found), err, rec.Counts())
		}
	}
}
