package format

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/proto"

	"dura/archive/format/pb"
)

func newCodec(t testing.TB, level Compression) (*Encoder, *Decoder) {
	enc, err := NewEncoder(level)
	if err != nil {
		t.Fatal(err)
	}
	dec, err := NewDecoder(1)
	if err != nil {
		t.Fatal(err)
	}
	return enc, dec
}

// testBlock has two frames with a member each.
func testBlock(t testing.TB, level Compression) (object []byte, ref Block, want Footer) {
	enc, _ := newCodec(t, level)
	var b BlockBuilder
	want = Footer{Band: testBand, Number: 7}
	for i, path := range []Path{"a", "b"} {
		e := Entry{Path: path, Kind: File, Mode: 0o644}
		content := bytes.Repeat([]byte(path), 600)
		raw := append(AppendTarHeader(nil, &e, 600), content...)
		raw = append(raw, make([]byte, TarPadding(600))...)
		stored := enc.Append(nil, raw)
		m := Member{Path: path, Kind: File, Offset: 512, Bytes: 600, SHA256: SumBytes(content), Chunk: i == 1, Start: int64(i) * 600}
		offset := b.AddFrame(stored, uint32(len(raw)), SumFrame(stored), []Member{m})
		m.Frame = uint32(i)
		want.Members = append(want.Members, m)
		want.Frames = append(want.Frames, Frame{Offset: offset, StoredBytes: uint32(len(stored)), RawBytes: uint32(len(raw)), Sum: SumFrame(stored)})
	}
	parts, ref := b.Finish(testBand, 7, enc)
	return bytes.Join(parts, nil), ref, want
}

func TestBlocksAreTarsThatAnyZstdReads(t *testing.T) {
	for _, level := range []Compression{NoCompression, FastestCompression, DefaultCompression, BetterCompression} {
		object, ref, _ := testBlock(t, level)
		if ref.StoredBytes != int64(len(object)) || ref.SHA256 != SumBytes(object) || ref.Number != 7 {
			t.Fatalf("%+v", ref)
		}
		z, err := zstd.NewReader(bytes.NewReader(append(object, object...)))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		if len(raw) != 2*(2*1536+1024) || !bytes.Equal(raw[3072:4096], make([]byte, 1024)) || raw[512] != 'a' || raw[2048] != 'b' {
			t.Fatal(level, len(raw))
		}
	}
}

func TestFootersAreFoundFromTheEnd(t *testing.T) {
	object, _, want := testBlock(t, DefaultCompression)
	_, dec := newCodec(t, DefaultCompression)
	size := int64(len(object))
	tail := object[len(object)-seekEndBytes:]
	_, need, err := FindFooter(tail, size)
	if err != nil || need != 8+4*8+9 {
		t.Fatal(need, err)
	}
	extent, need, err := FindFooter(object[size-need:], size)
	if err != nil || need != 0 {
		t.Fatal(need, err)
	}
	got, err := DecodeFooter(object[extent.Offset:extent.Offset+extent.Bytes], dec)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v %v\nwant %+v", got, err, want)
	}
	for i, f := range got.Frames {
		f.Block = &Block{}
		if _, err := decodeChecked(dec, &f, object[f.Offset:f.Offset+int64(f.StoredBytes)]); err != nil {
			t.Fatal(i, err)
		}
	}
}

func FuzzFooter(f *testing.F) {
	object, _, _ := testBlock(f, DefaultCompression)
	f.Add(object)
	f.Add(object[len(object)-40:])
	f.Add(blockWithProgress(f, testProgress()))
	_, dec := newCodec(f, DefaultCompression)
	f.Fuzz(func(t *testing.T, object []byte) {
		extent, need, err := FindFooter(object, int64(len(object)))
		if err != nil || need > 0 {
			return
		}
		if extent.Offset < 0 || extent.Offset+extent.Bytes > int64(len(object)) {
			t.Fatalf("%+v of %d", extent, len(object))
		}
		footer, err := DecodeFooter(object[extent.Offset:extent.Offset+extent.Bytes], dec)
		if err == nil && len(footer.Members) > 0 && len(footer.Frames) == 0 {
			t.Fatal("members without frames")
		}
	})
}

// FuzzFooterMessage puts any message where a footer's is.
func FuzzFooterMessage(f *testing.F) {
	object, _, _ := testBlock(f, DefaultCompression)
	enc, dec := newCodec(f, DefaultCompression)
	extent, _, err := FindFooter(object, int64(len(object)))
	if err != nil {
		f.Fatal(err)
	}
	raw, err := dec.Decode("footer", object[extent.Offset+skippableHead:extent.Offset+extent.Bytes], MaxIndexBytes)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Fuzz(func(t *testing.T, raw []byte) {
		content := enc.Append(nil, raw)
		frame := binary.LittleEndian.AppendUint32(nil, footerMagic)
		frame = append(binary.LittleEndian.AppendUint32(frame, uint32(len(content))), content...)
		footer, err := DecodeFooter(frame, dec)
		if err != nil {
			return
		}
		for i, m := range footer.Members {
			if uint64(m.Offset)+uint64(m.Bytes) > uint64(footer.Frames[m.Frame].RawBytes) || !ValidPath(string(m.Path)) {
				t.Fatalf("member %d: %+v", i, m)
			}
		}
	})
}

func FuzzDecodeFrame(f *testing.F) {
	enc, dec := newCodec(f, DefaultCompression)
	f.Add(enc.Append(nil, []byte(strings.Repeat("hello ", 100))))
	f.Add(endFrame[:])
	f.Fuzz(func(t *testing.T, stored []byte) {
		raw, err := dec.Decode("frame", stored, 1<<16)
		if err == nil && len(raw) > 1<<16 {
			t.Fatal(len(raw))
		}
	})
}

func TestEveryLevelRoundTripsAndRepeats(t *testing.T) {
	inputs := [][]byte{nil, {1}, bytes.Repeat([]byte("abc"), 100_000), make([]byte, 128<<10), make([]byte, 128<<10+1), noise(300_000)}
	for _, level := range []Compression{NoCompression, FastestCompression, DefaultCompression, BetterCompression} {
		enc, dec := newCodec(t, level)
		for i, in := range inputs {
			one := enc.Append(nil, in)
			for _, other := range inputs {
				enc.Append(nil, other) // what came before must not show
			}
			two := enc.Append([]byte("x"), in)
			if !bytes.Equal(one, two[1:]) {
				t.Errorf("%s: input %d compresses in two ways", level, i)
			}
			if got, err := dec.Decode("frame", one, int64(len(in))); err != nil || !bytes.Equal(got, in) {
				t.Errorf("%s: input %d: %v", level, i, err)
			}
			if len(one) > len(in)+len(in)/1000+32 {
				t.Errorf("%s: input %d of %d bytes is stored in %d", level, i, len(in), len(one))
			}
		}
	}
}

// noise is data that does not compress, the same each time.
func noise(n int) []byte {
	var out []byte
	for i := uint64(0); len(out) < n; i++ {
		sum := SumBytes(binary.LittleEndian.AppendUint64(nil, i))
		out = append(out, sum[:]...)
	}
	return out[:n]
}

func TestBombsAreRefusedBeforeTheyAreUnpacked(t *testing.T) {
	enc, dec := newCodec(t, DefaultCompression)
	bomb := enc.Append(nil, make([]byte, 8<<20))
	allocated := testing.AllocsPerRun(1, func() {
		var c *CorruptError
		if _, err := dec.Decode("frame", bomb, 1000); !errors.As(err, &c) {
			t.Fatal(err)
		}
	})
	if allocated > 20 {
		t.Fatal("allocations:", allocated)
	}
	unsized, err := zstd.NewWriter(nil, zstd.WithSingleSegment(false))
	if err != nil {
		t.Fatal(err)
	}
	var stream bytes.Buffer
	unsized.Reset(&stream)
	unsized.Write(make([]byte, 1<<20))
	unsized.Flush()
	unsized.Write(make([]byte, 1<<20))
	unsized.Close()
	if _, err := dec.Decode("frame", stream.Bytes(), 4<<20); err == nil {
		t.Fatal("a frame that does not say its size passes")
	}
	lying := bytes.Clone(bomb)
	binary.LittleEndian.PutUint32(lying[5:], 100) // says 100 bytes
	if _, err := dec.Decode("frame", lying, 1000); err == nil {
		t.Fatal("a frame that holds more than it says passes")
	}
}

func TestDecodeFrameChecksTheSumFirst(t *testing.T) {
	enc, dec := newCodec(t, DefaultCompression)
	raw := []byte(strings.Repeat("hello ", 100))
	stored := enc.Append(nil, raw)
	f := Frame{StoredBytes: uint32(len(stored)), RawBytes: uint32(len(raw)), Sum: SumFrame(stored)}
	if got, err := decodeChecked(dec, &f, stored); err != nil || !bytes.Equal(got, raw) {
		t.Fatal(err)
	}
	for i := range stored {
		damaged := bytes.Clone(stored)
		damaged[i] ^= 1
		var m *MismatchError
		if _, err := decodeChecked(dec, &f, damaged); !errors.As(err, &m) {
			t.Fatal(i, err)
		}
	}
	if _, err := decodeChecked(dec, &f, stored[:len(stored)-1]); err == nil {
		t.Fatal("a truncated frame passes")
	}
}

func TestFootersAreThoseOfTheSchema(t *testing.T) {
	object, _, want := testBlock(t, DefaultCompression)
	_, dec := newCodec(t, DefaultCompression)
	extent, _, err := FindFooter(object, int64(len(object)))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := dec.Decode("footer", object[extent.Offset+skippableHead:extent.Offset+extent.Bytes], MaxIndexBytes)
	if err != nil {
		t.Fatal(err)
	}
	var m pb.Footer
	if err := proto.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	again, err := marshal(&m)
	if err != nil || !bytes.Equal(again, raw) || len(m.Members) != len(want.Members) {
		t.Fatalf("the generated code writes %x, %v\nhere it is %x", again, err, raw)
	}
}

func decodeChecked(dec *Decoder, f *Frame, stored []byte) ([]byte, error) {
	if err := CheckFrame(f, stored); err != nil {
		return nil, err
	}
	return dec.DecodeFrame(f, stored, nil)
}
