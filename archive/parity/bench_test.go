package parity

import (
	"testing"

	"dura/archive/format"
)

// BenchmarkAdd is what the parity of a block costs beyond storing it, sums of slices included.
func BenchmarkAdd(b *testing.B) {
	e, err := NewEncoder(Scheme{16, 2})
	if err != nil {
		b.Fatal(err)
	}
	block := make([]byte, 8<<20)
	for i := range block {
		block[i] = byte(i * i >> 3)
	}
	name, sum := format.BlockName(testBand, 0), format.SumBytes(block)
	b.SetBytes(int64(len(block)))
	for b.Loop() {
		if err := e.Add(name, sum, block[:1<<20], block[1<<20:5<<20], block[5<<20:]); err != nil {
			b.Fatal(err)
		}
		if e.Full() {
			_, shards := e.Close(testBand, 0)
			e.Recycle(shards)
		}
	}
}
