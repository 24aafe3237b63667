package verify_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"dura/archive/archivetest"
	"dura/archive/format"
	"dura/archive/storage"
	"dura/archive/storage/storagetest"
	"dura/archive/verify"
)

func TestNoFlippedBitPassesBlocks(t *testing.T) {
	good := twoBands(t)
	for info, err := range good.List(t.Context(), "bands/", storage.Deep) {
		if err != nil {
			t.Fatal(err)
		}
		if second := string(archivetest.BandID(1)); strings.HasPrefix(info.Name, "bands/"+second+"/index/") || info.Name == format.SumsName(archivetest.BandID(1)) {
			continue // nothing refers to two of these
		}
		for bit := int64(0); bit < info.SizeBytes*8; bit += 1 + info.SizeBytes/40*8 + bit%8 {
			st := storagetest.NewDamaged(good)
			st.Flip(info.Name, bit)
			if _, raised := check(t, st, verify.Options{Depth: verify.Blocks}); len(raised) == 0 {
				t.Errorf("bit %d of %s", bit, info.Name)
			}
		}
	}
}

func TestObjectsThatChangedPlacesAreFound(t *testing.T) {
	st := twoBands(t)
	x, y := format.BlockName(archivetest.BandID(0), 0), format.BlockName(archivetest.BandID(0), 1)
	var content [2][]byte
	for i, name := range []string{x, y} {
		var err error
		if content[i], err = st.Read(t.Context(), name, 0, 1<<20); err != nil {
			t.Fatal(err)
		}
		if err := st.Delete(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	for i, name := range []string{y, x} {
		if err := st.Create(t.Context(), name, content[i]); err != nil {
			t.Fatal(err)
		}
	}
	if _, raised := check(t, st, verify.Options{Depth: verify.Blocks}); !slices.Equal(raised, []string{"block/mismatch " + x, "block/mismatch " + y}) {
		t.Errorf("%q", raised)
	}
}

func TestContentThatIsNotWhatItsEntrySaysIsFound(t *testing.T) {
	st := archivetest.NewArchive(t)
	w := archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0), SpanBytes: 100})
	entries, _, _ := w.Write([]archivetest.Item{
		archivetest.Dir(""), archivetest.File("content", noise(1, 300)), archivetest.File("good", noise(2, 300)), archivetest.File("hole", nil),
		archivetest.File("length", noise(4, 300)), archivetest.File("none", noise(5, 300)), archivetest.File("span", noise(6, 300)),
	})
	entries[1].SHA256[0] ^= 1
	entries[3].Size, entries[3].SHA256 = 1<<62, format.Hash{1} // would take years to hash
	entries[4].Size++
	entries[5].SHA256 = format.Hash{}
	entries[6].Spans[1].SHA256[0] ^= 1
	w2 := archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(1)})
	w2.Tail([]format.FenceRef{w2.Fence([]format.HunkRef{w2.Hunk(entries)})})
	want := []string{"band/corrupt hole", "band/mismatch content", "band/mismatch length", "band/mismatch span", "band/missing none"}
	if _, raised := check(t, st, verify.Options{Depth: verify.Files}); !slices.Equal(raised, want) {
		t.Errorf("%q", raised)
	}
	if _, raised := check(t, st, verify.Options{Depth: verify.Blocks}); len(raised) > 0 {
		t.Errorf("%q", raised)
	}
}

func TestIndexesThatDisagreeAboutABlockAreFound(t *testing.T) {
	st := archivetest.NewArchive(t)
	w := archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0)})
	entries, _, fences := w.Write([]archivetest.Item{archivetest.Dir(""), archivetest.File("a", noise(1, 300))})
	w.Tail(fences)
	other := *entries[1].Spans[0].Frame.Block
	other.StoredBytes++
	entries[1].Spans[0].Frame.Block = &other
	w2 := archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(1)})
	w2.Tail([]format.FenceRef{w2.Fence([]format.HunkRef{w2.Hunk(entries)})})
	if _, raised := check(t, st, verify.Options{}); !slices.Equal(raised, []string{"block/mismatch " + other.Name()}) {
		t.Errorf("%q", raised)
	}
}

func TestStorageThatFailsIsNotCalledDamage(t *testing.T) {
	block := format.BlockName(archivetest.BandID(0), 0)
	for kind, want := range map[storage.Kind]string{storage.KindIO: "block/ioerror " + block, storage.KindDenied: "block/denied " + block} {
		st := storagetest.NewFaulty(twoBands(t), storagetest.Always(storage.OpRead, block, kind))
		if _, raised := check(t, st, verify.Options{Depth: verify.Blocks}); !slices.Equal(raised, []string{want}) {
			t.Errorf("%q", raised)
		}
	}
	prefix := "bands/" + string(archivetest.BandID(0))
	st := storagetest.NewFaulty(twoBands(t), storagetest.Always(storage.OpList, prefix, storage.KindIO))
	if _, raised := check(t, st, verify.Options{}); !slices.Equal(raised, []string{"band/ioerror " + prefix}) {
		t.Errorf("%q", raised)
	}
}

func TestDamageIsFoundAndNamed(t *testing.T) {
	id := archivetest.BandID(0)
	head, tail, sums, told := format.HeadName(id), format.TailName(id), format.SumsName(id), format.AlarmsName(id)
	hunk, fence, spans, block := format.HunkName(id, 1), format.FenceName(id, 0), format.SpansName(id, 0), format.BlockName(id, 0)
	lose := func(name string) func(*storagetest.Damaged) { return func(d *storagetest.Damaged) { d.Lose(name) } }
	truncate := func(name string) func(*storagetest.Damaged) {
		return func(d *storagetest.Damaged) { d.Truncate(name, 30) }
	}
	flip := func(name string) func(*storagetest.Damaged) {
		return func(d *storagetest.Damaged) { d.Flip(name, 8*20+1) }
	}
	objects, blocks, files := verify.Objects, verify.Blocks, verify.Files
	for _, c := range []struct {
		what   string
		depth  verify.Depth
		damage func(*storagetest.Damaged)
		want   []string
	}{
		{"block lost", objects, lose(block), []string{"block/missing " + block}},
		{"block lost", blocks, lose(block), []string{"block/missing " + block}},
		{"block lost", files, lose(block), []string{"band/missing a", "band/missing b", "band/missing holes", "block/missing " + block}},
		{"block truncated", objects, truncate(block), []string{"block/mismatch " + block}},
		{"block truncated", blocks, truncate(block), []string{"block/mismatch " + block}},
		{"block flipped", objects, flip(block), nil},
		{"block flipped", blocks, flip(block), []string{"block/mismatch " + block}},
		{"block flipped", files, flip(block), []string{"band/mismatch a", "block/mismatch " + block}},
		{"hunk lost", objects, lose(hunk), []string{"band/missing " + hunk}},
		{"hunk truncated", objects, truncate(hunk), []string{"band/mismatch " + hunk}},
		{"hunk flipped", objects, flip(hunk), []string{"band/mismatch " + hunk}},
		{"fence lost", blocks, lose(fence), []string{"band/missing " + fence}},
		{"fence truncated", objects, truncate(fence), []string{"band/mismatch " + fence}},
		{"fence flipped", files, flip(fence), []string{"band/mismatch " + fence}},
		{"span list lost", objects, lose(spans), []string{"band/missing " + spans}},
		{"span list flipped", blocks, flip(spans), []string{"band/mismatch " + spans}},
		{"span list flipped", files, flip(spans), []string{"band/mismatch " + spans, "band/mismatch z"}},
		{"head lost", objects, lose(head), []string{"band/missing " + head}},
		{"head truncated", objects, truncate(head), []string{"band/mismatch " + head}},
		{"head flipped", objects, flip(head), []string{"band/mismatch " + head}},
		{"tail lost", objects, lose(tail), []string{"band/missing " + tail}},
		{"tail truncated", objects, truncate(tail), []string{"band/corrupt " + tail}},
		{"tail flipped", objects, flip(tail), []string{"band/corrupt " + tail}},
		{"sums lost", objects, lose(sums), []string{"band/missing " + sums}},
		{"sums truncated", objects, truncate(sums), nil},
		{"sums truncated", blocks, truncate(sums), []string{"band/corrupt " + sums}},
		{"sums flipped", blocks, flip(sums), []string{"band/mismatch " + sums}},
		{"alarms lost", objects, lose(told), []string{"band/missing " + told}},
		{"alarms truncated", objects, truncate(told), []string{"band/mismatch " + told}},
		{"alarms flipped", objects, flip(told), nil},
		{"alarms flipped", blocks, flip(told), []string{"band/mismatch " + told}},
		{"readme lost", objects, lose(format.ReadmeName), []string{"archive/missing " + format.ReadmeName}},
		{"schema lost", objects, lose(format.SchemaName), []string{"archive/missing " + format.SchemaName}},
	} {
		st := storagetest.NewDamaged(twoBands(t))
		c.damage(st)
		if r, raised := check(t, st, verify.Options{Depth: c.depth}); !slices.Equal(raised, c.want) || r.Bands != 2 {
			t.Errorf("%s, depth %d: %q\nwant %q", c.what, c.depth, raised, c.want)
		}
	}
}

func TestBlocksThatTheIndexDoesNotReferToAreChecked(t *testing.T) {
	st := archivetest.NewArchive(t)
	id := archivetest.BandID(0)
	w := archivetest.NewBand(t, archivetest.Band{Storage: st, ID: id})
	w.Directories("")
	_, _, fences := w.Write(archivetest.Tree(map[string]string{"a/b": "x"}))
	w.Directories("a")
	w.Directories("a")
	w.Tail(fences)
	if r, raised := check(t, st, verify.Options{Depth: verify.Blocks}); len(raised) > 0 || r.Blocks != 4 || r.Unreferenced != 0 {
		t.Errorf("%q %+v", raised, r)
	}
	block := func(n uint64) string { return format.BlockName(id, n) }
	for _, c := range []struct {
		lost []uint64
		want []string
	}{
		{[]uint64{0}, []string{"block/missing " + block(0)}},
		{[]uint64{2}, []string{"block/missing " + block(2)}},
		{[]uint64{0, 3}, []string{"block/missing " + block(0), "block/missing " + block(3)}},
		{[]uint64{2, 3}, []string{"block/missing " + block(2), "block/missing " + block(3)}},
		{[]uint64{1, 2}, []string{"block/missing " + block(1), "block/missing " + block(2)}},
	} {
		damaged := storagetest.NewDamaged(st)
		for _, n := range c.lost {
			damaged.Lose(block(n))
		}
		if _, raised := check(t, damaged, verify.Options{}); !slices.Equal(raised, c.want) {
			t.Errorf("without %v: %q", c.lost, raised)
		}
	}
	damaged := storagetest.NewDamaged(st)
	damaged.Flip(block(3), 100)
	if _, raised := check(t, damaged, verify.Options{Depth: verify.Blocks}); !slices.Equal(raised, []string{"block/mismatch " + block(3)}) {
		t.Errorf("flipped: %q", raised)
	}
	// A count that is a lie costs nothing; numbers may have gaps.
	for blocks, want := range map[int64][]string{1 << 62: {"block/missing bands/" + string(archivetest.BandID(1)) + "/data"}, 1: nil} {
		st := archivetest.NewArchive(t)
		w := archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(1)})
		w.Directories("")
		_, _, fences := w.Write(archivetest.Tree(map[string]string{"a/b": "x"}))
		tail := w.Tail(fences)
		tail.Totals.Blocks = blocks
		name := format.TailName(w.ID)
		if err := errors.Join(st.Delete(t.Context(), name), st.Create(t.Context(), name, format.EncodeTail(tail)), st.Delete(t.Context(), format.BlockName(w.ID, 0))); err != nil {
			t.Fatal(err)
		}
		if _, raised := check(t, st, verify.Options{}); blocks == 1 && len(raised) > 0 || blocks > 1 && !slices.Contains(raised, want[0]) {
			t.Errorf("%d recorded: %q", blocks, raised)
		}
	}
}

// TestBlocksOfAnotherBackupAreNoDamage: one that met this one's in its band, and began a band of its own.
func TestBlocksOfAnotherBackupAreNoDamage(t *testing.T) {
	st := archivetest.NewArchive(t)
	id := archivetest.BandID(0)
	w := archivetest.NewBand(t, archivetest.Band{Storage: st, ID: id})
	w.Directories("")
	_, _, fences := w.Write(archivetest.Tree(map[string]string{"a/b": "x"}))
	w.Tail(fences)
	block, err := st.Read(t.Context(), format.BlockName(id, 1), 0, 1<<20)
	if err == nil {
		err = st.Create(t.Context(), format.BlockName(id, 7), block)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, depth := range []verify.Depth{verify.Objects, verify.Blocks, verify.Files} {
		if r, raised := check(t, st, verify.Options{Depth: depth}); len(raised) > 0 {
			t.Errorf("depth %d: %q %+v", depth, raised, r)
		}
	}
}
