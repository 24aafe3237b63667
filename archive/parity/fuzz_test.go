package parity

import (
	"bytes"
	"testing"
)

// FuzzObject takes the start of a parity object apart, with a label that fits: only the description can be wrong. What is accepted is
// written as it was read, unknown fields aside, and rebuilds or refuses without a panic.
func FuzzObject(f *testing.F) {
	for i, sizes := range [][]int{{1}, {100, 70_000, 0}, {0}, {5, 5, 5, 5}} {
		m := makeGroup(f, Scheme{4, 2}, uint64(i), sizes)
		l, err := DecodeLabel(m.objects[0][:LabelBytes])
		if err != nil {
			f.Fatal(err)
		}
		f.Add(m.objects[0][LabelBytes:l.ShardOffset()], int64(l.ShardBytes), 0)
	}
	f.Fuzz(func(t *testing.T, description []byte, shardBytes int64, place int) {
		l, err := DecodeLabel(encodeLabel(place, description, shardBytes))
		if err != nil {
			return
		}
		g, err := l.Describe(description)
		if err != nil {
			return
		}
		again, err := encodeGroup(g)
		if err != nil {
			t.Fatal(err)
		}
		h, err := decodeGroup(again)
		if err != nil {
			t.Fatal(err)
		}
		if third, _ := encodeGroup(h); !bytes.Equal(third, again) {
			t.Fatal("it changes as it is written")
		}
		r, err := NewRebuilder(g)
		if err != nil {
			t.Fatal(err)
		}
		for row := range min(slicesOf(g.ShardBytes), 3) {
			rebuildRow(r, int(row), make([][]byte, g.Shards()))
		}
	})
}
