package dedup

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"dura/archive/format"
)

const benchBand = format.BandID("2026-11-23-101500-4f2a9c")

// fill collects contents from..to-1, in span lists of 1,024.
func fill(b testing.TB, x *Index, from, to int) {
	spans := make([]format.Span, 0, 1024)
	for n := from; n < to; n++ {
		spans = append(spans, format.Span{Bytes: 1, SHA256: hashOf(n)})
		if len(spans) == cap(spans) || n == to-1 {
			if err := x.AddSpans(benchBand, uint64(n/1024), spans); err != nil {
				b.Fatal(err)
			}
			spans = spans[:0]
		}
	}
}

func openBench(b *testing.B) *Index {
	b.Helper()
	x, err := Open(b.TempDir(), "bench", Options{Damaged: func(e *DamageError) { b.Error(e) }})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { x.Close() })
	return x
}

// openSegments opens an index of segments of these sizes, of the contents from 0 on.
func openSegments(b *testing.B, sizes []int) *Index {
	x, from := openBench(b), 0
	for _, n := range sizes {
		y := openBench(b) // in a directory of its own, so that none is merged with another
		fill(b, y, from, from+n)
		if err := y.Commit(); err != nil {
			b.Fatal(err)
		}
		for _, s := range y.segments {
			if err := os.Rename(s.path, filepath.Join(x.dir, filepath.Base(s.path))); err != nil {
				b.Fatal(err)
			}
		}
		from += n
	}
	if err := x.refresh(); err != nil {
		b.Fatal(err)
	}
	slices.SortFunc(x.segments, func(a, b *segment) int { return cmp.Compare(b.records, a.records) })
	return x
}

// findByRead does what Find does, but reads the page of each segment instead of mapping it.
func findByRead(b *testing.B, x *Index, sum format.Hash, buf *[pageBytes]byte) bool {
	k := keyOf(sum)
	for _, s := range slices.Backward(x.segments) {
		first, last := s.pagesFor(k.high)
		for n := last; n >= first; n-- {
			if _, err := s.file.ReadAt(buf[:], int64(n)*pageBytes); err != nil || !page(buf[:]).intact(uint32(n)) {
				b.Fatal(err)
			}
			records := int(min(s.records-int64(n)*pageRecords, pageRecords))
			if _, found := page(buf[:]).find(k, records, s.guess(n, records, k.high)); found {
				return true
			}
		}
	}
	return false
}

// BenchmarkFind looks content up in an index of 10 million records: in one segment, and in as many as plan lets there be. The
// one that most of them are in comes last. "read" is how fast it would be without mapping.
func BenchmarkFind(b *testing.B) {
	for _, sizes := range [][]int{{10_000_000}, {7_610_000, 1_850_000, 450_000, 100_000}} {
		x := openSegments(b, sizes)
		records := int(x.Stats().Records)
		for _, missing := range []bool{false, true} {
			sums := make([]format.Hash, 1<<20)
			for i := range sums {
				if sums[i] = hashOf(rand.IntN(sizes[0])); missing {
					sums[i] = hashOf(records + i)
				}
			}
			check := func(b *testing.B, found bool) {
				if found == missing {
					b.Errorf("found: %v", found)
				}
			}
			find := func(b *testing.B, sum format.Hash) {
				found := false
				for range x.Find(sum) {
					found = true
					break
				}
				check(b, found)
			}
			name := fmt.Sprintf("segments=%d/missing=%v", len(sizes), missing)
			b.Run(name, func(b *testing.B) {
				for i := 0; b.Loop(); i++ {
					find(b, sums[i%len(sums)])
				}
			})
			b.Run(name+"/parallel", func(b *testing.B) {
				b.RunParallel(func(pb *testing.PB) {
					for i := rand.IntN(len(sums)); pb.Next(); i++ {
						find(b, sums[i%len(sums)])
					}
				})
			})
			b.Run(name+"/read", func(b *testing.B) {
				buf := new([pageBytes]byte)
				for i := 0; b.Loop(); i++ {
					check(b, findByRead(b, x, sums[i%len(sums)], buf))
				}
			})
		}
	}
}

// BenchmarkRebuild collects and commits a million records.
func BenchmarkRebuild(b *testing.B) {
	spans := make([]format.Span, 1<<20)
	for i := range spans {
		spans[i] = format.Span{Bytes: 1, SHA256: hashOf(i)}
	}
	for b.Loop() {
		x := openBench(b)
		for i := 0; i < len(spans); i += 1024 {
			if err := x.AddSpans(benchBand, uint64(i), spans[i:i+1024]); err != nil {
				b.Fatal(err)
			}
		}
		if err := x.Commit(); err != nil {
			b.Fatal(err)
		}
	}
}
