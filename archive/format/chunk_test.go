package format

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func chunkLengths(c *Chunker, data []byte) []int {
	var lengths []int
	for len(data) > 0 {
		n := c.Cut(data[:min(len(data), c.MaxBytes())])
		lengths = append(lengths, n)
		data = data[n:]
	}
	return lengths
}

func smallChunker() *Chunker {
	return NewChunker(Settings{ChunkMinBytes: 64, ChunkMeanBytes: 256, ChunkMaxBytes: 1024}, nil)
}

// The boundaries are part of the format: a change to these numbers makes every old chunk a new one.
func TestChunkBoundariesAreThoseOfTheFormat(t *testing.T) {
	if got, want := fmt.Sprint(chunkLengths(smallChunker(), noise(4000))), goldenSmallChunks; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	former := Settings{ChunkMinBytes: 256 << 10, ChunkMeanBytes: 512 << 10, ChunkMaxBytes: 2 << 20} // of archives made before 2026-11-26
	for _, c := range []struct {
		settings Settings
		want     string
	}{{DefaultSettings(), goldenDefaultChunks}, {former, goldenFormerChunks}} {
		if got := fmt.Sprint(chunkLengths(NewChunker(c.settings, nil), noise(8<<20))); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestChunksKeepTheirBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.SliceOfN(rapid.Byte(), 0, 5000).Draw(t, "data")
		c := smallChunker()
		total := 0
		lengths := chunkLengths(c, data)
		for i, n := range lengths {
			if n > 1024 || n < 64 && i < len(lengths)-1 {
				t.Fatal(lengths)
			}
			total += n
		}
		if total != len(data) {
			t.Fatal(total, len(data))
		}
	})
}

func TestAnInsertedByteMovesOnlyTheChunksNearIt(t *testing.T) {
	data := noise(1 << 20)
	c := smallChunker()
	chunks := func(data []byte) map[string]bool {
		set := map[string]bool{}
		for _, n := range chunkLengths(c, data) {
			set[string(data[:n])] = true
			data = data[n:]
		}
		return set
	}
	before := chunks(data)
	fresh := 0
	for chunk := range chunks(slices.Concat([]byte{'x'}, data)) {
		if !before[chunk] {
			fresh++
		}
	}
	if fresh > 20 {
		t.Fatalf("%d of %d chunks are new", fresh, len(before))
	}
}

func TestMeanChunkIsNearItsSetting(t *testing.T) {
	n := len(chunkLengths(smallChunker(), noise(1<<20)))
	if mean := (1 << 20) / n; mean < 200 || mean > 400 {
		t.Fatal(mean)
	}
}

func BenchmarkChunker(b *testing.B) {
	data := noise(16 << 20)
	c := NewChunker(DefaultSettings(), nil)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		chunkLengths(c, data)
	}
}

func BenchmarkDecodeHunk(b *testing.B) {
	block := &Block{Band: testBand, StoredBytes: 16 << 20, SHA256: Hash{1}}
	var entries []Entry
	for i := range 1000 {
		f := &Frame{block, int64(i/50) << 18, 1 << 18, 1 << 20, FrameSum{}}
		entries = append(entries, Entry{
			Path: Path(fmt.Sprintf("usr/share/some/directory/name-%06d", i)), Kind: File, Mode: 0o644, Owner: Owner{0, 0, "root", "root"},
			MTime: Time{1700000000, uint32(i)}, CTime: Time{1700000000, uint32(i)}, Size: 4000, SHA256: SumBytes([]byte{byte(i)}),
			Spans: []Span{{Frame: f, Offset: uint32(i%50) * 5000, Bytes: 4000}}, Device: 65024, Inode: uint64(100000 + i),
		})
	}
	raw, err := EncodeHunk(Hunk{Entries: entries})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeHunk(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func TestSumsRoundTrip(t *testing.T) {
	text := AppendSum(nil, HeadName(testBand), Hash{1})
	text = AppendSum(text, BlockName(testBand, 3), Hash{2})
	sums, err := DecodeSums(text)
	if err != nil || len(sums) != 2 || sums[1] != (Sum{BlockName(testBand, 3), Hash{2}}) {
		t.Fatal(sums, err)
	}
	for _, bad := range [][]byte{[]byte("x"), text[1:], bytes.ReplaceAll(text, []byte("  "), []byte(" "))} {
		if _, err := DecodeSums(bad); err == nil {
			t.Errorf("%q passes", bad)
		}
	}
}

func TestAlarmsRoundTrip(t *testing.T) {
	in := []StoredAlarm{{"source", "denied", "/x\xff", "open: permission denied\xff"}}
	raw, err := EncodeAlarms(in, 3)
	if err != nil {
		t.Fatal(err)
	}
	got, dropped, err := DecodeAlarms(raw)
	if err != nil || dropped != 3 || len(got) != 1 || got[0].Filename != "/x\xff" || got[0].Message != "open: permission denied\uFFFD" {
		t.Fatal(got, dropped, err)
	}
}

func FuzzDecodeAlarms(f *testing.F) {
	raw, err := EncodeAlarms([]StoredAlarm{{"source", "denied", "/x\xff", "why"}, {}}, 3)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add(raw[:len(raw)-3])
	f.Fuzz(func(t *testing.T, raw []byte) {
		alarms, dropped, err := DecodeAlarms(raw)
		if err != nil {
			return
		}
		again, err := EncodeAlarms(alarms, dropped)
		if err != nil {
			t.Fatal(err)
		}
		if got, n, err := DecodeAlarms(again); err != nil || n != dropped || !slices.Equal(got, alarms) {
			t.Fatal(got, n, err)
		}
	})
}

func FuzzDecodeSums(f *testing.F) {
	f.Add(AppendSum(AppendSum(nil, HeadName(testBand), Hash{1}), BlockName(testBand, 3), Hash{2}))
	f.Add([]byte("x  y\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		sums, err := DecodeSums(text)
		if err != nil {
			return
		}
		var again []byte
		for _, s := range sums {
			again = AppendSum(again, s.Object, s.SHA256)
		}
		if got, err := DecodeSums(again); err != nil || !slices.Equal(got, sums) {
			t.Fatal(got, err)
		}
	})
}
