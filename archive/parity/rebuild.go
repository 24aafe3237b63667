package parity

import (
	"fmt"

	"github.com/klauspost/reedsolomon"
)

// Good reports whether slice is what the shard at this place has in this row.
func (g *Group) Good(place, row int, slice []byte) bool {
	s := g.Shard(place)
	start, end := SliceOf(row, s.StoredBytes)
	if int64(len(slice)) != end-start {
		return false
	}
	return start == end || SumSlice(slice) == s.Slices[row]
}

// RowError says of one row of slices that too many are bad.
type RowError struct {
	Row   int
	Bad   []int // places of the shards whose slice is missing or wrong
	Spare int   // how many bad ones the group makes up for
}

func (e *RowError) Error() string {
	return fmt.Sprintf("bytes %d to %d: %d slices are bad, and parity makes up for %d", int64(e.Row)*SliceBytes, int64(e.Row+1)*SliceBytes, len(e.Bad), e.Spare)
}

// Rebuilder rebuilds slices of a group.
type Rebuilder struct {
	group *Group
	code  reedsolomon.Encoder
}

// NewRebuilder makes one for a group, as a parity object describes it.
func NewRebuilder(g *Group) (*Rebuilder, error) {
	code, err := codeOf(g.Scheme)
	return &Rebuilder{g, code}, err
}

// Fill rebuilds slices of a row. Slices has one for each shard, by place, each known to be good, or nil; what is behind the end of an object is
// an empty slice. Those at the places that are wanted are rebuilt where they are nil, and no others. Where too many are nil the error is a *RowError.
// What was rebuilt is good, or the error is that the good ones were not.
func (r *Rebuilder) Fill(row int, slices [][]byte, wanted []int) error {
	g := r.group
	var bad, asked []int
	for i := range slices {
		if slices[i] == nil {
			bad = append(bad, i)
		}
	}
	for _, i := range wanted {
		if slices[i] == nil {
			asked = append(asked, i)
		}
	}
	switch {
	case len(asked) == 0:
		return nil
	case len(bad) > len(g.Parity):
		return &RowError{row, bad, len(g.Parity)}
	}
	places, required := r.places(row, slices, asked)
	if err := r.code.ReconstructSome(places, required); err != nil {
		return err
	}
	for _, i := range asked {
		start, end := SliceOf(row, g.Shard(i).StoredBytes)
		if slices[i] = places[r.placeInCode(i)][:end-start]; !g.Good(i, row, slices[i]) {
			slices[i] = nil
			return corrupt("%s is not what its group's members and their sums say", g.Shard(i).Name)
		}
	}
	return nil
}

// placeInCode is the place in the code of the shard at place i: places of members that a group could have had lie between.
func (r *Rebuilder) placeInCode(i int) int {
	if n := len(r.group.Members); i >= n {
		return r.group.Scheme.Members + i - n
	}
	return i
}

// places are the slices at their places in the code, padded with zeros to one length, and which of them are asked for.
func (r *Rebuilder) places(row int, slices [][]byte, bad []int) (places [][]byte, required []bool) {
	g := r.group
	start, end := SliceOf(row, g.ShardBytes)
	width := int(end - start)
	places = make([][]byte, g.Scheme.Members+g.Scheme.Parity)
	required = make([]bool, len(places))
	for _, i := range bad {
		required[r.placeInCode(i)] = true
	}
	nothing := make([]byte, width)
	for i := len(g.Members); i < g.Scheme.Members; i++ {
		places[i] = nothing
	}
	for i, slice := range slices {
		if at := r.placeInCode(i); slice != nil {
			if places[at] = slice; len(slice) < width {
				places[at] = append(make([]byte, 0, width), slice...)[:width]
			}
		}
	}
	return places, required
}
