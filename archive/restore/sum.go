package restore

import (
	"context"
	"crypto/sha256"
	"hash"

	"dura/archive/format"
)

// contentSum hashes content as the entry's hash has it.
type contentSum struct {
	hash      hash.Hash
	holes     bool  // they count as zeros
	holeBytes int64 // of them
	at        int64
}

func newContentSum(e *format.Entry) *contentSum {
	return &contentSum{hash: sha256.New(), holes: e.DataSHA.IsZero()}
}

var errHoles = &format.CorruptError{What: "index", Reason: "a hash over more holes than the format allows"}

func (c *contentSum) data(data []byte) {
	c.hash.Write(data)
	c.at += int64(len(data))
}

// hole takes all up to end as a hole.
func (c *contentSum) hole(ctx context.Context, end int64) error {
	if end < c.at {
		return errMismatch
	}
	c.holeBytes += end - c.at
	if c.holes && c.holeBytes > format.MaxHashedHoles {
		return errHoles
	}
	if c.holes {
		var zeros [32 << 10]byte
		for c.at < end {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			c.data(zeros[:min(end-c.at, int64(len(zeros)))])
		}
	}
	c.at = end
	return nil
}

// fits reports whether the content hashed is e's.
func (c *contentSum) fits(e *format.Entry) bool {
	want := e.SHA256
	if !c.holes {
		want = e.DataSHA
	}
	return c.at == e.Size && format.Hash(c.hash.Sum(nil)) == want
}
