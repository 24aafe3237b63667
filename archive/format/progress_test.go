package format

import (
	"bytes"
	"crypto/sha256"
	"encoding"
	"errors"
	"math"
	"reflect"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"dura/archive/format/pb"
)

func testProgress() *Progress {
	return &Progress{
		Path: "a/large", Device: 1, Inode: 2, Size: 1 << 40, MTime: Time{-5, 7}, CTime: Time{1 << 40, 999_999_999}, End: 1 << 20,
		Hash: HashState{Bytes: 130, Chain: Hash{9}, Pending: []byte{1, 2}}, SpanLists: []uint64{3, 9},
		Blocks: []Block{{Band: testBand, Number: 4, StoredBytes: 1000, SHA256: Hash{1}}},
	}
}

func blockWithProgress(t testing.TB, p *Progress) []byte {
	enc, _ := newCodec(t, DefaultCompression)
	var b BlockBuilder
	stored := enc.Append(nil, make([]byte, 1024))
	b.AddFrame(stored, 1024, SumFrame(stored), []Member{{Path: p.Path, Kind: File, Offset: 512, Bytes: 512, Chunk: true}})
	b.SetProgress(p)
	parts, _ := b.Finish(testBand, 7, enc)
	return bytes.Join(parts, nil)
}

func footerOf(t testing.TB, object []byte) (Footer, error) {
	_, dec := newCodec(t, DefaultCompression)
	extent, _, err := FindFooter(object, int64(len(object)))
	if err != nil {
		t.Fatal(err)
	}
	return DecodeFooter(object[extent.Offset:extent.Offset+extent.Bytes], dec)
}

func TestProgressIsInTheFooter(t *testing.T) {
	want := testProgress()
	footer, err := footerOf(t, blockWithProgress(t, want))
	if err != nil || !reflect.DeepEqual(footer.Progress, want) {
		t.Fatalf("%+v, %v\nwant %+v", footer.Progress, err, want)
	}
}

func TestProgressThatCantBeIsRefused(t *testing.T) {
	for name, damage := range map[string]func(*pb.Progress){
		"path that climbs":           func(p *pb.Progress) { p.Path = []byte("../a") },
		"end beyond the size":        func(p *pb.Progress) { p.End = p.Size + 1 },
		"more hashed than there is":  func(p *pb.Progress) { p.HashedBytes = p.Size + 64 },
		"more hashed than 63 bits":   func(p *pb.Progress) { p.HashedBytes = math.MaxUint64 - 61 },
		"short chain":                func(p *pb.Progress) { p.Chain = p.Chain[1:] },
		"too little pending":         func(p *pb.Progress) { p.Pending = nil },
		"too much pending":           func(p *pb.Progress) { p.Pending = make([]byte, 64+2) },
		"a block of no band":         func(p *pb.Progress) { p.Blocks[0].Band = "x" },
		"more blocks than are given": func(p *pb.Progress) { p.Blocks = append(p.Blocks, make([]*pb.Block, MaxProgressBlocks)...) },
		"a second of more nanos":     func(p *pb.Progress) { p.MtimeNanos = 1e9 },
	} {
		var m pb.Progress
		if err := proto.Unmarshal(testProgress().encode(), &m); err != nil {
			t.Fatal(err)
		}
		damage(&m)
		for i, b := range m.Blocks {
			if b == nil {
				m.Blocks[i] = m.Blocks[0]
			}
		}
		var c *CorruptError
		if _, err := progressFromPB(&m); !errors.As(err, &c) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestProgressIsBounded(t *testing.T) {
	p := testProgress()
	p.SpanLists = make([]uint64, 2<<20)
	if _, err := footerOf(t, blockWithProgress(t, p)); err == nil {
		t.Fatal("progress of 2 MiB passes")
	}
}

func TestProgressIsOfTheFileItWasTakenOf(t *testing.T) {
	p := testProgress()
	e := Entry{Path: p.Path, Kind: File, Device: p.Device, Inode: p.Inode, Size: p.Size, MTime: p.MTime, CTime: p.CTime}
	if !p.Of(&e) {
		t.Fatal("not of its own file")
	}
	for name, change := range map[string]func(*Entry){
		"path": func(e *Entry) { e.Path = "b" }, "kind": func(e *Entry) { e.Kind = FIFO }, "device": func(e *Entry) { e.Device++ },
		"inode": func(e *Entry) { e.Inode++ }, "size": func(e *Entry) { e.Size++ }, "mtime": func(e *Entry) { e.MTime.Nanos++ },
		"ctime": func(e *Entry) { e.CTime.Seconds++ },
	} {
		changed := e
		change(&changed)
		if p.Of(&changed) {
			t.Error("of a file with another", name)
		}
	}
}

func TestHashesGoOnFromTheirState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "data")
		at := rapid.IntRange(0, len(data)).Draw(t, "at")
		h := sha256.New()
		h.Write(data[:at])
		state, err := StateOf(h.(encoding.BinaryMarshaler))
		if err != nil || state.Bytes != int64(at) || len(state.Pending) != at%64 {
			t.Fatalf("%+v, %v", state, err)
		}
		again := sha256.New()
		if err := state.Restore(again.(encoding.BinaryUnmarshaler)); err != nil {
			t.Fatal(err)
		}
		again.Write(data[at:])
		if Hash(again.Sum(nil)) != sha256.Sum256(data) {
			t.Fatal("another hash")
		}
	})
}
