package sim

import (
	"bytes"
	"crypto/sha256"
	"slices"

	"dura/archive/format"
)

// content is what a file holds: runs of data, and holes around them. It is never modified.
type content struct {
	size int64
	runs []dataRun // in order, apart from each other, none empty
}

type dataRun struct {
	start int64
	data  []byte
}

func (r *dataRun) end() int64 { return r.start + int64(len(r.data)) }

// solid is content without holes.
func solid(data []byte) *content {
	c := &content{size: int64(len(data))}
	if len(data) > 0 {
		c.runs = []dataRun{{0, data}}
	}
	return c
}

// read fills p with what lies at offset, holes as zeros, and says how much there was.
func (c *content) read(p []byte, offset int64) int {
	n := int(max(0, min(int64(len(p)), c.size-offset)))
	p = p[:n]
	clear(p)
	for i := range c.runs {
		r := &c.runs[i]
		from, to := max(r.start, offset), min(r.end(), offset+int64(n))
		if from < to {
			copy(p[from-offset:to-offset], r.data[from-r.start:])
		}
	}
	return n
}

// nextData is source.Content.NextData.
func (c *content) nextData(offset int64) (start, end int64) {
	for i := range c.runs {
		if r := &c.runs[i]; offset < r.end() {
			return max(offset, r.start), r.end()
		}
	}
	return c.size, c.size
}

// blocks is what it takes up, in units of 512 bytes.
func (c *content) blocks() (blocks int64) {
	for i := range c.runs {
		blocks += (int64(len(c.runs[i].data)) + 511) / 512
	}
	return blocks
}

// tellsHoles reports whether what it takes up hints at its holes.
func (c *content) tellsHoles() bool { return c.blocks()*512 < c.size }

// bytes is all of it, for content without large holes.
func (c *content) bytes() []byte {
	all := make([]byte, c.size)
	c.read(all, 0)
	return all
}

// sums are the hashes that an entry may have: of everything, or of the data alone.
func (c *content) sums(dataAlone bool) (whole, data format.Hash) {
	h := sha256.New()
	zeros := make([]byte, 64<<10)
	at := int64(0)
	hole := func(end int64) {
		for !dataAlone && at < end {
			n := min(int64(len(zeros)), end-at)
			h.Write(zeros[:n])
			at += n
		}
	}
	for i := range c.runs {
		hole(c.runs[i].start)
		h.Write(c.runs[i].data)
		at = c.runs[i].end()
	}
	hole(c.size)
	if dataAlone {
		return format.Hash{}, format.Hash(h.Sum(nil))
	}
	return format.Hash(h.Sum(nil)), format.Hash{}
}

// equal reports whether got reads as c does. With holes, and where what c takes up tells of them, they must be holes in got, too.
func (c *content) equal(got *content, holes bool) bool {
	if c.size != got.size {
		return false
	}
	if holes && c.tellsHoles() || c.size > 1<<30 {
		return slices.EqualFunc(c.runs, got.runs, func(a, b dataRun) bool { return a.start == b.start && bytes.Equal(a.data, b.data) })
	}
	return bytes.Equal(c.bytes(), got.bytes())
}

// add appends data at start, behind what there is; it joins a run that ends there.
func (c *content) add(start int64, data []byte) {
	if n := len(c.runs); n > 0 && c.runs[n-1].end() == start {
		c.runs[n-1].data = append(c.runs[n-1].data, data...)
	} else if len(data) > 0 {
		c.runs = append(c.runs, dataRun{start, slices.Clone(data)})
	}
	c.size = max(c.size, start+int64(len(data)))
}
