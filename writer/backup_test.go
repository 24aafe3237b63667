package writer_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dura/archive/format"
	"dura/archive/storage"
	"dura/writer/source/sourcetest"
)

// text is content that compresses, and differs from other text.
func text(seed uint64, bytes int) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	var b strings.Builder
	for b.Len() < bytes {
		fmt.Fprintf(&b, "line %d of %d\n", r.IntN(1000), seed)
	}
	return []byte(b.String()[:bytes])
}

// tree is a random tree of all kinds, with contents around the sizes where the writer changes its mind.
func tree(t *rapid.T) map[format.Path]sourcetest.Item {
	items := map[format.Path]sourcetest.Item{}
	dirs := []format.Path{format.Root}
	for i := range rapid.IntRange(0, 40).Draw(t, "entries") {
		dir := rapid.SampledFrom(dirs).Draw(t, "dir")
		path := dir.Join(fmt.Sprintf("%s%d", rapid.SampledFrom([]string{"a", "é", "\xff", "-", "z"}).Draw(t, "name"), i))
		item := sourcetest.File(path, "")
		switch kind := rapid.IntRange(0, 9).Draw(t, "kind"); kind {
		case 0, 1:
			item = sourcetest.Dir(path)
			dirs = append(dirs, path)
		case 2:
			item = sourcetest.Symlink(path, "some/\xff/target")
		case 3:
			item.Entry.Kind = rapid.SampledFrom([]format.Kind{format.FIFO, format.Socket, format.CharDevice, format.BlockDevice}).Draw(t, "special")
		case 4:
			size := rapid.Int64Range(1, 40<<10).Draw(t, "sparse size")
			a := rapid.Int64Range(0, size).Draw(t, "start")
			b := rapid.Int64Range(a, size).Draw(t, "end")
			data := sourcetest.Random(uint64(i), size).Holes()
			if b > a {
				data = sourcetest.Random(uint64(i), size).Holes(sourcetest.Run{Start: a, End: b})
			}
			item.Data = data
		default:
			size := rapid.SampledFrom([]int{0, 1, 511, 512, 513, 4095, 4096, 8191, 8192, 8193, 50_000}).Draw(t, "size")
			item.Data = sourcetest.Bytes(text(uint64(rapid.IntRange(0, 5).Draw(t, "seed")), size))
		}
		item.Entry.Mode = rapid.Uint32Range(0, 0o7777).Draw(t, "mode")
		item.Entry.MTime = format.Time{Seconds: rapid.Int64().Draw(t, "mtime"), Nanos: uint32(i)}
		item.Entry.Owner = format.Owner{UID: rapid.Uint32().Draw(t, "uid"), User: "someone"}
		if rapid.Bool().Draw(t, "xattr") {
			item.Entry.XAttrs = []format.XAttr{{Name: "user.note", Value: []byte{0, 255}}}
		}
		items[path] = item
	}
	return items
}

func sourceOf(items map[format.Path]sourcetest.Item) *sourcetest.Source {
	var list []sourcetest.Item
	for _, item := range items {
		list = append(list, item)
	}
	return sourcetest.New(list...)
}

// dataOf is what a reader should get of d.
func dataOf(d *sourcetest.Data) []byte {
	if d == nil {
		return nil
	}
	all := make([]byte, d.Size)
	if d.Fill != nil {
		d.Fill(all, 0)
	}
	if d.Runs == nil {
		return all
	}
	data := make([]byte, d.Size)
	for _, r := range d.Runs {
		copy(data[r.Start:r.End], all[r.Start:r.End])
	}
	return data
}

func TestEverythingIsStoredAsItIs(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		items := tree(rt)
		p := newPlace(t, smallSettings())
		p.backup(sourceOf(items))
		got := p.read()
		if len(got) != len(items)+1 {
			rt.Fatalf("%d entries, not %d", len(got), len(items)+1)
		}
		for path, item := range items {
			e, want := got[path], item.Entry
			if e.Kind != want.Kind || e.Mode != want.Mode || e.MTime != want.MTime || e.Owner != want.Owner || e.Target != want.Target ||
				len(e.XAttrs) != len(want.XAttrs) || e.Unstable {
				rt.Fatalf("%+v\nwant %+v", e.Entry, want)
			}
			if item.Data != nil && e.Size != item.Data.Size || !bytes.Equal(e.content, dataOf(item.Data)) {
				rt.Fatalf("%q: %d bytes, and %d of content", path, e.Size, len(e.content))
			}
		}
		if len(p.raised) > 0 {
			rt.Fatal(p.raised)
		}
	})
}

// Parallel stages must not show in what is stored.
func TestTheSameSourceGivesTheSameBytes(t *testing.T) {
	var items []sourcetest.Item
	for i := range 1200 {
		items = append(items, sourcetest.Item{
			Entry: sourcetest.File(format.Path(fmt.Sprintf("f%04d", i)), "").Entry, Data: sourcetest.Bytes(text(uint64(i%1000), i*7%9_000)),
		})
	}
	var first map[string][]byte
	for _, workers := range []int{1, 2, 7} {
		p := newPlace(t, smallSettings())
		if _, err := p.tryBackup(context.Background(), sourcetest.New(items...), workers); err != nil {
			t.Fatal(err)
		}
		all := objects(t, p.storage)
		if first == nil {
			first = all
		}
		if len(all) != len(first) {
			t.Fatalf("%d workers: %d objects, not %d", workers, len(all), len(first))
		}
		for name, data := range all {
			if !bytes.Equal(data, first[name]) {
				t.Errorf("%d workers: %s differs", workers, name)
			}
		}
	}
}

func TestAFileOfManyChunksHasSpanLists(t *testing.T) {
	p := newPlace(t, smallSettings())
	content := text(1, 3<<20)
	p.backup(sourcetest.New(sourcetest.File("a", "x"), sourcetest.Item{Entry: sourcetest.File("big", "").Entry, Data: sourcetest.Bytes(content)}, sourcetest.File("z", "y")))
	got := p.read()
	if n := len(got["big"].SpanLists); n < 2 || len(got["big"].Spans) != 0 {
		t.Fatalf("%d span lists, %d spans", n, len(got["big"].Spans))
	}
	if !bytes.Equal(got["big"].content, content) || string(got["z"].content) != "y" {
		t.Fatal("the content is not what it was")
	}
}

func TestAHugeFileOfHolesIsHashedByItsDataAlone(t *testing.T) {
	p := newPlace(t, smallSettings())
	data := sourcetest.Random(1, 1<<40).Holes(sourcetest.Run{Start: 1 << 20, End: 1<<20 + 5000}, sourcetest.Run{Start: 1 << 39, End: 1<<39 + 100})
	p.backup(sourcetest.New(sourcetest.Item{Entry: sourcetest.File("huge", "").Entry, Data: data}))
	e := p.read()["huge"]
	if e.DataSHA.IsZero() || !e.SHA256.IsZero() || e.Size != 1<<40 || len(e.content) != 5100 {
		t.Fatalf("%+v", e.Entry)
	}
}

func TestEqualContentIsStoredOnce(t *testing.T) {
	content := sourcetest.Random(1, 6000)
	stored := func(copies int) (bytes int64) {
		p := newPlace(t, smallSettings())
		var items []sourcetest.Item
		for i := range copies {
			items = append(items, sourcetest.Item{Entry: sourcetest.File(format.Path(fmt.Sprint("f", i)), "").Entry, Data: content})
		}
		p.backup(sourcetest.New(items...))
		for path, e := range p.read() {
			if path != format.Root && len(e.content) != 6000 {
				t.Fatal(path, len(e.content))
			}
		}
		for name, data := range objects(t, p.storage) {
			if strings.HasSuffix(name, ".tar.zst") {
				bytes += int64(len(data))
			}
		}
		return bytes
	}
	if one, ten := stored(1), stored(10); ten > one+1500 {
		t.Fatalf("one copy: %d bytes, ten: %d", one, ten)
	}
}

func TestHardLinksShareContentAndNameTheFirst(t *testing.T) {
	link := func(path format.Path, size int64) sourcetest.Item {
		item := sourcetest.Item{Entry: sourcetest.File(path, "").Entry, Data: sourcetest.Random(uint64(size), size)}
		item.Entry.Device, item.Entry.Inode, item.Entry.Links = 1, uint64(size), 2
		return item
	}
	p := newPlace(t, smallSettings())
	result := p.backup(sourcetest.New(link("a", 100), link("b", 100), link("c", 50_000), link("d", 50_000)))
	got := p.read()
	for first, second := range map[format.Path]format.Path{"a": "b", "c": "d"} {
		if got[second].LinkTo != first || got[first].LinkTo != "" || !bytes.Equal(got[first].content, got[second].content) ||
			got[second].Size != got[first].Size || got[second].SHA256 != got[first].SHA256 {
			t.Errorf("%+v\n%+v", got[first].Entry, got[second].Entry)
		}
	}
	if result.Totals.ContentBytes != 50_100 {
		t.Error("content bytes:", result.Totals.ContentBytes)
	}
}

func TestASmallBackupIsAHandfulOfObjects(t *testing.T) {
	p := newPlace(t, format.Settings{})
	before := len(objects(t, p.storage))
	result := p.backup(sourcetest.New(sourcetest.File("a", "x")))
	const want = 6 // head, block, hunk, fence, tail, sums
	if n := len(objects(t, p.storage)) - before; n != want || result.Totals.Objects != want {
		t.Fatalf("%d objects, reported as %d", n, result.Totals.Objects)
	}
}

func TestBandsAreOrderedThoughTheClockStandsStill(t *testing.T) {
	p := newPlace(t, format.Settings{})
	one := p.backup(sourcetest.New())
	two := p.backup(sourcetest.New())
	if two.Band <= one.Band || one.Band.Time() != testTime {
		t.Fatal(one.Band, two.Band)
	}
}

// ordered checks, at each object stored, that what it refers to is there already.
type ordered struct {
	storage.Storage
	t *testing.T
}

func (o *ordered) Create(ctx context.Context, name string, parts ...[]byte) error {
	o.check(ctx, name, bytes.Join(parts, nil))
	return o.Storage.Create(ctx, name, parts...)
}

func (o *ordered) exists(ctx context.Context, by, name string, bytes int64, sum format.Hash) {
	data, err := o.Read(ctx, name, 0, 1<<30)
	if err != nil || int64(len(data)) != bytes || format.SumBytes(data) != sum {
		o.t.Errorf("%s refers to %s, which is not there as it says: %v", by, name, err)
	}
}

func (o *ordered) check(ctx context.Context, name string, data []byte) {
	band, kind, _, err := format.ParseObjectName(name)
	if err != nil {
		return
	}
	dec, err := format.NewDecoder(1)
	if err != nil {
		o.t.Error(err)
	}
	index := func() []byte {
		raw, err := dec.Decode("index", data, format.MaxIndexBytes)
		if err != nil {
			o.t.Error(name, err)
		}
		return raw
	}
	switch kind {
	case format.HunkObject:
		entries, err := format.DecodeHunk(index())
		if err != nil {
			o.t.Error(name, err)
		}
		for _, e := range entries.Entries {
			o.checkSpans(ctx, name, e.Spans)
			for _, l := range e.SpanLists {
				o.exists(ctx, name, format.SpansName(l.Band, l.Number), l.StoredBytes, l.SHA256)
			}
		}
	case format.SpansObject:
		spans, err := format.DecodeSpanList(index())
		if err != nil {
			o.t.Error(name, err)
		}
		o.checkSpans(ctx, name, spans)
	case format.FenceObject:
		hunks, err := format.DecodeFence(index())
		if err != nil {
			o.t.Error(name, err)
		}
		for _, h := range hunks {
			o.exists(ctx, name, format.HunkName(h.Band, h.Number), h.StoredBytes, h.SHA256)
		}
	case format.TailObject:
		tail, err := format.DecodeTail(band, data)
		if err != nil {
			o.t.Error(name, err)
		}
		for _, f := range tail.Fences {
			o.exists(ctx, name, format.FenceName(f.Band, f.Number), f.StoredBytes, f.SHA256)
		}
	case format.SumsObject:
		sums, err := format.DecodeSums(data)
		if err != nil || len(sums) < 3 {
			o.t.Error(name, len(sums), err)
		}
		for _, s := range sums {
			stored, err := o.Read(ctx, s.Object, 0, 1<<30)
			if err != nil || format.SumBytes(stored) != s.SHA256 {
				o.t.Errorf("%s is not as %s says: %v", s.Object, name, err)
			}
		}
	}
}

func (o *ordered) checkSpans(ctx context.Context, name string, spans []format.Span) {
	for _, s := range spans {
		b := s.Frame.Block
		o.exists(ctx, name, b.Name(), b.StoredBytes, b.SHA256)
	}
}

func TestNothingIsStoredAheadOfWhatItRefersTo(t *testing.T) {
	p := newPlace(t, smallSettings())
	p.wrap = func(st storage.Storage) storage.Storage { return &ordered{st, t} }
	items := []sourcetest.Item{{Entry: sourcetest.File("m", "").Entry, Data: sourcetest.Bytes(text(7, 2<<20))}}
	for i := range 2500 {
		items = append(items, sourcetest.File(format.Path(fmt.Sprintf("f%04d", i)), string(text(uint64(i), i%900))))
	}
	p.backup(sourcetest.New(items...))
}
