package writer

import (
	"crypto/sha256"
	"encoding"
	"hash"

	"dura/archive/format"
	"dura/writer/source"
)

// run is a run of data in a file with holes.
type run struct{ start, end int64 }

// dataRuns lists the runs of data among the first size bytes of a file.
func dataRuns(content source.Content, size int64) ([]run, error) {
	var runs []run
	for at := int64(0); at < size; {
		start, end, err := content.NextData(at)
		if err != nil {
			return nil, err
		}
		end = min(end, size)
		if start >= end || start < at {
			break
		}
		runs = append(runs, run{start, end})
		at = end
	}
	return runs, nil
}

// seekData goes to the start of a run of data.
func seekData(content source.Content, start int64) error {
	found, _, err := content.NextData(start)
	if err == nil && found != start {
		err = source.ErrChanged
	}
	return err
}

// zeros is what a hole reads as.
var zeros [32 << 10]byte

// contentSum hashes the content of a file with holes as the entry wants it: with the holes as zeros up to
// format.MaxHashedHoles of them, without them beyond.
type contentSum struct {
	hash  hash.Hash
	zeros bool  // holes count as zeros
	at    int64 // hashed up to here
}

func newContentSum(size int64, runs []run) *contentSum {
	holes := size
	for _, r := range runs {
		holes -= r.end - r.start
	}
	return &contentSum{hash: sha256.New(), zeros: holes <= format.MaxHashedHoles}
}

// data takes the data at start, which is at or behind what was taken before.
func (c *contentSum) data(start int64, data []byte) {
	c.hole(start)
	c.hash.Write(data)
	c.at += int64(len(data))
}

// state is that of the hash.
func (c *contentSum) state() (*format.HashState, error) {
	s, err := format.StateOf(c.hash.(encoding.BinaryMarshaler))
	return &s, err
}

// goOn takes up the hash of content up to end.
func (c *contentSum) goOn(s format.HashState, end int64) error {
	c.at = end
	return s.Restore(c.hash.(encoding.BinaryUnmarshaler))
}

func (c *contentSum) hole(end int64) {
	if c.zeros {
		for left := end - c.at; left > 0; left -= int64(len(zeros)) {
			c.hash.Write(zeros[:min(left, int64(len(zeros)))])
		}
	}
	c.at = max(c.at, end)
}

// finish sets the hash of e, whose size is final.
func (c *contentSum) finish(e *format.Entry) {
	c.hole(e.Size)
	if c.zeros {
		e.SHA256 = format.Hash(c.hash.Sum(nil))
	} else {
		e.DataSHA = format.Hash(c.hash.Sum(nil))
	}
}
