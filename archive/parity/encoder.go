package parity

import (
	"crypto/sha256"

	"github.com/klauspost/reedsolomon"

	"dura/archive/format"
)

// Encoder makes the parity of one group after the other. It keeps the parity shards, and nothing of the members but their sums.
type Encoder struct {
	scheme  Scheme
	code    reedsolomon.Encoder
	shards  [][]byte // of the open group
	members []Member
}

// NewEncoder makes an encoder for groups of a scheme.
func NewEncoder(s Scheme) (*Encoder, error) {
	code, err := codeOf(s)
	return &Encoder{scheme: s, code: code, shards: make([][]byte, s.Parity)}, err
}

// codeOf is the code of a scheme: as FORMAT.md has it, the default of the library.
func codeOf(s Scheme) (reedsolomon.Encoder, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	return reedsolomon.New(s.Members, s.Parity, reedsolomon.WithMaxGoroutines(1))
}

// Members is how many objects the open group has.
func (e *Encoder) Members() int { return len(e.members) }

// Full reports whether the open group takes no more objects: then it is to be closed.
func (e *Encoder) Full() bool { return len(e.members) == e.scheme.Members }

// Add takes an object into the open group, which must not be full. Parts are not kept.
func (e *Encoder) Add(name string, sum format.Hash, parts ...[]byte) error {
	m := Member{Name: name, SHA256: sum}
	for _, p := range parts {
		m.StoredBytes += int64(len(p))
	}
	e.grow(int(m.StoredBytes))
	s := newSlicer(m.StoredBytes)
	at, views := 0, make([][]byte, len(e.shards))
	for _, p := range parts {
		if len(p) == 0 {
			continue
		}
		for i := range views {
			views[i] = e.shards[i][at : at+len(p)]
		}
		if err := e.code.EncodeIdx(p, len(e.members), views); err != nil {
			return err
		}
		s.write(p)
		at += len(p)
	}
	m.Slices = s.end()
	e.members = append(e.members, m)
	return nil
}

// grow makes the shards at least so long, with zeros.
func (e *Encoder) grow(bytes int) {
	for i, shard := range e.shards {
		if n := len(shard); n < bytes {
			if cap(shard) < bytes {
				shard = append(make([]byte, 0, bytes+bytes/8), shard...) // the next one may be a little longer
			}
			e.shards[i] = shard[:bytes]
			clear(e.shards[i][n:])
		}
	}
}

// Close ends the open group, which must have a member, and begins another. The shards are the caller's until given back by Recycle.
func (e *Encoder) Close(band format.BandID, number uint64) (*Group, [][]byte) {
	g := &Group{Band: band, Number: number, Scheme: e.scheme, Members: e.members, ShardBytes: int64(len(e.shards[0]))}
	shards := e.shards[:e.scheme.For(len(e.members))]
	for _, shard := range shards {
		g.Parity = append(g.Parity, SumSlices(shard))
	}
	e.members, e.shards = nil, make([][]byte, e.scheme.Parity)
	return g, shards
}

// Recycle takes shards for use again, if the open group has no member yet.
func (e *Encoder) Recycle(shards [][]byte) {
	if len(e.members) > 0 {
		return
	}
	for i := range shards {
		e.shards[i] = shards[i][:0]
	}
}

// SumSlice is the sum of one slice.
func SumSlice(slice []byte) SliceSum {
	sum := sha256.Sum256(slice)
	return SliceSum(sum[:len(SliceSum{})])
}

// SumSlices are the sums of an object's slices.
func SumSlices(object []byte) []SliceSum {
	s := newSlicer(int64(len(object)))
	s.write(object)
	return s.end()
}

// slicer sums the slices of what comes in parts.
type slicer struct {
	sums []SliceSum
	hash interface {
		Write([]byte) (int, error)
		Sum([]byte) []byte
		Reset()
	}
	inSlice int
}

func newSlicer(bytes int64) *slicer {
	return &slicer{sums: make([]SliceSum, 0, slicesOf(bytes)), hash: sha256.New()}
}

func (s *slicer) write(p []byte) {
	for len(p) > 0 {
		n := min(len(p), SliceBytes-s.inSlice)
		s.hash.Write(p[:n])
		p = p[n:]
		if s.inSlice += n; s.inSlice == SliceBytes {
			s.cut()
		}
	}
}

func (s *slicer) cut() {
	s.sums = append(s.sums, SliceSum(s.hash.Sum(nil)[:len(SliceSum{})]))
	s.hash.Reset()
	s.inSlice = 0
}

func (s *slicer) end() []SliceSum {
	if s.inSlice > 0 {
		s.cut()
	}
	return s.sums
}
