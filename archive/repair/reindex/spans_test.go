package reindex

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"dura/archive/format"
)

// Whatever of a file the blocks hold, and the other band the rest, one of the answers is what it was: chunks that were stored again may be meant by either place.
func TestSpansOfAPartAreFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		block := func(id format.BandID) *format.Frame {
			return &format.Frame{Block: &format.Block{Band: id, Number: 3}, Offset: 77}
		}
		mine, others := block(own), block(parent)
		var want, also []format.Span
		var chunks, again []chunk
		latest := rapid.Bool().Draw(t, "the latest is meant")
		var at int64
		start := int64(rapid.IntRange(0, 5).Draw(t, "lists ahead")) * 1000
		for i := range rapid.IntRange(1, 30).Draw(t, "chunks") {
			hole := int64(rapid.SampledFrom([]int{0, 0, 0, 5}).Draw(t, "hole"))
			bytes := uint32(rapid.IntRange(1, 20).Draw(t, "bytes"))
			span := format.Span{Offset: uint32(100 * i), Bytes: bytes, HoleBytes: hole, SHA256: format.Hash{byte(i), 1}}
			at += hole
			inMine := rapid.Bool().Draw(t, "mine")
			if other := span; !inMine || rapid.Bool().Draw(t, "in both") {
				other.Frame = others
				other.HoleBytes += at - hole - endOf(also)
				also = append(also, other)
			}
			if span.Frame = others; inMine {
				span.Frame = mine
				first := chunk{start + at, Content{mine, span.Offset, bytes, span.SHA256}, false}
				chunks = append(chunks, first)
				if rapid.Bool().Draw(t, "again") {
					first.Offset++
					again = append(again, first)
					if latest {
						span.Offset++
					}
				}
			}
			want = append(want, span)
			at += int64(bytes)
		}
		if len(also) > 0 {
			also[0].HoleBytes += start
		}
		b := NewBlocks([]Range{Only("d/f")})
		if all := slices.Concat(chunks, again); len(all) > 0 {
			b.own["d/f"] = &seen{kind: format.File, chunks: all}
		}
		part := Part{start, start + at}
		if !slices.ContainsFunc(b.Spans("d/f", part, also), func(got []format.Span) bool { return slices.EqualFunc(got, want, sameSpan) }) {
			t.Fatalf("%+v\nnot %+v", b.Spans("d/f", part, also), want)
		}
	})
}

func endOf(spans []format.Span) (end int64) {
	for i := range spans {
		end += spans[i].HoleBytes + int64(spans[i].Bytes)
	}
	return end
}

func TestTheRangeOfOnePathHasThatAlone(t *testing.T) {
	r := Only("d/f")
	for p, want := range map[format.Path]bool{"d/f": true, "d/e": false, "d/f0": false, "d/f-": false, "d/f/x": false, "d": false, "e": false, "": false} {
		if r.Has(p) != want {
			t.Error(p)
		}
	}
}
