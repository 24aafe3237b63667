package archive_test

import (
	"bytes"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"dura/archive"
	"dura/archive/archivetest"
	"dura/archive/format"
	"dura/archive/storage/storagetest"
)

// deepTree has a thousand directories of a hundred files, in some 1,000 hunks and 100 fences.
func deepArchive(t testing.TB) *storagetest.Recorder {
	st := archivetest.NewArchive(t)
	tree := map[string]string{}
	for i := range 1000 {
		for j := range 10 {
			tree[fmt.Sprintf("d%03d/f%d", i, j)] = fmt.Sprintf("content of %d %d", i, j)
		}
	}
	archivetest.NewBand(t, archivetest.Band{
		Storage: st, ID: archivetest.BandID(0), HunkEntries: 20, FenceHunks: 10, FrameBytes: 64 << 10,
	}).Complete(archivetest.Tree(tree))
	return storagetest.NewRecorder(st)
}

func TestOneSmallFileCostsFiveReads(t *testing.T) {
	rec := deepArchive(t)
	a := open(t, rec, archive.Options{})
	s, err := a.FindBand(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	b, err := a.OpenBand(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if c := rec.Counts(); c.Reads != 2 || c.Lists != 1 {
		t.Errorf("an open band has cost %+v", c)
	}
	e, err := b.Lookup(t.Context(), "d777/f7")
	if err != nil {
		t.Fatal(err)
	}
	var got []byte
	for s, err := range a.Content(e.Entry).Segments(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, s.Data...)
	}
	if string(got) != "content of 777 7" {
		t.Errorf("%q", got)
	}
	if c := rec.Counts(); c.Reads != 5 || c.Lists != 1 || c.Stats != 0 { // DURA-ARCHIVE, tail, fence, hunk, frame
		t.Errorf("%+v\n%+v", c, rec.Log())
	}
}

func TestOneDirectoryCostsFiveReads(t *testing.T) {
	rec := deepArchive(t)
	most := 0
	for i := 0; i < 1000; i += 37 {
		rec.Reset()
		b := openBand(t, rec, 0, archive.Options{})
		found, err := collected(b.ReadDir(t.Context(), format.Path(fmt.Sprintf("d%03d", i)), ""))
		if err != nil || len(found) != 10 {
			t.Fatal(len(found), err)
		}
		most = max(most, rec.Counts().Reads)
	}
	if most > 6 { // six where the directory's entries span two fences
		t.Error(most)
	}
}

func TestAWalkReadsAhead(t *testing.T) {
	st := archivetest.NewArchive(t)
	archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0), HunkEntries: 10}).Complete(manyFiles(999))
	synctest.Test(t, func(t *testing.T) {
		b := openBand(t, storagetest.NewDelayed(st, storagetest.Delays{Latency: time.Second}), 0, archive.Options{})
		began := time.Now()
		if found, err := collected(b.Subtree(t.Context(), "")); err != nil || len(found) != 1000 {
			t.Fatal(len(found), err)
		}
		if took := time.Since(began); took > 25*time.Second { // a hundred hunks and a fence, a second each
			t.Error(took)
		}
	})
}

func TestALargeFileIsReadAheadInFewRequests(t *testing.T) {
	st := archivetest.NewArchive(t)
	content := noise(32 << 20)
	w := archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0), FrameBytes: 512 << 10, SpanBytes: 500 << 10, SpansInline: 16})
	w.Complete([]archivetest.Item{archivetest.Dir(""), archivetest.File("large", content)})
	synctest.Test(t, func(t *testing.T) {
		rec := storagetest.NewRecorder(st)
		b := openBand(t, storagetest.NewDelayed(rec, storagetest.Delays{Latency: time.Second}), 0, archive.Options{CacheBytes: 4 << 20})
		e, err := b.Lookup(t.Context(), "large")
		if err != nil {
			t.Fatal(err)
		}
		rec.Reset()
		began, at := time.Now(), int64(0)
		for s, err := range b.Archive().Content(e.Entry).Segments(t.Context()) {
			if err != nil || s.Start != at || s.SHA256 != format.SumBytes(s.Data) || !bytes.Equal(s.Data, content[at:at+s.Bytes]) {
				t.Fatal(s.Start, s.Bytes, err)
			}
			at = s.End()
		}
		if at != int64(len(content)) {
			t.Error(at)
		}
		// 66 frames, four to a request at the most, and five span lists.
		if c := rec.Counts(); c.Reads > 30 || c.ReadBytes > int64(len(content))+1<<20 {
			t.Errorf("%+v", c)
		}
		if took := time.Since(began); took > 15*time.Second {
			t.Error(took)
		}
	})
}

func TestALargeFileStreamsOverALongLine(t *testing.T) {
	st := archivetest.NewArchive(t)
	content := noise(64 << 20)
	w := archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0), FrameBytes: 1 << 20, SpanBytes: 1<<20 - 512})
	w.Complete([]archivetest.Item{archivetest.Dir(""), archivetest.File("large", content)})
	synctest.Test(t, func(t *testing.T) {
		line := storagetest.Delays{Latency: 50 * time.Millisecond, BytesPerSecond: 100_000_000}
		b := openBand(t, storagetest.NewDelayed(st, line), 0, archive.Options{})
		e, err := b.Lookup(t.Context(), "large")
		if err != nil {
			t.Fatal(err)
		}
		began, n := time.Now(), int64(0)
		for s, err := range b.Archive().Content(e.Entry).Segments(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			n += s.Bytes
		}
		if perSecond := float64(n) / time.Since(began).Seconds(); n != 64<<20 || perSecond < 90e6 {
			t.Errorf("%d bytes, %.0f a second", n, perSecond)
		}
	})
}

// noise is data that does not compress, the same each time.
func noise(n int) []byte {
	out := make([]byte, n)
	state := uint64(1)
	for i := range out {
		state = state*6364136223846793005 + 1442695040888963407
		out[i] = byte(state >> 56)
	}
	return out
}

func TestPrefetchJoinsNeighboursAndIsUsed(t *testing.T) {
	st := archivetest.NewArchive(t)
	items := []archivetest.Item{archivetest.Dir("")}
	for i := range 64 {
		items = append(items, archivetest.File(format.Path(fmt.Sprintf("f%02d", i)), noise(10_000+i)))
	}
	archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0), FrameBytes: 40_000}).Complete(items)
	rec := storagetest.NewRecorder(st)
	b := openBand(t, rec, 0, archive.Options{})
	found, err := collected(b.Subtree(t.Context(), ""))
	if err != nil {
		t.Fatal(err)
	}
	rec.Reset()
	var entries []*format.Entry
	for _, e := range found {
		entries = append(entries, e.Entry)
	}
	b.Archive().Prefetch(entries...)
	for _, e := range found[1:] {
		p := make([]byte, e.Size)
		if _, err := b.Archive().Content(e.Entry).ReadAt(t.Context(), p, 0); err != nil || format.SumBytes(p) != e.SHA256 {
			t.Error(e.Path, err)
		}
	}
	if c := rec.Counts(); c.Reads != 2 { // two blocks of sixteen frames and fewer
		t.Errorf("%+v", c)
	}
}

func TestPrefetchOfAnEntryBringsItsHunk(t *testing.T) {
	st := archivetest.NewArchive(t)
	archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0), HunkEntries: 10}).Complete(manyFiles(99))
	synctest.Test(t, func(t *testing.T) {
		rec := storagetest.NewRecorder(st)
		b := openBand(t, rec, 0, archive.Options{})
		rec.Reset()
		for range 3 { // the fence, then the hunk, then nothing
			b.Prefetch(55)
			synctest.Wait()
		}
		b.Prefetch(-1)
		b.Prefetch(100)
		if e, err := b.At(t.Context(), 57); err != nil || e.Path != "f000056" || rec.Counts().Reads != 2 {
			t.Error(e, err, rec.Counts())
		}
	})
}

func TestReadingFarMoreThanTheCachesHoldKeepsToThem(t *testing.T) {
	st := archivetest.NewArchive(t)
	items := []archivetest.Item{archivetest.Dir("")}
	for i := range 300 {
		items = append(items, archivetest.File(format.Path(fmt.Sprintf("f%03d", i)), noise(50_000+i)))
	}
	archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0), FrameBytes: 100_000, HunkEntries: 10, FenceHunks: 10}).Complete(items)
	b := openBand(t, st, 0, archive.Options{CacheBytes: 1 << 20, HunkCacheBytes: 20_000})
	for e, err := range b.Subtree(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		p := make([]byte, e.Size)
		if n, err := b.Archive().Content(e.Entry).ReadAt(t.Context(), p, 0); e.Kind == format.File && (err != nil || n != len(p)) {
			t.Fatal(e.Path, n, err)
		}
		frames, index := b.Archive().CacheStats()
		if frames.Bytes > 1<<20 || index.Bytes > 20_000 {
			t.Fatalf("%+v %+v", frames, index)
		}
	}
	if frames, index := b.Archive().CacheStats(); frames.Evicted == 0 || index.Evicted == 0 {
		t.Errorf("the load proves nothing: %+v %+v", frames, index)
	}
}
