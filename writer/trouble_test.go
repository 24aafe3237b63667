package writer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"dura/archive/alarm"
	"dura/archive/format"
	"dura/archive/storage"
	"dura/archive/storage/storagetest"
	"dura/writer/source/sourcetest"
)

func sized(path format.Path, data *sourcetest.Data) sourcetest.Item {
	return sourcetest.Item{Entry: sourcetest.File(path, "").Entry, Data: data}
}

func TestWhatCantBeReadIsAnAlarmAndLeftOut(t *testing.T) {
	for _, size := range []int64{100, 50_000} { // whole, and in chunks
		for what, c := range map[string]struct {
			change func(*sourcetest.Item)
			want   alarm.Condition
		}{
			"vanished":              {func(i *sourcetest.Item) { i.OpenErr = &fs.PathError{Op: "open", Path: "x", Err: syscall.ENOENT} }, alarm.Missing},
			"not to be opened":      {func(i *sourcetest.Item) { i.OpenErr = &fs.PathError{Op: "open", Path: "x", Err: syscall.EACCES} }, alarm.Denied},
			"not to be read":        {func(i *sourcetest.Item) { i.Data.Err = syscall.EIO }, alarm.IOError},
			"damaged in the middle": {func(i *sourcetest.Item) { i.Data.Err, i.Data.ErrAt = syscall.EIO, size/2 }, alarm.IOError},
		} {
			t.Run(fmt.Sprint(what, " ", size), func(t *testing.T) {
				bad := sized("m", sourcetest.Random(1, size))
				c.change(&bad)
				p := newPlace(t, smallSettings())
				p.backup(sourcetest.New(sourcetest.File("a", "before"), bad, sourcetest.File("z", "after")))
				got := p.read()
				if _, there := got["m"]; there || string(got["a"].content) != "before" || string(got["z"].content) != "after" {
					t.Fatalf("%+v", got)
				}
				if len(p.raised) != 1 || p.raised[0].Area != alarm.Source || p.raised[0].Condition != c.want || !strings.HasSuffix(p.raised[0].Filename, "m") {
					t.Fatal(p.raised)
				}
			})
		}
	}
}

// changed is the entry's metadata as Stat tells them: from one call on with another size and times.
func changed(e format.Entry, from int, size int64) func(int) format.Entry {
	return func(call int) format.Entry {
		now := e
		if call >= from {
			now.Size, now.MTime.Seconds, now.CTime.Seconds = size, e.MTime.Seconds+5, e.CTime.Seconds+5
		}
		return now
	}
}

func TestAFileThatChangesIsStoredAsItWasRead(t *testing.T) {
	for _, size := range []int64{100, 50_000} {
		for what, c := range map[string]struct {
			has, says, later int64 // bytes there to be read; its size by the walk; by a stat behind the reading
			from             int   // the stat that first sees the change
			unstable         bool
		}{
			"written to while it is read":   {size, size, size, 1, true},
			"growing while it is read":      {size, size, size * 2, 1, true},
			"cut short while it is read":    {size / 2, size, size / 2, 1, true},
			"emptied while it is read":      {0, size, 0, 1, true},
			"changed between walk and read": {size, size * 2, size, 0, false},
		} {
			t.Run(fmt.Sprint(what, " ", size), func(t *testing.T) {
				item := sized("m", sourcetest.Random(1, c.has))
				item.Entry.Size = c.says
				item.Blocks = c.says/512 + 1
				item.Stat = changed(item.Entry, c.from, c.later)
				p := newPlace(t, smallSettings())
				p.backup(sourcetest.New(item, sourcetest.File("z", "after")))
				e := p.read()["m"]
				if want := dataOf(sourcetest.Random(1, c.has)); !bytes.Equal(e.content, want) || e.Size != int64(len(want)) || e.Unstable != c.unstable {
					t.Fatalf("%d bytes of %d, unstable %v", len(e.content), len(want), e.Unstable)
				}
				if wanted := len(p.raised) == 1 && p.raised[0].Condition == alarm.Mismatch; wanted != c.unstable {
					t.Fatal(p.raised)
				}
			})
		}
	}
}

// TestASmallFileWithHolesMayBeLargeWhenItIsOpened: what is read of it is bounded.
func TestASmallFileWithHolesMayBeLargeWhenItIsOpened(t *testing.T) {
	item := sized("m", sourcetest.Random(1, 50_000).Holes(sourcetest.Run{Start: 500, End: 900}, sourcetest.Run{Start: 1000, End: 40_000}))
	item.Entry.Size, item.Blocks = 2_000, 1
	item.Stat = changed(item.Entry, 0, 50_000)
	p := newPlace(t, smallSettings())
	p.backup(sourcetest.New(item, sourcetest.File("z", "after")))
	got := p.read()
	want := dataOf(item.Data)[:got["m"].Size]
	if e := got["m"]; !e.Unstable || e.Size < 1_000 || e.Size > 10_000 || !bytes.Equal(e.content, want) || string(got["z"].content) != "after" {
		t.Fatalf("%+v", e.Entry)
	}
	if len(p.raised) != 1 || p.raised[0].Condition != alarm.Mismatch {
		t.Fatal(p.raised)
	}
}

func TestASecondLinkStandsInForAFirstThatCantBeRead(t *testing.T) {
	link := func(path format.Path, fails bool) sourcetest.Item {
		item := sized(path, sourcetest.Random(1, 500))
		item.Entry.Device, item.Entry.Inode, item.Entry.Links = 1, 9, 3
		if fails {
			item.OpenErr = &fs.PathError{Op: "open", Path: string(path), Err: syscall.ENOENT}
		}
		return item
	}
	p := newPlace(t, smallSettings())
	p.backup(sourcetest.New(link("a", true), link("b", false), link("c", false)))
	got := p.read()
	if _, there := got["a"]; there || got["b"].LinkTo != "" || got["c"].LinkTo != "b" || len(got["b"].content) != 500 || len(got["c"].content) != 500 {
		t.Fatalf("%+v", got)
	}
	if len(p.raised) != 1 {
		t.Fatal(p.raised)
	}
}

// TestAnInodeUsedAgainIsAnotherFile: between the walk's meeting of two names of a file it was removed, and another one made.
func TestAnInodeUsedAgainIsAnotherFile(t *testing.T) {
	link := func(path format.Path, seed uint64, ctime int64) sourcetest.Item {
		item := sized(path, sourcetest.Random(seed, 500))
		item.Entry.Device, item.Entry.Inode, item.Entry.Links, item.Entry.CTime.Seconds = 1, 9, 2, ctime
		return item
	}
	fifo := sourcetest.Item{Entry: link("d", 1, 3).Entry}
	fifo.Entry.Kind = format.FIFO
	items := []sourcetest.Item{link("a", 1, 1), link("b", 2, 2), link("c", 2, 2), fifo, link("e", 3, 3)}
	p := newPlace(t, smallSettings())
	p.backup(sourcetest.New(items...))
	got := p.read()
	for _, item := range items {
		if e := got[item.Entry.Path]; !bytes.Equal(e.content, dataOf(item.Data)) || (e.LinkTo != "") != (e.Path == "c") {
			t.Errorf("%+v", e.Entry)
		}
	}
	if got["c"].LinkTo != "b" || len(p.raised) > 0 {
		t.Errorf("%q %v", got["c"].LinkTo, p.raised)
	}
}

func someItems() []sourcetest.Item {
	items := []sourcetest.Item{sized("m", sourcetest.Bytes(text(7, 200<<10)))}
	for i := range 700 {
		items = append(items, sourcetest.File(format.Path(fmt.Sprintf("f%04d", i)), string(text(uint64(i), i%900))))
	}
	return items
}

// wholeSoFar fails the test if anything in a band that is not complete is not whole.
func wholeSoFar(t *testing.T, p *place, inner storage.Storage) {
	t.Helper()
	o := &ordered{inner, t}
	for name, data := range objects(t, inner) {
		o.check(context.Background(), name, data)
	}
}

func TestStorageThatFailsAtAnyTimeEndsTheRunAndHarmsNothing(t *testing.T) {
	fails := func(n int, inner storage.Storage) storage.Storage {
		return storagetest.NewFaulty(inner, storagetest.Nth(n, storage.KindIO))
	}
	full := func(n int, inner storage.Storage) storage.Storage {
		return storagetest.NewFull(inner, int64(n)*3_000)
	}
	for what, wrap := range map[string]func(int, storage.Storage) storage.Storage{"fails": fails, "is full": full} {
		ended := 0
		for n := 1; n < 40; n += fewer(1, 3) {
			p := newPlace(t, smallSettings())
			inner := p.storage
			earlier := p.backup(sourcetest.New(sourcetest.File("earlier", "band"))).Band
			p.wrap = func(st storage.Storage) storage.Storage { return wrap(n, st) }
			_, err := p.tryBackup(context.Background(), sourcetest.New(someItems()...), 2)
			if err == nil {
				continue
			}
			ended++
			var failure *storage.Error
			if !errors.As(err, &failure) {
				t.Fatalf("%s at %d: %v", what, n, err)
			}
			wholeSoFar(t, p, inner)
			if got := p.readBand(string(earlier)); string(got["earlier"].content) != "band" {
				t.Fatalf("%s at %d: the earlier band is harmed", what, n)
			}
		}
		if ended < fewer(10, 4) {
			t.Errorf("%s: only %d runs were ended by it", what, ended)
		}
	}
}

func TestACancelledRunStopsAndLeavesNoTail(t *testing.T) {
	p := newPlace(t, smallSettings())
	ctx, cancel := context.WithCancel(context.Background())
	inner := p.storage
	p.wrap = func(st storage.Storage) storage.Storage {
		return storagetest.NewFaulty(st, func(op storagetest.Operation) error {
			if op.Op == storage.OpCreate && strings.Contains(op.Name, "/data/") {
				cancel()
			}
			return nil
		})
	}
	_, err := p.tryBackup(ctx, sourcetest.New(someItems()...), 2)
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	for name := range objects(t, inner) {
		if strings.HasSuffix(name, ".tail") {
			t.Fatal(name)
		}
	}
	wholeSoFar(t, p, inner)
}

func TestAnAlarmThatAbortsEndsTheRun(t *testing.T) {
	p := newPlace(t, smallSettings())
	set, err := alarm.NewSet(alarm.Options{Rules: []alarm.Rule{{Area: alarm.Source, Action: alarm.Abort}}})
	if err != nil {
		t.Fatal(err)
	}
	bad := sized("m", sourcetest.Random(1, 100))
	bad.OpenErr = syscall.EACCES
	var aborted *alarm.AbortError
	if _, err := p.backupWith(context.Background(), set, sourcetest.New(bad), 1); !errors.As(err, &aborted) {
		t.Fatal(err)
	}
}

func TestAWalkThatFailsEndsTheRun(t *testing.T) {
	p := newPlace(t, smallSettings())
	broken := errors.New("broken")
	items := append(someItems(), sourcetest.Item{Entry: sourcetest.File("zz", "").Entry, Err: broken})
	if _, err := p.tryBackup(context.Background(), sourcetest.New(items...), 2); !errors.Is(err, broken) {
		t.Fatal(err)
	}
}
