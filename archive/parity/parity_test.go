package parity

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"dura/archive/format"
)

const testBand = format.BandID("2026-11-23-101500-4f2a9c")

// made is a group with everything it was made of: the stored shards by place.
type made struct {
	group   *Group
	shards  [][]byte
	objects [][]byte // parity objects as stored
}

type failer interface{ Fatal(...any) }

// makeGroup makes a group of objects of these sizes, added in pieces.
func makeGroup(t failer, s Scheme, seed uint64, sizes []int) made {
	e, err := NewEncoder(s)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	var m made
	for i, size := range sizes {
		object := make([]byte, size)
		random.Read(object)
		m.shards = append(m.shards, object)
		cut := int(seed % uint64(size+1))
		if err := e.Add(format.BlockName(testBand, uint64(i)), format.SumBytes(object), object[:cut], object[cut:]); err != nil {
			t.Fatal(err)
		}
	}
	group, shards := e.Close(testBand, 7)
	m.group = group
	m.shards = append(m.shards, shards...)
	objects, err := group.Objects(shards)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects {
		m.objects = append(m.objects, bytes.Join(o.Parts, nil))
	}
	return m
}

// row is a row of slices, of copies.
func (m *made) row(n int) [][]byte {
	row := make([][]byte, len(m.shards))
	for i, shard := range m.shards {
		start, end := SliceOf(n, int64(len(shard)))
		row[i] = bytes.Clone(shard[start:end])
		if row[i] == nil {
			row[i] = []byte{}
		}
	}
	return row
}

func drawGroup(t *rapid.T) made {
	s := Scheme{rapid.IntRange(1, 20).Draw(t, "k"), rapid.IntRange(1, 5).Draw(t, "m")}
	sizes := rapid.SliceOfN(rapid.OneOf(rapid.IntRange(0, 300), rapid.IntRange(0, 3*SliceBytes), rapid.Just(SliceBytes), rapid.Just(2*SliceBytes)), 1, s.Members).Draw(t, "sizes")
	return makeGroup(t, s, rapid.Uint64().Draw(t, "seed"), sizes)
}

// rebuildRow rebuilds what is bad in a row. Slices that are not good are replaced; where too many are bad, those that are good stay.
func rebuildRow(r *Rebuilder, row int, slices [][]byte) error {
	var bad []int
	for i := range slices {
		if !r.group.Good(i, row, slices[i]) {
			slices[i] = nil
			bad = append(bad, i)
		} else if slices[i] == nil {
			slices[i] = []byte{}
		}
	}
	return r.Fill(row, slices, bad)
}

// Whatever is damaged in a row, it is rebuilt as long as no more than the parity objects there are is bad; beyond that, what is bad is
// said, and what is good stays.
func TestRowsAreRebuiltUpToTheLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawGroup(t)
		r, err := NewRebuilder(m.group)
		if err != nil {
			t.Fatal(err)
		}
		rows := int(slicesOf(m.group.ShardBytes))
		for row := range rows {
			want, have := m.row(row), m.row(row)
			bad := rapid.SliceOfNDistinct(rapid.IntRange(0, len(have)-1), 0, len(have), func(i int) int { return i }).Draw(t, "bad")
			var really []int
			for _, i := range bad {
				if damage(t, &have[i]) {
					really = append(really, i)
				}
			}
			err := rebuildRow(r, row, have)
			var tooMany *RowError
			if len(really) > len(m.group.Parity) {
				slices.Sort(really)
				if !errors.As(err, &tooMany) || !slices.Equal(tooMany.Bad, really) || tooMany.Spare != len(m.group.Parity) || tooMany.Row != row {
					t.Fatal(err, really)
				}
				for i := range have {
					if !slices.Contains(really, i) && !bytes.Equal(have[i], want[i]) {
						t.Fatal("a good slice changed", i)
					}
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			for i := range have {
				if !bytes.Equal(have[i], want[i]) {
					t.Fatal("row", row, "shard", i)
				}
			}
		}
	})
}

// damage makes a slice bad in one way, and reports whether that is possible.
func damage(t *rapid.T, slice *[]byte) bool {
	s := *slice
	switch rapid.IntRange(0, 3).Draw(t, "how") {
	case 0:
		*slice = nil
		return len(s) > 0
	case 1:
		if len(s) == 0 {
			return false
		}
		s[rapid.IntRange(0, len(s)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
	case 2:
		*slice = append(s, 0)
	case 3:
		if len(s) == 0 {
			return false
		}
		*slice = s[:len(s)-1]
	}
	return true
}

// Each parity object tells all of its group, and its shard, from either end.
func TestEachObjectStandsAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawGroup(t)
		if len(m.objects) != m.group.Scheme.For(len(m.group.Members)) {
			t.Fatal(len(m.objects), m.group.Scheme, len(m.group.Members))
		}
		for i, object := range m.objects {
			for _, end := range []int{0, len(object) - LabelBytes} {
				l, err := DecodeLabel(object[end:][:LabelBytes])
				if err != nil || l.Place != i || l.ObjectBytes() != int64(len(object)) {
					t.Fatal(l, err, len(object))
				}
				description := object[LabelBytes:][:l.DescriptionBytes]
				if end > 0 {
					description = object[int64(end)-l.DescriptionBytes:][:l.DescriptionBytes]
				}
				g, err := l.Describe(description)
				if err != nil {
					t.Fatal(err)
				}
				for j := range g.Shards() {
					if got, want := g.Shard(j), m.group.Shard(j); got.Name != want.Name || got.StoredBytes != want.StoredBytes ||
						got.SHA256 != want.SHA256 || !slices.Equal(got.Slices, want.Slices) {
						t.Fatal(got, want)
					}
				}
				if shard := object[l.ShardOffset():][:l.ShardBytes]; !bytes.Equal(shard, m.shards[len(g.Members)+i]) {
					t.Fatal("another shard")
				}
			}
		}
	})
}

// A bit flipped anywhere in label or description is found.
func TestDamageToADescriptionIsFound(t *testing.T) {
	m := makeGroup(t, Scheme{4, 2}, 1, []int{100, 70_000, 0})
	l, err := DecodeLabel(m.objects[0][:LabelBytes])
	if err != nil {
		t.Fatal(err)
	}
	for bit := range int(l.ShardOffset()) * 8 {
		start := bytes.Clone(m.objects[0][:l.ShardOffset()])
		start[bit/8] ^= 1 << (bit % 8)
		got, err := DecodeLabel(start[:LabelBytes])
		if err != nil {
			continue
		}
		if got.DescriptionBytes == l.DescriptionBytes {
			_, err = got.Describe(start[LabelBytes:])
		} else {
			_, err = got.Describe(append(start, make([]byte, max(0, got.DescriptionBytes-l.DescriptionBytes)%1000)...))
		}
		if err == nil {
			t.Fatal("bit", bit)
		}
	}
}

// The encoder's memory is the parity shards, used again for the next group.
func TestShardsAreUsedAgain(t *testing.T) {
	e, _ := NewEncoder(Scheme{3, 2})
	object := bytes.Repeat([]byte("parity"), 1000)
	var first [][]byte
	for range 3 {
		if err := e.Add(format.BlockName(testBand, 0), format.SumBytes(object), object); err != nil {
			t.Fatal(err)
		}
		g, shards := e.Close(testBand, 0)
		again := make([][]byte, len(shards))
		for i := range shards {
			again[i] = bytes.Clone(shards[i])
		}
		if first == nil {
			first = again
		}
		if !slices.EqualFunc(first, again, bytes.Equal) || len(g.Parity) != 1 {
			t.Fatal("what was in the shards shows")
		}
		for i := range shards {
			shards[i][0] ^= 0xff
		}
		e.Recycle(shards)
	}
}

func TestSchemes(t *testing.T) {
	for text, want := range map[string]Scheme{"": {}, "none": {}, "16+2": {16, 2}, "1+1": {1, 1}, "250+6": {250, 6}} {
		if s, err := ParseScheme(text); err != nil || s != want {
			t.Error(text, s, err)
		}
	}
	for _, text := range []string{"0+1", "1+0", "16", "16+", "+2", "016+2", "16+2 ", "250+7", "-1+2", "65536+1", "nothing"} {
		if s, err := ParseScheme(text); err == nil {
			t.Error(text, s)
		}
	}
	for members, want := range map[int]int{1: 1, 8: 1, 9: 2, 16: 2} {
		if got := (Scheme{16, 2}).For(members); got != want {
			t.Error(members, got)
		}
	}
	if n := NextGroup(Index, []uint64{0, 1, 4}); n != 3 {
		t.Error(n)
	}
	if n := NextGroup(Contents, []uint64{1, 4, 3}); n != 6 {
		t.Error(n)
	}
}
