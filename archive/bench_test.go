package archive_test

import (
	"fmt"
	"testing"

	"dura/archive"
	"dura/archive/archivetest"
	"dura/archive/format"
)

// benchBand is a band of 10,000 files in hunks of 1,000.
func benchBand(b *testing.B, o archive.Options) *archive.Band {
	st := archivetest.NewArchive(b)
	items := []archivetest.Item{archivetest.Dir("")}
	for i := range 9999 {
		it := archivetest.File(format.Path(fmt.Sprintf("usr/share/some/directory/name-%06d", i)), []byte(fmt.Sprintf("content %d", i)))
		it.Device, it.Inode, it.MTime.Nanos = 65024, uint64(100_000+i), uint32(i)*1000
		items = append(items, it)
	}
	archivetest.NewBand(b, archivetest.Band{Storage: st, ID: archivetest.BandID(0), FrameBytes: 50_000}).Complete(items)
	return openBand(b, st, 0, o)
}

func perEntry(b *testing.B, entries int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(entries), "ns/entry")
}

// BenchmarkWalk reads, checks, decompresses and decodes every hunk, each time.
func BenchmarkWalk(b *testing.B) {
	band := benchBand(b, archive.Options{HunkCacheBytes: 1})
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range band.Subtree(b.Context(), "") {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	perEntry(b, 10_000)
}

func BenchmarkWalkCached(b *testing.B) {
	band := benchBand(b, archive.Options{})
	for b.Loop() {
		for _, err := range band.Subtree(b.Context(), "") {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	perEntry(b, 10_000)
	_, index := band.Archive().CacheStats()
	b.ReportMetric(float64(index.Bytes)/10_000, "bytes/entry")
}

func BenchmarkLookupCached(b *testing.B) {
	band := benchBand(b, archive.Options{})
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i = (i + 7919) % 9999
		if _, err := band.Lookup(b.Context(), format.Path(fmt.Sprintf("usr/share/some/directory/name-%06d", i))); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAtCached(b *testing.B) {
	band := benchBand(b, archive.Options{})
	b.ReportAllocs()
	i := int64(0)
	for b.Loop() {
		i = (i + 7919) % 10_000
		if _, err := band.At(b.Context(), i); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadSmallCached(b *testing.B) {
	band := benchBand(b, archive.Options{})
	e, err := band.At(b.Context(), 5000)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := band.Archive().Content(e.Entry).At(b.Context(), 0); err != nil {
			b.Fatal(err)
		}
	}
}
