package writer_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"dura/archive/alarm"
	"dura/archive/format"
	"dura/archive/repair"
	"dura/writer/source/sourcetest"
)

// loseAndRepair loses an object and has another machine, which has the archive's key, repair the archive.
func (p *place) loseAndRepair(name string) {
	p.t.Helper()
	ctx := context.Background()
	stored := name
	if _, plain := objects(p.t, p.storage)[name]; !plain {
		stored = format.StoredName(name, true)
	}
	if err := p.storage.Delete(ctx, stored); err != nil {
		p.t.Fatal(err)
	}
	a := p.open()
	defer a.Close()
	bands, err := a.Bands(ctx)
	if err == nil {
		_, err = repair.Repair(ctx, a, bands, repair.Options{})
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// An index that another machine has rebuilt is told of as such, by an alarm that ends nothing, and this machine builds on what it has sealed
// itself. What the index had lost it stores again.
func TestAnIndexRebuiltElsewhereEndsNoBackup(t *testing.T) {
	p := newSealedPlace(t, paritySettings("none"), t.TempDir())
	p.withIndex(t.TempDir())
	items := movingItems()
	p.now = later(1)
	first := p.backup(sourcetest.New(items...))
	p.loseAndRepair(format.HunkName(first.Band, 0))
	tail := format.RebuiltTailName(first.Band, 0)
	if _, made := objects(t, p.storage)[format.StoredName(tail, true)]; !made {
		t.Fatal("no index was rebuilt")
	}
	for n := range 2 {
		p.now = later(2 + n)
		next := p.backup(sourcetest.New(items...))
		var told int
		for _, a := range p.raised {
			if a.Area != alarm.Band || a.Filename == tail && (a.Condition != alarm.Mismatch || !strings.Contains(a.String(), "rebuilt by dura repair on another machine")) {
				t.Errorf("run %d: %v", n, a)
			}
			if a.Filename == tail {
				told++
			}
		}
		if told > 1 || n == 0 && (told != 1 || next.Parent != first.Band) {
			t.Errorf("run %d: %+v, %v", n, next, p.raised)
		}
		sameTree(t, p.read(), items)
	}
}

// Where nothing else is damaged the machine goes by its own tail, and stores nothing again.
func TestARebuiltTailBesideAWholeIndexCostsNothing(t *testing.T) {
	p := newSealedPlace(t, paritySettings("none"), t.TempDir())
	items := movingItems()
	p.now = later(1)
	first := p.backup(sourcetest.New(items...))
	hunk := format.StoredName(format.HunkName(first.Band, 0), true)
	kept := objects(t, p.storage)[hunk]
	p.loseAndRepair(format.HunkName(first.Band, 0))
	if err := p.storage.Create(context.Background(), hunk, kept); err != nil { // it was away alone
		t.Fatal(err)
	}
	p.now = later(2)
	second := p.backup(sourcetest.New(items...))
	if second.Parent != first.Band || second.Totals.Unchanged != int64(len(items)+1) || second.Totals.StoredBytes > 10_000 || len(p.raised) != 1 {
		t.Errorf("%+v, %v", second, p.raised)
	}
	sameTree(t, p.read(), items)
}

// Where nothing is encrypted a rebuilt index is as good a parent as any: what it says of times is not enough to trust, and the content is there.
func TestABackupGoesOnBehindARebuiltIndex(t *testing.T) {
	p := newPlace(t, paritySettings("none"))
	p.withIndex(t.TempDir())
	items := movingItems()
	p.now = later(1)
	first := p.backup(sourcetest.New(items...))
	p.loseAndRepair(format.HunkName(first.Band, 0))
	p.now = later(2)
	second := p.backup(sourcetest.New(items...))
	if second.Parent != first.Band || len(p.raised) > 0 || second.Totals.StoredBytes > first.Totals.StoredBytes/10 {
		t.Errorf("%+v behind %+v, %v", second, first, p.raised)
	}
	sameTree(t, p.read(), items)
}

// A span list that a backup stored is made again to the byte, of the chunks in its band and of those that it took from its parent.
func TestALostSpanListIsMadeAgain(t *testing.T) {
	p := newPlace(t, paritySettings("none"))
	p.withIndex(t.TempDir())
	content := make([]byte, 1_500_000)
	rand.NewChaCha8([32]byte{1}).Read(content)
	large := func() sourcetest.Item { return sized("dir/large", sourcetest.Bytes(bytes.Clone(content))) }
	p.now = later(1)
	first := p.backup(sourcetest.New(sourcetest.Dir("dir"), large()))
	copy(content[200_000:], "a change in the middle")
	copy(content[1_200_000:], "another one")
	p.now = later(2)
	edited := large()
	edited.Entry.MTime.Seconds += 100
	edited.Entry.CTime.Seconds += 100
	second := p.backup(sourcetest.New(sourcetest.Dir("dir"), edited))
	if second.Parent != first.Band || second.Totals.StoredBytes > 200_000 {
		t.Fatalf("%+v", second)
	}
	var lists int
	for name, object := range objects(t, p.storage) {
		if _, kind, _, _ := format.ParseObjectName(name); kind == format.SpansObject {
			lists++
			p.loseAndRepair(name)
			if again := objects(t, p.storage)[name]; !bytes.Equal(again, object) {
				t.Errorf("%s: %d bytes, where there were %d", name, len(again), len(object))
			}
		}
	}
	if lists < 4 {
		t.Error(lists, "span lists")
	}
}

// Where the archive is encrypted a new list stands in for it, in each band that refers to the lost one, and all else is as it was.
func TestALostSealedSpanListHasAnotherInItsPlace(t *testing.T) {
	p := newSealedPlace(t, paritySettings("none"), t.TempDir())
	p.withIndex(t.TempDir())
	items := []sourcetest.Item{sourcetest.Dir("dir"), sized("dir/large", sourcetest.Random(2, 1_500_000)), sourcetest.File("dir/small", "small")}
	p.now = later(1)
	first := p.backup(sourcetest.New(items...))
	before := items
	items = slices.Clone(items)
	items[2] = sourcetest.File("dir/small", "another")
	items[2].Entry.MTime.Seconds += 100
	p.now = later(2)
	second := p.backup(sourcetest.New(items...))
	if second.Parent != first.Band || second.Totals.Unchanged == 0 {
		t.Fatalf("%+v", second)
	}
	var lists int
	for stored := range objects(t, p.storage) {
		name := strings.TrimSuffix(stored, format.SealedSuffix)
		if _, kind, _, _ := format.ParseObjectName(name); kind != format.SpansObject {
			continue
		}
		lists++
		p.loseAndRepair(name)
		sameTree(t, p.read(), items)
		sameTree(t, p.readBand(string(first.Band)), before)
	}
	if lists < 2 {
		t.Error(lists, "span lists")
	}
}
