package archive_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"dura/archive"
	"dura/archive/archivetest"
	"dura/archive/format"
	"dura/archive/storage"
	"dura/archive/storage/memory"
	"dura/archive/storage/storagetest"
)

// someParts draws a file with holes, and gives its content as well.
func someParts(t *rapid.T) (parts []archivetest.Part, content []byte) {
	for range rapid.IntRange(0, 8).Draw(t, "parts") {
		p := archivetest.Part{HoleBytes: rapid.Int64Range(0, 300).Draw(t, "hole"), Data: noise(rapid.IntRange(0, 500).Draw(t, "data"))}
		parts = append(parts, p)
		content = append(append(content, make([]byte, p.HoleBytes)...), p.Data...)
	}
	return parts, content
}

// dataOf marks which bytes of a file are data.
func dataOf(parts []archivetest.Part) (isData []bool) {
	for _, p := range parts {
		isData = append(isData, make([]bool, p.HoleBytes)...)
		isData = append(isData, slices.Repeat([]bool{true}, len(p.Data))...)
	}
	return isData
}

func TestContentIsWhatWasStored(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		parts, content := someParts(rt)
		st := archivetest.NewArchive(t)
		item := archivetest.File("f", nil)
		item.Content = parts
		archivetest.NewBand(t, archivetest.Band{
			Storage: st, ID: archivetest.BandID(0), FrameBytes: rapid.IntRange(1, 2000).Draw(rt, "frame"), BlockFrames: rapid.IntRange(1, 4).Draw(rt, "block"),
			SpanBytes: rapid.IntRange(10, 600).Draw(rt, "span"), SpansInline: rapid.IntRange(1, 20).Draw(rt, "inline"),
		}).Complete([]archivetest.Item{archivetest.Dir(""), item})
		b := openBand(t, st, 0, archive.Options{CacheBytes: rapid.Int64Range(1, 5000).Draw(rt, "cache")})
		e, err := b.Lookup(t.Context(), "f")
		if err != nil {
			rt.Fatal(err)
		}
		c := b.Archive().Content(e.Entry)
		if c.Size() != int64(len(content)) {
			rt.Fatal(c.Size(), len(content))
		}
		checkSegments(rt, c, content, dataOf(parts))
		for range 10 {
			checkReadAt(rt, c, content)
			checkNextData(rt, c, dataOf(parts))
		}
	})
}

func checkSegments(t *rapid.T, c *archive.Content, content []byte, isData []bool) {
	at := int64(0)
	for s, err := range c.Segments(context.Background()) {
		if err != nil || s.Start < at || s.Bytes != int64(len(s.Data)) || s.Bytes == 0 {
			t.Fatal(s, err)
		}
		if slices.Contains(isData[at:s.Start], true) || slices.Contains(isData[s.Start:s.End()], false) || !bytes.Equal(s.Data, content[s.Start:s.End()]) {
			t.Fatalf("%d bytes at %d are wrong", s.Bytes, s.Start)
		}
		if !s.SHA256.IsZero() && s.SHA256 != format.SumBytes(s.Data) {
			t.Fatal("a segment with the hash of something else")
		}
		at = s.End()
	}
	if slices.Contains(isData[at:], true) {
		t.Fatal("it ends early, at", at)
	}
}

func checkReadAt(t *rapid.T, c *archive.Content, content []byte) {
	off := rapid.IntRange(0, len(content)+10).Draw(t, "off")
	p := bytes.Repeat([]byte{'?'}, rapid.IntRange(0, len(content)+10).Draw(t, "len"))
	n, err := c.ReadAt(context.Background(), p, int64(off))
	m, wantErr := bytes.NewReader(content).ReadAt(make([]byte, len(p)), int64(off))
	if off >= len(content) {
		m, wantErr = 0, io.EOF
	}
	if n != m || err != wantErr || !bytes.Equal(p[:n], content[min(off, len(content)):][:n]) {
		t.Fatal(off, len(p), n, err, m, wantErr)
	}
	s, err := c.At(context.Background(), int64(off))
	if off >= len(content) {
		if err != io.EOF {
			t.Fatal(err)
		}
		return
	}
	want := content[off : off+int(s.Bytes)]
	if err != nil || s.Start != int64(off) || s.Bytes == 0 || s.Data != nil && !bytes.Equal(s.Data, want) || s.Data == nil && !bytes.Equal(want, make([]byte, len(want))) {
		t.Fatal(s, err)
	}
}

func checkNextData(t *rapid.T, c *archive.Content, isData []bool) {
	off := rapid.IntRange(0, len(isData)).Draw(t, "data")
	start, end, err := c.NextData(context.Background(), int64(off))
	wantStart := len(isData)
	if i := slices.Index(isData[off:], true); i >= 0 {
		wantStart = off + i
	}
	wantEnd := len(isData)
	if i := slices.Index(isData[wantStart:], false); i >= 0 {
		wantEnd = wantStart + i
	}
	if err != nil || start != int64(wantStart) || end != int64(wantEnd) {
		t.Fatal(off, start, end, err, wantStart, wantEnd)
	}
}

// largeFile is a band with one file of twenty frames in one block.
func largeFile(t testing.TB) (*memory.Storage, []byte) {
	st := archivetest.NewArchive(t)
	content := noise(100_000)
	archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0), FrameBytes: 5000, SpanBytes: 5000, BlockFrames: 100, SpansInline: 7}).
		Complete([]archivetest.Item{archivetest.Dir(""), archivetest.File("large", content)})
	return st, content
}

func TestDamageToOneFrameCostsThatAlone(t *testing.T) {
	inner, content := largeFile(t)
	st := storagetest.NewDamaged(inner)
	block := format.BlockName(archivetest.BandID(0), 0)
	st.Flip(block, 8*52_000)
	b := openBand(t, st, 0, archive.Options{})
	e, err := b.Lookup(t.Context(), "large")
	if err != nil {
		t.Fatal(err)
	}
	c := b.Archive().Content(e.Entry)
	at, lost := int64(0), int64(0)
	for s, err := range c.Segments(t.Context()) {
		if s.Start != at {
			t.Fatal(s.Start, at)
		}
		at = s.End()
		if err == nil {
			if !bytes.Equal(s.Data, content[s.Start:s.End()]) {
				t.Error("wrong data at", s.Start)
			}
			continue
		}
		lost += s.Bytes
		if e := wantKind(t, err, archive.KindMismatch); e.Object != block || e.Path != "large" || e.Band != archivetest.BandID(0) {
			t.Errorf("%+v", e)
		}
	}
	if at != int64(len(content)) || lost != 5000 {
		t.Error(at, lost)
	}
	p := make([]byte, len(content))
	n, err := c.ReadAt(t.Context(), p, 0)
	wantKind(t, err, archive.KindMismatch)
	if n < 45_000 || n > 55_000 || !bytes.Equal(p[:n], content[:n]) {
		t.Error(n)
	}
}

func TestAFaultInAJoinedReadCostsNoMoreThanItsFrame(t *testing.T) {
	inner, content := largeFile(t)
	var bad atomic.Bool
	st := storagetest.NewFaulty(inner, func(op storagetest.Operation) error {
		const sector = 33_333
		if op.Op == storage.OpRead && op.OffsetBytes <= sector && op.OffsetBytes+op.Bytes > sector && op.Bytes < 1<<20 {
			bad.Store(true)
			return op.Error(storage.KindIO)
		}
		return nil
	})
	b := openBand(t, st, 0, archive.Options{})
	e, err := b.Lookup(t.Context(), "large")
	if err != nil {
		t.Fatal(err)
	}
	lost := int64(0)
	for s, err := range b.Archive().Content(e.Entry).Segments(t.Context()) {
		if err != nil {
			wantKind(t, err, archive.KindIO)
			lost += s.Bytes
		} else if !bytes.Equal(s.Data, content[s.Start:s.End()]) {
			t.Error("wrong data at", s.Start)
		}
	}
	if !bad.Load() || lost != 5000 {
		t.Error(bad.Load(), lost)
	}
}

func TestPrefetchBringsARangeInOneRequest(t *testing.T) {
	st, content := largeFile(t)
	synctest.Test(t, func(t *testing.T) {
		rec := storagetest.NewRecorder(st)
		b := openBand(t, rec, 0, archive.Options{})
		e, err := b.Lookup(t.Context(), "large")
		if err != nil {
			t.Fatal(err)
		}
		c := b.Archive().Content(e.Entry)
		rec.Reset()
		// The span list; then four frames, or those at once if the list comes before Prefetch has looked; then nothing.
		for _, want := range [][2]int{{1, 2}, {2, 2}, {2, 2}} {
			c.Prefetch(5000, 20_000)
			synctest.Wait()
			if got := rec.Counts().Reads; got < want[0] || got > want[1] {
				t.Errorf("%d reads, not %d", got, want)
			}
		}
		p := make([]byte, 20_000)
		if _, err := c.ReadAt(t.Context(), p, 5000); err != nil || !bytes.Equal(p, content[5000:25_000]) || rec.Counts().Reads != 2 {
			t.Error(err, rec.Counts())
		}
		c.Prefetch(-1, 10)
		c.Prefetch(1<<40, 10)
	})
}

func TestALostSpanListCostsItsPartOfTheFile(t *testing.T) {
	inner, content := largeFile(t)
	st := storagetest.NewDamaged(inner)
	st.Lose(format.SpansName(archivetest.BandID(0), 1))
	b := openBand(t, st, 0, archive.Options{})
	e, err := b.Lookup(t.Context(), "large")
	if err != nil {
		t.Fatal(err)
	}
	got, lost := int64(0), int64(0)
	for s, err := range b.Archive().Content(e.Entry).Segments(t.Context()) {
		if err == nil {
			got += s.Bytes
			continue
		}
		lost += s.Bytes
		if e := wantKind(t, err, archive.KindMissing); e.Path != "large" || e.Object != format.SpansName(archivetest.BandID(0), 1) {
			t.Errorf("%+v", e)
		}
	}
	if lost != 7*5000 || got+lost != int64(len(content)) {
		t.Error(got, lost)
	}
}

func TestContentThatIsNotStoredIsNoZeros(t *testing.T) {
	st := archivetest.NewArchive(t)
	lost := archivetest.File("lost", nil)
	lost.Size = 1000
	hole := archivetest.File("hole", nil)
	hole.Content = []archivetest.Part{{HoleBytes: 1000}}
	archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0)}).Complete([]archivetest.Item{archivetest.Dir(""), hole, lost})
	b := openBand(t, st, 0, archive.Options{})
	for path, kind := range map[format.Path]archive.Kind{"lost": archive.KindMissing, "": archive.KindNotAFile, "hole": -1} {
		e, err := b.Lookup(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		if path == "" {
			dir := *e.Entry
			dir.Size = 1000
			e.Entry = &dir
		}
		n, err := b.Archive().Content(e.Entry).ReadAt(t.Context(), make([]byte, 1000), 0)
		if kind >= 0 {
			wantKind(t, err, kind)
		} else if n != 1000 || err != nil {
			t.Error(n, err)
		}
	}
}

func TestAReaderMayLeave(t *testing.T) {
	st, _ := largeFile(t)
	b := openBand(t, st, 0, archive.Options{})
	e, err := b.Lookup(t.Context(), "large")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Archive().Content(e.Entry).ReadAt(ctx, make([]byte, 10), 0); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := b.Archive().Content(e.Entry).ReadAt(t.Context(), make([]byte, 10), -1); err == nil {
		t.Error("a negative offset passes")
	}
}
