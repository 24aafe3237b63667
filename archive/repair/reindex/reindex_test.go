package reindex

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"dura/archive/format"
)

const (
	own    = format.BandID("2026-11-24-101500-4f2a01")
	parent = format.BandID("2026-11-23-101500-4f2a00")
	later  = format.BandID("2026-11-25-101500-4f2a02")
)

// packer stores members as a writer does, frame by frame.
type packer struct {
	block  format.Block
	footer format.Footer
	raw    [][]byte
	offset int64
}

func (p *packer) add(m format.Member, header, data []byte) (*format.Frame, uint32) {
	raw := append(slices.Clone(header), data...)
	m.Frame, m.Offset, m.Bytes = uint32(len(p.raw)), uint32(len(header)), uint32(len(data))
	p.footer.Members = append(p.footer.Members, m)
	p.footer.Frames = append(p.footer.Frames, format.Frame{Offset: p.offset, StoredBytes: 10, RawBytes: uint32(len(raw) + format.TarPadding(int64(len(data))))})
	p.raw = append(p.raw, append(raw, make([]byte, format.TarPadding(int64(len(data))))...))
	p.offset += 10
	f := p.footer.Frames[m.Frame]
	f.Block = &p.block
	return &f, m.Offset
}

func (p *packer) headers(f *format.Frame) ([]format.TarMember, error) {
	return format.DecodeTarMembers(p.raw[f.Offset/10])
}

// store stores an entry's member or members, and gives the entry its spans.
func (p *packer) store(e *format.Entry, data []byte, chunks int) {
	if e.Kind != format.File || e.LinkTo != format.Root {
		p.add(format.Member{Path: e.Path, Kind: e.Kind}, format.AppendTarHeader(nil, e, 0), nil)
		return
	}
	e.Size, e.SHA256 = int64(len(data)), format.SumBytes(data)
	if chunks == 0 {
		f, offset := p.add(format.Member{Path: e.Path, Kind: e.Kind, SHA256: e.SHA256}, format.AppendTarHeader(nil, e, e.Size), data)
		if len(data) > 0 {
			e.Spans = []format.Span{{Frame: f, Offset: offset, Bytes: uint32(len(data))}}
		}
		return
	}
	e.XAttrs = nil
	var hole int64
	e.Size = 0
	for i := range chunks {
		if i%2 == 1 {
			hole = 5
			e.Size += hole
		}
		part := []byte(fmt.Sprint(i, "of", e.Path))
		m := format.Member{Path: e.Path, Kind: format.File, SHA256: format.SumBytes(part), Chunk: true, Start: e.Size}
		f, offset := p.add(m, format.AppendTarPartHeader(nil, e, e.Size, int64(len(part))), part)
		e.Spans = append(e.Spans, format.Span{Frame: f, Offset: offset, Bytes: uint32(len(part)), HoleBytes: hole, SHA256: m.SHA256})
		e.Size += int64(len(part))
		hole = 0
	}
	if chunks%3 == 0 { // it ends in a hole
		e.Size += 7
		p.add(format.Member{Path: e.Path, Kind: format.File, Chunk: true, Start: e.Size}, format.AppendTarPartHeader(nil, e, e.Size, 0), nil)
	}
	e.SHA256 = format.Hash{} // nobody knows it but the index
}

var kinds = []format.Kind{format.File, format.File, format.File, format.Directory, format.Symlink, format.FIFO, format.CharDevice}

func drawEntry(t *rapid.T, p format.Path) format.Entry {
	e := format.Entry{
		Path: p, Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), Mode: rapid.Uint32Range(0, 0o7777).Draw(t, "mode"),
		Owner: format.Owner{UID: rapid.Uint32().Draw(t, "uid"), GID: 7, User: "user", Group: rapid.SampledFrom([]string{"", "é", "g"}).Draw(t, "group")},
		MTime: format.Time{Seconds: rapid.Int64Range(-1<<40, 1<<40).Draw(t, "mtime")},
	}
	switch e.Kind {
	case format.Symlink:
		e.Target = rapid.SampledFrom([]string{"x", "../y", "\xff/z", "a b"}).Draw(t, "target")
	case format.CharDevice:
		e.Rdev = format.DeviceNumber{Major: 5, Minor: rapid.Uint32Range(0, 1<<20).Draw(t, "minor")}
	}
	if rapid.Bool().Draw(t, "xattr") {
		e.XAttrs = []format.XAttr{{Name: "user.a", Value: []byte("1=\n\x00")}, {Name: "user.b", Value: []byte{}}}
	}
	return e
}

// What blocks hold comes back from them as far as tar has it, what they do not hold from the parent, and in path order.
func TestFillGivesWhatWasStored(t *testing.T) {
	names := rapid.SampledFrom([]string{"a", "b", "c", "d\xff", "e.dura-part", "é"})
	rapid.Check(t, func(t *rapid.T) {
		paths := map[format.Path]bool{format.Root: true}
		for range rapid.IntRange(0, 20).Draw(t, "entries") {
			p := format.Root
			for range rapid.IntRange(1, 3).Draw(t, "depth") {
				p = p.Join(names.Draw(t, "name"))
				paths[p] = true
			}
		}
		var sorted []format.Path
		for p := range paths {
			sorted = append(sorted, p)
		}
		slices.SortFunc(sorted, format.Compare)
		r := Range{From: sorted[rapid.IntRange(0, len(sorted)-1).Draw(t, "from")], Behind: rapid.Bool().Draw(t, "behind")}
		if rapid.Bool().Draw(t, "ends") {
			r.To = sorted[rapid.IntRange(0, len(sorted)-1).Draw(t, "to")]
		}
		p := &packer{block: format.Block{Band: own, StoredBytes: 1 << 30}, footer: format.Footer{Band: own}}
		var want, inherited []format.Entry
		var all []*format.Entry
		var last *format.Entry
		for _, path := range sorted {
			drawn := drawEntry(t, path)
			e := &drawn
			all = append(all, e)
			for other := range paths { // what has something below it is a directory
				if other != path && other.Within(path) {
					e.Kind, e.Target, e.Rdev = format.Directory, "", format.DeviceNumber{}
				}
			}
			switch how := rapid.IntRange(0, 3).Draw(t, "how"); {
			case how == 0:
				e.MTime.Nanos, e.Inode = 9, 10
				inherited = append(inherited, *e)
			case how == 1 && last != nil && r.Has(last.Path) && e.Kind == format.File:
				last.Links, last.Inode = max(last.Links, 1)+1, madeUpInode(last.Path)
				*e = *last
				e.Path, e.LinkTo = path, last.Path
				p.store(e, nil, 0)
			default:
				chunks := rapid.SampledFrom([]int{0, 0, 1, 2, 3, 6}).Draw(t, "chunks")
				p.store(e, []byte(rapid.StringN(0, 50, -1).Draw(t, "data")), chunks)
				if e.Kind == format.File && chunks == 0 {
					last = e
				}
			}
		}
		for _, e := range all {
			if r.Has(e.Path) {
				want = append(want, *e)
			}
		}
		blocks := NewBlocks([]Range{r})
		if err := blocks.Add(&p.block, &p.footer, p.headers); err != nil {
			t.Fatal(err)
		}
		got := Fill(Sources{Range: r, Blocks: blocks, Parent: inherited, Band: own, Alone: true})
		if len(got.Entries) != len(want) || len(got.Doubts) > 0 {
			t.Fatalf("%d entries, not %d; %v", len(got.Entries), len(want), got.Doubts)
		}
		for i := range want {
			g, w := got.Entries[i], want[i]
			g.Links, w.Links = min(g.Links, 2), min(w.Links, 2)
			if !reflect.DeepEqual(g.XAttrs, w.XAttrs) && len(g.XAttrs)+len(w.XAttrs) > 0 && len(w.XAttrs) > 0 && w.LinkTo == format.Root {
				t.Fatalf("%q: %v, not %v", g.Path, g.XAttrs, w.XAttrs)
			}
			g.XAttrs, w.XAttrs = nil, nil
			if !reflect.DeepEqual(g, w) {
				t.Fatalf("%+v\nis not\n%+v", g, w)
			}
			if unsummed := slices.Contains(got.Unsummed, i); unsummed != (w.Kind == format.File && w.SHA256.IsZero() && w.Size > 0 && w.MTime.Nanos == 0) {
				t.Fatalf("%q: unsummed %v", g.Path, unsummed)
			}
		}
	})
}

// A file in chunks is believed only where these are known to be all.
func TestChunksThatMayLackOthersAreNoContent(t *testing.T) {
	for _, c := range []struct {
		what     string
		progress int64 // a size that a footer tells of
		alone    bool
		lost     bool // a block
		later    bool
		believed bool
	}{
		{what: "nothing tells"},
		{what: "there is no band ahead", alone: true, believed: true},
		{what: "a block is lost", alone: true, lost: true},
		{what: "a footer tells that it ends there", progress: 6, believed: true},
		{what: "a footer tells that it goes on", progress: 7, alone: true},
		{what: "a later band has it", later: true, believed: true},
	} {
		p := &packer{block: format.Block{Band: own, StoredBytes: 1 << 30}, footer: format.Footer{Band: own}}
		e := format.Entry{Path: "file", Kind: format.File, Mode: 0o600, MTime: format.Time{Seconds: 5}}
		for start, part := range map[int64]string{0: "abc", 3: "def"} {
			m := format.Member{Path: e.Path, Kind: format.File, SHA256: format.SumBytes([]byte(part)), Chunk: true, Start: start}
			f, offset := p.add(m, format.AppendTarPartHeader(nil, &e, start, 3), []byte(part))
			e.Spans = append(e.Spans, format.Span{Frame: f, Offset: offset, Bytes: 3, SHA256: m.SHA256})
		}
		if p.footer.Members[0].Start > 0 {
			slices.Reverse(e.Spans)
		}
		e.Size, e.SHA256, e.MTime.Nanos, e.Inode = 6, format.SumBytes([]byte("abcdef")), 7, 8
		if c.progress > 0 {
			p.footer.Progress = &format.Progress{Path: e.Path, Size: c.progress, End: 3, MTime: e.MTime}
		}
		blocks := NewBlocks([]Range{{}})
		if err := blocks.Add(&p.block, &p.footer, p.headers); err != nil {
			t.Fatal(err)
		}
		if c.lost {
			blocks.Lose()
		}
		s := Sources{Blocks: blocks, Band: own, Alone: c.alone}
		if c.later {
			s.Later = []format.Entry{e}
		}
		got := Fill(s)
		if len(got.Entries) != 1 || (len(got.Doubts) == 0) != c.believed || (len(got.Entries[0].Spans) == 2) != c.believed {
			t.Errorf("%s: %+v", c.what, got)
		}
		if c.later && !reflect.DeepEqual(got.Entries[0], e) {
			t.Errorf("%s: %+v is not %+v", c.what, got.Entries[0], e)
		}
	}
}

// Whatever footers and tars say, what is made of them is a hunk that readers take.
func FuzzFill(f *testing.F) {
	p := &packer{block: format.Block{Band: own}, footer: format.Footer{Band: own}}
	for _, path := range []format.Path{"", "a", "b", "c"} {
		e := format.Entry{Path: path, Kind: format.File}
		if path == "c" {
			e.LinkTo = "a"
		}
		p.store(&e, []byte("data"), len(path)*2)
	}
	f.Add(p.raw[0], p.raw[1], []byte("\x01\x02\x03"), int64(3), uint32(4), "a", true)
	f.Fuzz(func(t *testing.T, tar, other, kinds []byte, start int64, bytes uint32, path string, chunk bool) {
		if !format.ValidPath(path) || start < 0 || bytes > 1<<20 {
			return
		}
		block := &format.Block{Band: own, StoredBytes: 1 << 20}
		footer := &format.Footer{Band: own, Frames: []format.Frame{{StoredBytes: 9, RawBytes: 1 << 20}, {Offset: 9, StoredBytes: 9, RawBytes: 1 << 20}}}
		raw := map[int64][]byte{0: tar, 9: other}
		for i, b := range kinds {
			m := format.Member{
				Path: format.Path(path), Kind: format.Kind(b%7 + 1), Frame: uint32(b>>3) % 2, Offset: uint32(b) * 512 % (1 << 19), Bytes: bytes % (1 << 19), Chunk: chunk && b%2 == 0,
				Start: start / int64(i+1),
			}
			if b%3 == 0 {
				m.SHA256, m.Bytes = format.SumBytes([]byte{b % 5}), m.Bytes*uint32(b%2)
			}
			if b%11 == 0 {
				m.Path = m.Path.Join("x")
			}
			footer.Members = append(footer.Members, m)
		}
		blocks := NewBlocks([]Range{{}})
		if err := blocks.Add(block, footer, func(f *format.Frame) ([]format.TarMember, error) {
			members, _ := format.DecodeTarMembers(raw[f.Offset])
			return members, nil
		}); err != nil {
			t.Fatal(err)
		}
		for _, run := range Hunks(Fill(Sources{Blocks: blocks, Band: own, Alone: chunk}).Entries) {
			encoded, err := format.EncodeHunk(format.Hunk{Entries: run})
			if err == nil {
				_, err = format.DecodeHunk(encoded)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

// Pieces cover a range from end to end: hunks that are left, and stretches between them.
func TestBetweenCoversTheRange(t *testing.T) {
	ref := func(p format.Path, entries int64) format.HunkRef {
		return format.HunkRef{Band: own, Entries: entries, FirstPath: p}
	}
	loose := []Loose{{[]format.HunkRef{ref("m", 3)}, "p"}, {[]format.HunkRef{ref("c", 2), ref("d", 2)}, "f"}, {[]format.HunkRef{ref("e", 2)}, "g"}, {[]format.HunkRef{ref("x", 1)}, "y"}}
	pieces := Between(Range{From: "b", To: "r"}, 10, loose)
	var got []string
	for _, p := range pieces {
		if p.Stretch != nil {
			got = append(got, fmt.Sprint(p.Stretch.Range))
		} else {
			got = append(got, string(p.Hunk.FirstPath))
		}
	}
	if want := []string{"{b false c}", "c", "d", "{f true m}", "m", "{p true r}"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if pieces := Between(Range{From: "b", To: "r"}, 7, loose); len(pieces) != 3 {
		t.Errorf("nothing lacks: %+v", pieces)
	}
	lost := &Stretch{Range: Range{From: "a"}}
	if rest := Behind(lost, Between(Range{From: "a", Behind: true}, 0, loose[:1])); lost.Range.To != "m" || len(rest) != 2 {
		t.Errorf("%+v %+v", lost, rest)
	}
}

// Fences that have lost nothing stay as they are.
func TestLayKeepsWhatIsWhole(t *testing.T) {
	refs := make([]format.HunkRef, 2500)
	for i := range refs {
		refs[i] = format.HunkRef{Band: own, Number: uint64(i), Entries: 1, FirstPath: format.Path(fmt.Sprintf("%06d", i))}
	}
	isLost := func(r *format.HunkRef) bool { return r.Number == 1500 }
	old := []Old{
		{Ref: format.FenceRef{Number: 0}, Whole: true, Pieces: Of(refs[:1000], "001000", isLost)},
		{Ref: format.FenceRef{Number: 1}, Whole: true, Pieces: Of(refs[1000:2000], "002000", isLost)},
		{Ref: format.FenceRef{Number: 2}, Whole: true, Pieces: Of(refs[2000:], "", isLost)},
	}
	split := []format.HunkRef{{FirstPath: "001500"}, {FirstPath: "001500x"}}
	fences := Lay(old, func(s *Stretch) []format.HunkRef {
		if s.Range != (Range{From: "001500", To: "001501"}) || s.Entries != 1 {
			t.Errorf("%+v", s)
		}
		return split
	})
	if len(fences) != 4 || fences[0].Kept.Number != 0 || fences[3].Kept.Number != 2 || len(fences[1].Hunks) != 1000 || len(fences[2].Hunks) != 1 || fences[1].Hunks[501] != split[1] {
		t.Errorf("%+v", fences)
	}
	if gone := Lay(old[1:2], func(*Stretch) []format.HunkRef { return nil }); len(gone) != 1 || len(gone[0].Hunks) != 999 {
		t.Errorf("%+v", gone)
	}
}
