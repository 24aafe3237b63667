package archive

import (
	"context"
	"crypto/sha256"
	"hash"

	"dura/archive/format"
)

// ContentSum hashes the content of a file, segment by segment, and compares it with what its entry says.
type ContentSum struct {
	entry     *format.Entry
	hash      hash.Hash
	at        int64
	holeBytes int64
}

// NewContentSum begins at the start of e's content.
func NewContentSum(e *format.Entry) *ContentSum { return &ContentSum{entry: e, hash: sha256.New()} }

// Add takes the next segment, behind a hole if it starts behind the last one's end. An error says that the content is not e's, or
// that ctx has ended.
func (s *ContentSum) Add(ctx context.Context, segment *Segment) error {
	if err := s.hole(ctx, segment.Start); err != nil {
		return err
	}
	s.hash.Write(segment.Data)
	s.at = segment.End()
	return nil
}

// End takes what is left as a hole, and says whether content and entry agree.
func (s *ContentSum) End(ctx context.Context) error {
	if err := s.hole(ctx, s.entry.Size); err != nil {
		return err
	}
	want := s.entry.SHA256
	if !s.entry.DataSHA.IsZero() {
		want = s.entry.DataSHA
	}
	if s.entry.Size == 0 && want.IsZero() || format.Hash(s.hash.Sum(nil)) == want {
		return nil
	}
	return s.mismatch("content")
}

// zeros is what a hole reads as.
var zeros [32 << 10]byte

// hole goes on to end. Holes count as zeros where SHA256 has the hash, but no more of them than the format allows: hostile sizes
// would keep it busy for ever.
func (s *ContentSum) hole(ctx context.Context, end int64) error {
	if end < s.at {
		return s.mismatch("size")
	}
	s.holeBytes += end - s.at
	if !s.entry.DataSHA.IsZero() {
		s.at = end
		return nil
	}
	if s.holeBytes > format.MaxHashedHoles {
		return &Error{Op: opRead, Path: s.entry.Path, Kind: KindCorrupt, Err: errHoles}
	}
	for s.at < end {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n := min(end-s.at, int64(len(zeros)))
		s.hash.Write(zeros[:n])
		s.at += n
	}
	return nil
}

var errHoles = &format.CorruptError{What: "index", Reason: "a hash over more holes than the format allows"}

func (s *ContentSum) mismatch(what string) error {
	return &Error{Op: opRead, Path: s.entry.Path, Kind: KindMismatch, Err: &format.MismatchError{What: what}}
}
