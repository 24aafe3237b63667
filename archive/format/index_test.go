package format

import (
	"errors"
	"math"
	"reflect"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"dura/archive/format/pb"
)

const testBand = BandID("2026-11-23-091500-4f2a9c")

func hashes() *rapid.Generator[Hash] {
	return rapid.Custom(func(t *rapid.T) Hash { return SumBytes([]byte(rapid.String().Draw(t, "hashed"))) })
}

// frames makes some frames in some blocks, with values at the edges.
func frames(t *rapid.T) []*Frame {
	blocks := make([]*Block, rapid.IntRange(1, 3).Draw(t, "blocks"))
	for i := range blocks {
		blocks[i] = &Block{Band: testBand, Number: uint64(i), StoredBytes: 32 << 20, SHA256: hashes().Draw(t, "block sum"), Seal: seals.Draw(t, "seal")}
	}
	out := make([]*Frame, rapid.IntRange(1, 5).Draw(t, "frames"))
	for i := range out {
		out[i] = &Frame{
			Block: rapid.SampledFrom(blocks).Draw(t, "block"), Offset: int64(i) * 100, StoredBytes: 100,
			RawBytes: rapid.Uint32Range(1, MaxFrameBytes).Draw(t, "raw"),
			Sum:      FrameSum([]byte("0123456789abcdef")),
		}
	}
	return out
}

func entry(t *rapid.T, path Path, fs []*Frame) Entry {
	e := Entry{
		Path: path, Kind: Kind(rapid.IntRange(1, 7).Draw(t, "kind")), Mode: rapid.Uint32Range(0, 0o7777).Draw(t, "mode"),
		Owner: Owner{UID: rapid.Uint32().Draw(t, "uid"), GID: 7, User: rapid.SampledFrom([]string{"", "root", "\xff"}).Draw(t, "user")},
		MTime: Time{rapid.Int64().Draw(t, "mtime"), rapid.Uint32Range(0, 999_999_999).Draw(t, "nanos")},
		CTime: Time{rapid.Int64().Draw(t, "ctime"), 0}, Device: rapid.Uint64().Draw(t, "device"), Inode: rapid.Uint64().Draw(t, "inode"),
		Links: rapid.Uint32().Draw(t, "links"), Target: rapid.SampledFrom([]string{"", "/x", "\xfe\n"}).Draw(t, "target"),
		Rdev: DeviceNumber{rapid.Uint32().Draw(t, "major"), 3}, Unstable: rapid.Bool().Draw(t, "unstable"),
	}
	if e.Kind == File {
		e.SHA256 = hashes().Draw(t, "sum")
		for range rapid.IntRange(0, 3).Draw(t, "spans") {
			f := rapid.SampledFrom(fs).Draw(t, "frame")
			s := Span{Frame: f, Bytes: rapid.Uint32Range(0, f.RawBytes).Draw(t, "bytes"), HoleBytes: rapid.Int64Range(0, 1<<40).Draw(t, "hole")}
			e.Spans = append(e.Spans, s)
			e.Size += s.HoleBytes + int64(s.Bytes)
		}
	}
	for range rapid.IntRange(0, 2).Draw(t, "xattrs") {
		e.XAttrs = append(e.XAttrs, XAttr{rapid.String().Draw(t, "name"), []byte("v" + rapid.String().Draw(t, "value"))})
	}
	return e
}

func TestHunksRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fs := frames(t)
		ps := rapid.SliceOfNDistinct(paths(), 1, 10, rapid.ID[Path]).Draw(t, "paths")
		slices.SortFunc(ps, Compare)
		var entries []Entry
		for _, p := range ps {
			entries = append(entries, entry(t, p, fs))
		}
		h := Hunk{Entries: entries, Previous: Previous(rapid.Uint64().Draw(t, "previous"))}
		if entries[0].Path != Root && rapid.Bool().Draw(t, "before") {
			h.Before = []HunkRef{{testBand, 3, 100, hashes().Draw(t, "sum"), 7, Root}}
		}
		raw, err := EncodeHunk(h)
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodeHunk(raw)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, h) {
			t.Fatalf("got  %+v\nwant %+v", got, h)
		}
		again, err := EncodeHunk(got)
		if err != nil || !slices.Equal(again, raw) {
			t.Fatalf("encoding what was decoded gives other bytes, %v", err)
		}
	})
}

func TestFencesAndSpanListsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fs := frames(t)
		spans := entry(t, "x", fs).Spans
		raw, err := EncodeSpanList(spans)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := DecodeSpanList(raw); err != nil || !reflect.DeepEqual(got, spans) {
			t.Fatalf("%+v %v", got, err)
		}
		ps := rapid.SliceOfNDistinct(paths(), 1, 10, rapid.ID[Path]).Draw(t, "paths")
		slices.SortFunc(ps, Compare)
		var hunks []HunkRef
		for i, p := range ps {
			hunks = append(hunks, HunkRef{testBand, uint64(i), 100, hashes().Draw(t, "sum"), int64(i + 1), p})
		}
		if raw, err = EncodeFence(hunks); err != nil {
			t.Fatal(err)
		}
		if got, err := DecodeFence(raw); err != nil || !reflect.DeepEqual(got, hunks) {
			t.Fatalf("%+v %v", got, err)
		}
	})
}

func goodHunk() *pb.Hunk {
	sum := make([]byte, 32)
	return &pb.Hunk{
		Blocks: []*pb.Block{{Band: string(testBand), StoredBytes: 1000, Sha256: sum}},
		Frames: []*pb.Frame{{Block: 0, Offset: 10, StoredBytes: 100, RawBytes: 200, Sum: sum[:16]}},
		Owners: []*pb.Owner{{Uid: 1}},
		Entries: []*pb.Entry{
			{Path: []byte("a"), Kind: pb.Kind_FILE, Size: 50, Sha256: sum, Spans: []*pb.Span{{Offset: 150, Bytes: 50}}},
			{Path: []byte("b"), Kind: pb.Kind_DIRECTORY},
		},
		Before: []*pb.HunkRef{{Band: string(testBand), StoredBytes: 100, Sha256: sum, Entries: 1}},
	}
}

func TestDecodeHunkRefusesWhatCantBe(t *testing.T) {
	for name, damage := range map[string]func(*pb.Hunk){
		"frame outside its block":      func(h *pb.Hunk) { h.Frames[0].Offset = 901 },
		"frame offset that wraps":      func(h *pb.Hunk) { h.Frames[0].Offset = math.MaxUint64 },
		"frame of no block":            func(h *pb.Hunk) { h.Frames[0].Block = 1 },
		"frame too large":              func(h *pb.Hunk) { h.Frames[0].RawBytes = MaxFrameBytes + 1 },
		"short frame sum":              func(h *pb.Hunk) { h.Frames[0].Sum = h.Frames[0].Sum[:15] },
		"block of no band":             func(h *pb.Hunk) { h.Blocks[0].Band = "../x" },
		"short block hash":             func(h *pb.Hunk) { h.Blocks[0].Sha256 = nil },
		"span of no frame":             func(h *pb.Hunk) { h.Entries[0].Spans[0].Frame = 1 },
		"span outside its frame":       func(h *pb.Hunk) { h.Entries[0].Spans[0].Offset = 151 },
		"span that wraps":              func(h *pb.Hunk) { h.Entries[0].Spans[0].Offset = math.MaxUint32 },
		"spans beyond the size":        func(h *pb.Hunk) { h.Entries[0].Size = 49 },
		"hole beyond the size":         func(h *pb.Hunk) { h.Entries[0].Spans[0].HoleBytes = math.MaxUint64 },
		"size beyond 63 bits":          func(h *pb.Hunk) { h.Entries[0].Size = 1 << 63 },
		"path that climbs":             func(h *pb.Hunk) { h.Entries[0].Path = []byte("../a") },
		"absolute path":                func(h *pb.Hunk) { h.Entries[0].Path = []byte("/a") },
		"paths out of order":           func(h *pb.Hunk) { h.Entries[0].Path = []byte("c") },
		"the same path twice":          func(h *pb.Hunk) { h.Entries[0].Path = []byte("b") },
		"link to what climbs":          func(h *pb.Hunk) { h.Entries[0].LinkTo = []byte("../../etc/passwd") },
		"owner that is not there":      func(h *pb.Hunk) { h.Entries[0].Owner = 1 },
		"mode with more than 12 bits":  func(h *pb.Hunk) { h.Entries[0].Mode = 0o10000 },
		"a second of more nanoseconds": func(h *pb.Hunk) { h.Entries[0].MtimeNanos = 1_000_000_000 },
		"kind 0":                       func(h *pb.Hunk) { h.Entries[0].Kind = 0 },
		"kind 8":                       func(h *pb.Hunk) { h.Entries[0].Kind = 8 },
		"short hash":                   func(h *pb.Hunk) { h.Entries[0].Sha256 = []byte{1} },
		"spans and span lists": func(h *pb.Hunk) {
			h.Entries[0].SpanLists = []*pb.SpanListRef{{Band: string(testBand), StoredBytes: 1, Sha256: make([]byte, 32)}}
		},
		"what stands ahead is behind":  func(h *pb.Hunk) { h.Before[0].FirstPath = []byte("a") },
		"what stands ahead is no band": func(h *pb.Hunk) { h.Before[0].Band = "" },
		"span list of no band": func(h *pb.Hunk) {
			h.Entries[0].Spans = nil
			h.Entries[0].SpanLists = []*pb.SpanListRef{{StoredBytes: 1, Sha256: make([]byte, 32), ContentBytes: 50}}
		},
	} {
		h := goodHunk()
		damage(h)
		raw, err := proto.Marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		var c *CorruptError
		if _, err := DecodeHunk(raw); !errors.As(err, &c) {
			t.Errorf("%s: %v", name, err)
		}
	}
	raw, _ := proto.Marshal(goodHunk())
	if _, err := DecodeHunk(raw); err != nil {
		t.Fatal("the hunk that the cases damage is itself refused:", err)
	}
}

func FuzzDecodeHunk(f *testing.F) {
	raw, _ := proto.Marshal(goodHunk())
	f.Add(raw)
	f.Add(raw[:len(raw)/2])
	f.Fuzz(func(t *testing.T, raw []byte) {
		h, err := DecodeHunk(raw)
		if err != nil {
			return
		}
		again, err := EncodeHunk(h)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := DecodeHunk(again); err != nil || len(got.Entries) != len(h.Entries) || len(got.Before) != len(h.Before) {
			t.Fatal(err)
		}
	})
}

func FuzzDecodeFence(f *testing.F) {
	raw, _ := EncodeFence([]HunkRef{{testBand, 0, 100, Hash{1}, 1, ""}, {testBand, 1, 100, Hash{1}, 1, "a"}})
	f.Add(raw)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if hunks, err := DecodeFence(raw); err == nil {
			if _, err := EncodeFence(hunks); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func FuzzDecodeSpanList(f *testing.F) {
	b := &Block{Band: testBand, StoredBytes: 1000, SHA256: Hash{1}}
	raw, _ := EncodeSpanList([]Span{{Frame: &Frame{b, 0, 10, 20, FrameSum{}}, Bytes: 20}})
	f.Add(raw)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if spans, err := DecodeSpanList(raw); err == nil {
			if _, err := EncodeSpanList(spans); err != nil {
				t.Fatal(err)
			}
		}
	})
}
