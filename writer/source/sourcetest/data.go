package sourcetest

import (
	"encoding/binary"
	"math/rand/v2"
)

// Data is the content of a file.
type Data struct {
	Size int64
	Fill func(p []byte, offset int64) // fills p with what is at offset; nil: zeros
	Runs []Run                        // of data, in order; between them are holes. nil: all is data

	Err   error // reading fails with it,
	ErrAt int64 // from this offset on
}

// Run is a run of data.
type Run struct{ Start, End int64 }

// Bytes is content in memory.
func Bytes(content []byte) *Data {
	return &Data{Size: int64(len(content)), Fill: func(p []byte, offset int64) { copy(p, content[offset:]) }}
}

// Random is content that does not compress, made up as it is read: a function of seed.
func Random(seed uint64, size int64) *Data {
	return &Data{Size: size, Fill: func(p []byte, offset int64) { fillRandom(seed, p, offset) }}
}

// Holes is d with data in the given runs alone.
func (d *Data) Holes(runs ...Run) *Data {
	with := *d
	with.Runs = append([]Run{}, runs...)
	return &with
}

const randomBlock = 4096

func fillRandom(seed uint64, p []byte, offset int64) {
	var block [randomBlock]byte
	for len(p) > 0 {
		number := offset / randomBlock
		g := rand.NewPCG(seed, uint64(number))
		for i := 0; i < randomBlock; i += 8 {
			binary.LittleEndian.PutUint64(block[i:], g.Uint64())
		}
		n := copy(p, block[offset-number*randomBlock:])
		p, offset = p[n:], offset+int64(n)
	}
}

// runs are those of the data, also where none were given.
func (d *Data) runs() []Run {
	if d.Runs == nil && d.Size > 0 {
		return []Run{{0, d.Size}}
	}
	return d.Runs
}

func (d *Data) blocks() (blocks int64) {
	for _, r := range d.runs() {
		blocks += (r.End - r.Start + 511) / 512
	}
	return blocks
}

// read fills p, which lies within the data, with what is at offset.
func (d *Data) read(p []byte, offset int64) {
	clear(p)
	if d.Fill == nil {
		return
	}
	for _, r := range d.runs() {
		start, end := max(r.Start, offset), min(r.End, offset+int64(len(p)))
		if start < end {
			d.Fill(p[start-offset:end-offset], start)
		}
	}
}

// nextData is Content.NextData.
func (d *Data) nextData(offset int64) (start, end int64) {
	for _, r := range d.runs() {
		if offset < r.End {
			return max(offset, r.Start), min(r.End, d.Size)
		}
	}
	return d.Size, d.Size
}
