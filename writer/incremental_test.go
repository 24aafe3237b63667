package writer_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dura/archive/alarm"
	"dura/archive/format"
	"dura/archive/storage"
	"dura/archive/storage/storagetest"
	"dura/writer"
	"dura/writer/source/sourcetest"
)

// later are times of backups, all behind those of the items: what is unchanged by then can be trusted to be.
func later(day int) time.Time { return time.Date(2026, 12, day, 12, 0, 0, 0, time.UTC) }

// manyFiles are so many small files that they fill several hunks, each with an inode of its own.
func manyFiles(n int) []sourcetest.Item {
	items := []sourcetest.Item{sourcetest.Dir("dir")}
	for i := range n {
		it := sourcetest.File(format.Path(fmt.Sprintf("dir/file-%05d", i)), fmt.Sprintf("content of file %d", i))
		it.Entry.Inode = uint64(1000 + i)
		items = append(items, it)
	}
	return items
}

// touched is an item as it is after a change at a time.
func touched(it sourcetest.Item, at time.Time) sourcetest.Item {
	it.Entry.MTime, it.Entry.CTime = format.TimeOf(at), format.TimeOf(at)
	return it
}

// kinds counts the objects of a band by kind.
func (p *place) kinds(band format.BandID) map[format.ObjectKind]int {
	counts := map[format.ObjectKind]int{}
	for name := range objects(p.t, p.storage) {
		if b, kind, _, err := format.ParseObjectName(name); err == nil && b == band {
			counts[kind]++
		}
	}
	return counts
}

func sameTree(t testing.TB, got map[format.Path]stored, items []sourcetest.Item) {
	t.Helper()
	if len(got) != len(items)+1 {
		t.Fatalf("%d entries, not %d", len(got), len(items)+1)
	}
	for _, it := range items {
		e := got[it.Entry.Path]
		if e.MTime != it.Entry.MTime || e.CTime != it.Entry.CTime || e.Mode != it.Entry.Mode || e.Kind != it.Entry.Kind || e.Inode != it.Entry.Inode {
			t.Fatalf("%q: %+v, not %+v", it.Entry.Path, e.Entry, it.Entry)
		}
		if it.Data != nil && !bytes.Equal(e.content, dataOf(it.Data)) {
			t.Fatalf("%q has other content", it.Entry.Path)
		}
	}
}

func TestAnUnchangedTreeIsReferredTo(t *testing.T) {
	items := manyFiles(3000)
	p := newPlace(t, format.Settings{})
	p.now = later(1)
	first := p.backup(sourcetest.New(items...))
	rec := storagetest.NewRecorder(p.storage)
	p.wrap = func(storage.Storage) storage.Storage { return rec }
	p.now = later(2)
	second := p.backup(sourcetest.New(items...))
	if second.Parent != first.Band || second.Totals.Unchanged != 3002 || second.Totals.New+second.Totals.Changed != 0 {
		t.Errorf("%+v", second)
	}
	if k := p.kinds(second.Band); k[format.BlockObject] != 0 || k[format.HunkObject] != 0 || k[format.FenceObject] != 1 || second.Totals.Objects != 4 {
		t.Errorf("objects: %v, %d", k, second.Totals.Objects)
	}
	sameTree(t, p.read(), items)
	p.now = later(3)
	if third := p.backup(sourcetest.New(items...)); third.Totals.Objects != 4 || third.Parent != second.Band {
		t.Errorf("%+v", third)
	}
	sameTree(t, p.read(), items)
}

func TestOneChangedFileCostsItsHunk(t *testing.T) {
	items := manyFiles(5000)
	p := newPlace(t, format.Settings{})
	p.now = later(1)
	p.backup(sourcetest.New(items...))
	i := 2500
	items[i].Data = sourcetest.Bytes([]byte("other content"))
	items[i].Entry.Size = 0
	items[i] = touched(items[i], later(2))
	p.now = later(3)
	second := p.backup(sourcetest.New(items...))
	if k := p.kinds(second.Band); k[format.BlockObject] != 1 || k[format.HunkObject] != 1 || second.Totals.Objects > 12 {
		t.Errorf("objects: %v, %d", k, second.Totals.Objects)
	}
	if second.Totals.Changed != 1 || second.Totals.Unchanged != 5001 {
		t.Errorf("%+v", second.Totals)
	}
	sameTree(t, p.read(), items)
}

func TestChangedMetadataStoreNoContent(t *testing.T) {
	for _, size := range []int64{100, 60_000, 900_000} { // whole, in chunks, in lists of them
		big := sized("dir/big", sourcetest.Random(5, size))
		p := newPlace(t, smallSettings())
		p.now = later(1)
		p.backup(sourcetest.New(sourcetest.Dir("dir"), big))
		big.Entry.Mode = 0o600
		big.Entry.CTime = format.TimeOf(later(2))
		p.now = later(3)
		second := p.backup(sourcetest.New(sourcetest.Dir("dir"), big))
		if k := p.kinds(second.Band); k[format.BlockObject] != 0 {
			t.Errorf("%d bytes: objects %v", size, k)
		}
		sameTree(t, p.read(), []sourcetest.Item{sourcetest.Dir("dir"), big})
	}
}

func TestWhatTheOptionsSayIsTrusted(t *testing.T) {
	before := manyFiles(10)
	after := slices.Clone(before)
	for i := range after {
		after[i].Entry.Inode += 77
		after[i].Entry.CTime = format.TimeOf(later(2))
		if after[i].Entry.Kind == format.File {
			after[i].OpenErr = fmt.Errorf("it is opened") // the content is not to be read
		}
	}
	p := newPlace(t, format.Settings{})
	p.now = later(1)
	p.backup(sourcetest.New(before...))
	p.now = later(3)
	p.options = func(o *writer.Options) { o.Trust.IgnoreCTime, o.Trust.IgnoreInode = true, true }
	p.backup(sourcetest.New(after...))
	if len(p.raised) > 0 {
		t.Fatal(p.raised)
	}
	for i := range after {
		after[i].OpenErr = nil
	}
	sameTree(t, p.read(), after)
	p.options = func(o *writer.Options) { o.Trust.ReadAll = true }
	for i := range after {
		after[i].Data = sourcetest.Bytes(bytes.Repeat([]byte("x"), int(max(after[i].Entry.Size, 5)))) // behind the back of the clock
	}
	after[0].Data = nil
	p.now = later(4)
	p.backup(sourcetest.New(after...))
	sameTree(t, p.read(), after)
}

func TestWhatChangedSinceTheParentBeganIsReadAgain(t *testing.T) {
	it := touched(sourcetest.File("a", "one"), later(1).Add(-time.Second))
	p := newPlace(t, format.Settings{})
	p.now = later(1)
	p.backup(sourcetest.New(it))
	it.Data = sourcetest.Bytes([]byte("two")) // within the same tick of a coarse clock
	p.now = later(2)
	p.backup(sourcetest.New(it))
	if got := string(p.read()["a"].content); got != "two" {
		t.Errorf("%q", got)
	}
}

func TestWhatStorageLostIsStoredAgain(t *testing.T) {
	items := append(manyFiles(1500), sized("dir/large", sourcetest.Random(9, 900_000)))
	p := newPlace(t, smallSettings())
	p.now = later(1)
	first := p.backup(sourcetest.New(items...))
	for name := range objects(t, p.storage) {
		if band, kind, n, err := format.ParseObjectName(name); err == nil && band == first.Band && (kind == format.SpansObject || kind == format.BlockObject && n%2 == 0) {
			if err := p.storage.Delete(context.Background(), name); err != nil {
				t.Fatal(err)
			}
		}
	}
	p.now = later(2)
	p.backup(sourcetest.New(items...))
	sameTree(t, p.read(), items)
}

func TestADamagedParentCostsNothingButTime(t *testing.T) {
	items := manyFiles(3000)
	for _, kind := range []format.ObjectKind{format.TailObject, format.HeadObject, format.FenceObject, format.HunkObject} {
		p := newPlace(t, format.Settings{})
		p.now = later(1)
		first := p.backup(sourcetest.New(items...))
		for name, object := range objects(t, p.storage) {
			if band, k, n, err := format.ParseObjectName(name); err == nil && band == first.Band && k == kind && n <= 1 {
				p.storage.Delete(context.Background(), name)
				object[len(object)/2] ^= 1
				p.storage.Create(context.Background(), name, object)
			}
		}
		p.now = later(2)
		p.backup(sourcetest.New(items...))
		sameTree(t, p.read(), items)
	}
}

func TestByDateTakesOlderFilesFromAParentThatCantBeRead(t *testing.T) {
	items := manyFiles(3000)
	items[100] = touched(items[100], later(2))
	items[100].Data = sourcetest.Bytes([]byte("changed since"))
	items[100].Entry.Size = 0
	p := newPlace(t, format.Settings{})
	p.now = later(1)
	first := p.backup(sourcetest.New(items...))
	faulty := storagetest.NewDamaged(p.storage)
	faulty.Lose(format.FenceName(first.Band, 0))
	faulty.Lose(format.HunkName(first.Band, 0)) // so that the fence can't be put together from the hunks
	p.wrap = func(storage.Storage) storage.Storage { return faulty }
	p.options = func(o *writer.Options) { o.ByDate = true }
	p.now = later(3)
	second := p.backup(sourcetest.New(items...))
	if k := p.kinds(second.Band); k[format.BlockObject] != 1 || second.Totals.ContentBytes > 100 {
		t.Errorf("objects: %v, %d bytes of content", k, second.Totals.ContentBytes)
	}
	got := p.read()
	for _, it := range items[1:] {
		if e := got[it.Entry.Path]; !bytes.Equal(e.content, dataOf(it.Data)) {
			t.Fatalf("%q: %q", it.Entry.Path, e.content)
		}
	}
	if len(p.raised) == 0 || p.raised[0].Area != alarm.Band || p.raised[0].Condition != alarm.Missing {
		t.Errorf("%v", p.raised)
	}
}

// mutate changes some items, as far as the tree stays one.
func mutate(t *rapid.T, items map[format.Path]sourcetest.Item, at time.Time) {
	for _, path := range slices.SortedFunc(maps.Keys(items), format.Compare) {
		it := items[path]
		switch rapid.IntRange(0, 12).Draw(t, "change") {
		case 0:
			it.Entry.Mode ^= 0o111
			it.Entry.CTime = format.TimeOf(at)
		case 1:
			it = touched(it, at)
		case 2:
			if it.Entry.Kind == format.File && it.Data.Runs == nil && it.Data.Size > 0 {
				content := dataOf(it.Data)
				content[rapid.IntRange(0, len(content)-1).Draw(t, "byte")] ^= 1
				it = touched(it, at)
				it.Data = sourcetest.Bytes(content)
			}
		case 3:
			if it.Entry.Kind == format.File {
				it = touched(it, at)
				it.Entry.Size, it.Blocks = 0, 0
				it.Data = sourcetest.Bytes(append([]byte("inserted"), dataOf(it.Data)...))
			}
		case 4:
			if it.Entry.Kind != format.Directory {
				delete(items, path)
				continue
			}
		case 5:
			added := touched(sourcetest.File(path+"-added", "added"), at)
			added.Entry.Inode = number(added.Entry.Path)
			items[added.Entry.Path] = added
		}
		items[path] = it
	}
}

// TestEveryBandIsExact changes a random tree between backups, in every way.
func TestEveryBandIsExact(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := newPlace(t, smallSettings())
		items := tree(rt)
		for path, it := range items {
			it.Entry.MTime, it.Entry.CTime = format.Time{Seconds: 1000}, format.Time{Seconds: 1000}
			it.Entry.Inode = number(path)
			items[path] = it
		}
		for i := range rapid.IntRange(2, 4).Draw(rt, "backups") {
			p.now = later(2*i + 1)
			p.backup(sourceOf(items))
			got := p.read()
			if len(got) != len(items)+1 {
				rt.Fatalf("%d entries, not %d", len(got), len(items)+1)
			}
			for path, it := range items {
				if e := got[path]; it.Data != nil && !bytes.Equal(e.content, dataOf(it.Data)) || e.Mode != it.Entry.Mode || e.CTime != it.Entry.CTime {
					rt.Fatalf("%q: %+v", path, e.Entry)
				}
			}
			mutate(rt, items, later(2*i+2))
		}
	})
}

// number is an inode for path.
func number(path format.Path) uint64 {
	sum := format.SumBytes([]byte(path))
	return binary.LittleEndian.Uint64(sum[:])
}
