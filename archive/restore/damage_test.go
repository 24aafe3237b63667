package restore

import (
	"errors"
	"os"
	"strings"
	"testing"

	"dura/archive"
	"dura/archive/archivetest"
	"dura/archive/format"
	"dura/archive/storage"
	"dura/archive/storage/storagetest"
)

// scattered is a tree with a hunk for every two entries, and a block for every file.
func scattered() ([]archivetest.Item, testBand) {
	items := tree(directory(""), directory("a", mode(0o750)), directory("b"), file("c", strings.Repeat("c", 900)), directory("a/d", mode(0o500)),
		file("a/e", strings.Repeat("e", 900)), file("a/f", "f", links(2)), file("a/d/g", strings.Repeat("g", 900)), file("b/h", "f", linkTo("a/f")), symlink("b/i", "x"))
	return items, testBand{Band: archivetest.Band{HunkEntries: 2, FrameBytes: 1000, BlockFrames: 1, SpanBytes: 400, SpansInline: 2}}
}

func TestDamageCostsWhatItHitAndNothingElse(t *testing.T) {
	items, tb := scattered()
	// The order: "" a | b c | a/d a/e | a/f a/d/g | b/h b/i
	id := archivetest.BandID(0)
	for _, c := range []struct {
		object string
		absent []format.Path
		plain  []format.Path // directories whose metadata is lost
		alarms []string      // with COND for the condition
	}{
		{object: format.HunkName(id, 0), plain: []format.Path{"", "a"}, alarms: []string{"band/COND OBJECT", "band/missing a"}},
		{object: format.HunkName(id, 1), absent: []format.Path{"c"}, plain: []format.Path{"b"}, alarms: []string{"band/COND OBJECT", "band/missing b"}},
		{object: format.HunkName(id, 2), absent: []format.Path{"a/e"}, plain: []format.Path{"a/d"}, alarms: []string{"band/COND OBJECT", "band/missing a/d"}},
		{object: format.HunkName(id, 3), absent: []format.Path{"a/f", "a/d/g"}, alarms: []string{"band/COND OBJECT"}},
		{object: format.HunkName(id, 4), absent: []format.Path{"b/h", "b/i"}, alarms: []string{"band/COND OBJECT"}},
	} {
		for condition, damage := range damages {
			t.Run(condition+" "+c.object, func(t *testing.T) {
				var damaged *storagetest.Damaged
				tb.wrap = func(st storage.Storage) storage.Storage {
					damaged = storagetest.NewDamaged(st)
					return damaged
				}
				b := tb.open(t, items)
				want := expected(t, open(t, items))
				damage(damaged, c.object)
				found, _, as := guarded(t, b, Options{}, nil)
				var alarms []string
				for _, a := range c.alarms {
					alarms = append(alarms, strings.NewReplacer("COND", condition, "OBJECT", c.object).Replace(a))
				}
				as.expect(t, "", alarms...)
				for _, p := range c.absent {
					delete(want, p)
				}
				for _, p := range c.plain {
					want[p] = found[p]
					if !strings.Contains(found[p], "kind 2 mode 0700") {
						t.Errorf("%q: %s", p, found[p])
					}
				}
				if _, there := want["b/h"]; there { // the first name may be gone
					want["b/h"] = found["b/h"]
				}
				compare(t, found, want)
			})
		}
	}
}

var damages = map[string]func(*storagetest.Damaged, string){
	"missing":  func(d *storagetest.Damaged, object string) { d.Lose(object) },
	"mismatch": func(d *storagetest.Damaged, object string) { d.Flip(object, 77) },
}

func TestDamagedContentIsAnAlarmOnItsPath(t *testing.T) {
	items, tb := scattered()
	for condition, damage := range damages {
		for block := range uint64(4) {
			t.Run(condition, func(t *testing.T) {
				var damaged *storagetest.Damaged
				tb.wrap = func(st storage.Storage) storage.Storage {
					damaged = storagetest.NewDamaged(st)
					return damaged
				}
				b := tb.open(t, items)
				want := expected(t, b)
				object := format.BlockName(archivetest.BandID(0), block)
				damage(damaged, object)
				found, r, as := guarded(t, b, Options{}, nil)
				var alarms []string
				for p := range want {
					if found[p] == "" {
						alarms = append(alarms, "block/"+condition+" "+string(p))
						delete(want, p)
					}
				}
				if _, there := found["a/f"]; !there && found["b/h"] != "" {
					want["b/h"] = found["b/h"]
				}
				as.expect(t, "", alarms...)
				compare(t, found, want)
				if len(alarms) == 0 || as.Raised()[0].Message != object || r.Totals.Alarms != int64(len(alarms)) {
					t.Errorf("%v, %+v", as.Raised(), r)
				}
			})
		}
	}
}

func TestStorageThatFailsIsAnAlarmForEachFile(t *testing.T) {
	items, tb := scattered()
	var fails bool
	tb.wrap = func(st storage.Storage) storage.Storage {
		return storagetest.NewFaulty(st, func(op storagetest.Operation) error {
			if fails && strings.Contains(op.Name, "/data/") {
				return op.Error(storage.KindDenied)
			}
			return nil
		})
	}
	b := tb.open(t, items)
	fails = true
	found, _, as := guarded(t, b, Options{}, nil)
	as.expect(t, "", "block/denied c", "block/denied a/e", "block/denied a/f", "block/denied a/d/g", "block/denied b/h")
	want := expected(t, b)
	for p, d := range want {
		if strings.HasPrefix(d, "kind 1") {
			delete(want, p)
		}
	}
	compare(t, found, want)
}

func TestNothingIsDeletedByAListThatCannotBeRead(t *testing.T) {
	items, tb := scattered()
	for hunk := range uint64(5) {
		var damaged *storagetest.Damaged
		tb.wrap = func(st storage.Storage) storage.Storage {
			damaged = storagetest.NewDamaged(st)
			return damaged
		}
		b := tb.open(t, items)
		dest := tempDir(t) + "/dest"
		restoreAll(t, open(t, items), dest, Options{})
		before := look(t, dest)
		damaged.Lose(format.HunkName(archivetest.BandID(0), hunk))
		as := &alarms{}
		r, err := Restore(t.Context(), b, dest, Options{Alarms: as, Delete: true})
		after := look(t, dest)
		if err != nil || r.Removed > 0 || len(as.Raised()) == 0 || len(after) != len(before) {
			t.Errorf("hunk %d: %+v, %v, %v", hunk, r, err, as.Raised())
		}
	}
}

func TestDeleteNeedsACompleteBandWhoseSourcesAreKnown(t *testing.T) {
	items := tree(file("a", "x"))
	dest := tempDir(t)
	write(t, dest+"/other", "x")
	_, err := Restore(t.Context(), testBand{incomplete: true}.open(t, items), dest, Options{Delete: true})
	var e *Error
	if !errors.As(err, &e) {
		t.Errorf("incomplete: %v", err)
	}
	var damaged *storagetest.Damaged
	tb := testBand{wrap: func(st storage.Storage) storage.Storage { damaged = storagetest.NewDamaged(st); return damaged }}
	b := tb.open(t, items)
	damaged.Lose(format.HeadName(b.ID()))
	if _, err = Restore(t.Context(), b, dest, Options{Delete: true}); !archive.Is(err, archive.KindMissing) {
		t.Errorf("no head: %v", err)
	}
	if entries, err := os.ReadDir(dest); err != nil || len(entries) != 1 {
		t.Error(entries, err)
	}
	// Without Delete neither is needed.
	as := &alarms{}
	if _, err := Restore(t.Context(), b, dest, Options{Alarms: as}); err != nil {
		t.Error(err)
	}
	as.expect(t, dest, "band/missing "+format.HeadName(b.ID()))
	restoreAll(t, testBand{incomplete: true}.open(t, items), dest+"/new", Options{})
}

func TestPathTheBandDoesNotHaveIsAnErrorBeforeAnythingIsDone(t *testing.T) {
	b := open(t, tree(file("a", "x")))
	for _, p := range []format.Path{"b", "a/b", "../a", "/a", "a//b", "a/"} {
		dest := tempDir(t) + "/dest"
		_, err := Restore(t.Context(), b, dest, Options{Paths: []format.Path{"a", p}})
		if !archive.Is(err, archive.KindNotFound) || !strings.Contains(err.Error(), string(p)) {
			t.Errorf("%q: %v", p, err)
		}
		if _, err := os.Lstat(dest); !os.IsNotExist(err) {
			t.Errorf("%q: the destination was made", p)
		}
	}
}

func TestBlocksAreReadOnce(t *testing.T) {
	var items []archivetest.Item
	for i := range 500 {
		items = append(items, file(format.Path("f"+strings.Repeat("x", i%7)+string(rune('a'+i%26))+strings.Repeat("y", i/26)), strings.Repeat("z", 1000)+string(rune(i))))
	}
	var recorder *storagetest.Recorder
	tb := testBand{
		Band: archivetest.Band{FrameBytes: 50_000, BlockFrames: 3},
		wrap: func(st storage.Storage) storage.Storage { recorder = storagetest.NewRecorder(st); return recorder },
	}
	b := tb.open(t, tree(items...))
	before := reads(recorder, "/data/")
	restoreAll(t, b, tempDir(t)+"/dest", Options{})
	frames := map[int64]bool{}
	for e, err := range b.Subtree(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if f := firstFrame(e.Entry); f != nil {
			frames[int64(f.Block.Number)<<32+f.Offset] = true
		}
	}
	if n := reads(recorder, "/data/") - before; n > len(frames) || n == 0 {
		t.Errorf("%d reads for %d frames", n, len(frames))
	}
}

// reads counts the reads of objects whose name has part in it.
func reads(r *storagetest.Recorder, part string) (n int) {
	for _, record := range r.Log() {
		if record.Op == storage.OpRead && strings.Contains(record.Name, part) {
			n++
		}
	}
	return n
}
