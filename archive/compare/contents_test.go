package compare_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"dura/archive/archivetest"
	"dura/archive/compare"
	"dura/archive/format"
	"dura/archive/storage/memory"
	"dura/archive/storage/storagetest"
)

// archiveOf is an archive with one band, of the n-th day, of items.
func archiveOf(t testing.TB, n int, items []archivetest.Item, sizes archivetest.Band) *memory.Storage {
	t.Helper()
	st := archivetest.NewArchive(t)
	sizes.Storage, sizes.ID = st, archivetest.BandID(n)
	archivetest.NewBand(t, sizes).Complete(items)
	return st
}

func manyFiles() map[string]string {
	tree := map[string]string{}
	for i := range 40 {
		for j := range 25 {
			tree[fmt.Sprintf("d%02d/f%02d", i, j)] = fmt.Sprintf("content of %d %d", i, j)
		}
	}
	return tree
}

func TestFilesAreComparedFromTheIndexAlone(t *testing.T) {
	tree := manyFiles()
	items := archivetest.Tree(tree)
	h := storagetest.NewRecorder(archiveOf(t, 0, items, archivetest.Band{HunkEntries: 50, FenceHunks: 5}))
	changed := archivetest.Tree(tree)
	var wrong []string
	for i := range changed {
		it := &changed[i]
		switch it.Path {
		case "d03/f07", "d39/f24": // other content, and nothing says so
			*it = archivetest.File(it.Path, []byte("CONTENT"+string(it.Content[0].Data[7:])))
			wrong = append(wrong, string(it.Path))
		case "d04/f01": // written later
			*it = archivetest.File(it.Path, []byte("CONTENT"+string(it.Content[0].Data[7:])))
			it.MTime.Seconds++
		case "d05/f01": // longer
			*it = archivetest.File(it.Path, []byte("a longer content than all the others"))
		case "d06/f01": // touched, and of other owners
			it.MTime.Seconds++
			it.Owner.UID = 7
		case "d07/f01":
			it.Path = "d07/f99"
		}
	}
	for i := range changed { // d07/f99 to its place
		if i+1 < len(changed) && format.Compare(changed[i].Path, changed[i+1].Path) > 0 {
			changed[i], changed[i+1] = changed[i+1], changed[i]
		}
	}
	o := storagetest.NewRecorder(archiveOf(t, 3, changed, archivetest.Band{HunkEntries: 33, FenceHunks: 7}))
	r, raised := mustRun(t, compare.Contents, h, o, compare.Options{})
	if len(raised.Raised()) != 2 {
		t.Errorf("%q", raised.texts())
	}
	for _, name := range wrong {
		found := raised.of(name)
		if len(found) != 1 || !strings.Contains(found[0], "band/mismatch: "+name) || !strings.Contains(found[0], "in band "+string(archivetest.BandID(3))+" of OTHER") {
			t.Errorf("%s: %q", name, found)
		}
	}
	want := compare.Result{
		Bands: 1, Differing: 2, Pairs: []compare.Pair{{Here: archivetest.BandID(0), There: archivetest.BandID(3)}},
		Entries: int64(len(items)) - 1, Files: 999, Changed: 2, EntriesOnlyHere: 1, EntriesOnlyThere: 1,
	}
	if !reflect.DeepEqual(r, want) {
		t.Errorf("%+v, not %+v", r, want)
	}
	for _, rec := range []*storagetest.Recorder{h, o} {
		read := map[string]int{}
		for _, op := range rec.Log() {
			if op.Op == "read" {
				read[op.Name]++
			}
		}
		for name, times := range read {
			if strings.Contains(name, "/data/") || times > 1 {
				t.Errorf("%s is read %d times", name, times)
			}
		}
		if c := rec.Counts(); c.Lists != 1 || c.Stats != 0 {
			t.Errorf("%+v", c)
		}
	}
}

// TestFilesInChunksAndWithHoles has one file cut in two ways, and holes of more than a GiB.
func TestFilesInChunksAndWithHoles(t *testing.T) {
	huge := func(path format.Path, holeBytes int64, first, second string) archivetest.Item {
		it := archivetest.Item{Entry: archivetest.File(path, nil).Entry, Content: []archivetest.Part{{Data: []byte(first)}, {Data: []byte(second)}}}
		it.DataSHA, it.Size = format.SumBytes([]byte(first+second)), holeBytes
		return it
	}
	const hole = format.MaxHashedHoles + 5
	made := func(day int, sizes archivetest.Band, chunked []byte, sparse ...archivetest.Item) *memory.Storage {
		st := archivetest.NewArchive(t)
		sizes.Storage, sizes.ID = st, archivetest.BandID(day)
		b := archivetest.NewBand(t, sizes)
		items := append([]archivetest.Item{archivetest.Dir(""), archivetest.File("chunked", chunked)}, sparse...)
		entries, _, _ := b.Write(items)
		for i := range sparse { // as if there were a hole between its two parts, and one behind it
			e := &entries[2+i]
			bytes := e.Size
			e.Size, e.SHA256, e.DataSHA = sparse[i].Size+bytes+9, format.Hash{}, sparse[i].DataSHA
			e.Spans[len(e.Spans)-1].HoleBytes = sparse[i].Size
		}
		b.Tail([]format.FenceRef{b.Fence([]format.HunkRef{b.Hunk(entries)})})
		return st
	}
	content := noise(1, 20_000)
	h := made(0, archivetest.Band{SpanBytes: 1000, SpansInline: 6}, content,
		huge("h1", hole, "first", "second"), huge("h2", hole, "first", "second"), huge("h3", hole, "first", "second"))
	o := made(1, archivetest.Band{SpanBytes: 3000, SpansInline: 4}, content,
		huge("h1", hole, "first", "second"), huge("h2", hole, "first", "SECOND"), huge("h3", hole, "firs", "tsecond"))
	r, raised := mustRun(t, compare.Contents, h, o, compare.Options{})
	if len(raised.Raised()) != 1 || len(raised.of("h2")) != 1 || r.Files != 4 || r.Unknown != 1 {
		t.Errorf("%+v %q", r, raised.texts())
	}
	other := made(1, archivetest.Band{SpanBytes: 3000, SpansInline: 4}, noise(2, 20_000))
	if _, raised = mustRun(t, compare.Contents, h, other, compare.Options{}); len(raised.of("chunked")) != 1 || len(raised.Raised()) != 1 {
		t.Errorf("%q", raised.texts())
	}
}

func TestEachBandMeetsTheNearest(t *testing.T) {
	many := func(days ...int) *memory.Storage {
		st := archivetest.NewArchive(t)
		for _, n := range days {
			archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(n)}).
				Complete(archivetest.Tree(map[string]string{"f": fmt.Sprint("day ", n)}))
		}
		return st
	}
	h, o := many(0, 10, 20), many(1, 2, 8, 30)
	for only, want := range map[int]int{0: 1, 10: 8, 20: 30} { // 20: as far from 8 and 30 is no tie: 12 and 10 days
		r, _ := mustRun(t, compare.Contents, h, o, compare.Options{Only: archivetest.BandID(only)})
		if len(r.Pairs) != 1 || r.Pairs[0] != (compare.Pair{Here: archivetest.BandID(only), There: archivetest.BandID(want)}) {
			t.Errorf("%d: %+v", only, r.Pairs)
		}
	}
	r, _ := mustRun(t, compare.Contents, h, o, compare.Options{})
	if len(r.Pairs) != 1 || r.Pairs[0] != (compare.Pair{Here: archivetest.BandID(20), There: archivetest.BandID(30)}) {
		t.Errorf("%+v", r.Pairs)
	}
	if _, _, err := run(t, compare.Contents, h, archivetest.NewArchive(t), compare.Options{}); !errors.Is(err, compare.ErrNothingInCommon) {
		t.Error(err)
	}
	if _, _, err := run(t, compare.Contents, archivetest.NewArchive(t), h, compare.Options{Only: archivetest.BandID(0)}); !errors.Is(err, compare.ErrNothingInCommon) {
		t.Error(err)
	}
}

// TestWhatCanNotBeReadOfTheOtherIsToldOf has each object of the other's index damaged.
func TestWhatCanNotBeReadOfTheOtherIsToldOf(t *testing.T) {
	items := archivetest.Tree(manyFiles())
	h, good := archiveOf(t, 0, items, archivetest.Band{}), archiveOf(t, 1, items, archivetest.Band{HunkEntries: 300, FenceHunks: 2})
	for _, name := range names(t, good) {
		if !strings.Contains(name, "/index/") && !strings.HasSuffix(name, ".head") {
			continue
		}
		o := storagetest.NewDamaged(good)
		o.Lose(name)
		_, raised, err := run(t, compare.Contents, h, o, compare.Options{})
		if strings.HasSuffix(name, ".head") != errors.Is(err, compare.ErrNothingInCommon) {
			t.Errorf("%s: %v", name, err)
		}
		if strings.HasSuffix(name, ".fence.zst") { // put together from its hunks, of which the archive tells
			expect(t, raised)
			continue
		}
		if found := raised.of(name); len(found) != 1 || len(raised.Raised()) != 1 || !strings.Contains(found[0], "in OTHER: ") {
			t.Errorf("%s: %q", name, raised.texts())
		}
	}
	if _, raised := mustRun(t, compare.Contents, h, good, compare.Options{}); len(raised.Raised()) > 0 {
		t.Errorf("%q", raised.texts())
	}
}

// TestReferencesToTheParentAreFollowed: an entry may have its content in the parent, by path.
func TestReferencesToTheParentAreFollowed(t *testing.T) {
	st := archivetest.NewArchive(t)
	tree := archivetest.Tree(map[string]string{"f": "content"})
	archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0)}).Complete(tree)
	by := archivetest.Item{Entry: tree[1].Entry}
	by.AsInParent, by.Size = true, int64(len("content"))
	archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(1), Parent: archivetest.BandID(0)}).Complete([]archivetest.Item{tree[0], by})
	o := archiveOf(t, 5, tree, archivetest.Band{})
	r, raised := mustRun(t, compare.Contents, st, o, compare.Options{})
	if len(raised.Raised()) != 0 || r.Files != 1 || r.Unknown != 0 || r.Pairs[0].Here != archivetest.BandID(1) {
		t.Errorf("%+v %q", r, raised.texts())
	}
}
