package dedup

import "errors"

// goneBand stands for the place of a band whose records are to be left out.
const goneBand = ^uint32(0)

// source gives records in the order of their keys, nil behind the last. A record is good until the next is asked for.
type source struct {
	next  func() (*record, error)
	bands []uint32 // for each place of a band the place it gets, or goneBand
	from  *segment // nil: what is collected

	head record
	rank int // lower is preferred
}

// advance reads the next record that is to stay into head. It returns false behind the last.
func (s *source) advance() (bool, error) {
	for {
		r, err := s.next()
		if err != nil || r == nil {
			return false, s.blame(err)
		}
		before := s.head.key()
		if s.head = *r; s.head.key().less(before) {
			return false, s.blame(errOrder)
		}
		place := s.head.spot().band
		if int(place) >= len(s.bands) {
			return false, s.blame(errPlace)
		}
		if s.bands[place] != goneBand {
			s.head.setBand(s.bands[place])
			return true, nil
		}
	}
}

// sourceError says which segment a merge could not read.
type sourceError struct {
	segment *segment
	err     error
}

func (e *sourceError) Error() string { return e.segment.path + ": " + e.err.Error() }
func (e *sourceError) Unwrap() error { return e.err }

func (s *source) blame(err error) error {
	if err == nil || s.from == nil {
		return err
	}
	return &sourceError{s.from, err}
}

// merge emits the records of all sources in the order of their keys, one for each key: that of the first source which has it.
func merge(sources []*source, emit func(*record) error) error {
	var h sourceHeap
	for rank, s := range sources {
		s.rank = rank
		more, err := s.advance()
		if err != nil {
			return err
		}
		if more {
			h = append(h, s)
		}
	}
	for i := len(h)/2 - 1; i >= 0; i-- {
		h.sink(i)
	}
	var last key
	for first := true; len(h) > 0; {
		s := h[0]
		if k := s.head.key(); first || k != last {
			if err := emit(&s.head); err != nil {
				return err
			}
			first, last = false, k
		}
		more, err := s.advance()
		if err != nil {
			return err
		}
		if !more {
			h[0] = h[len(h)-1]
			h = h[:len(h)-1]
		}
		h.sink(0)
	}
	return nil
}

// sourceHeap has the source whose head comes first in front.
type sourceHeap []*source

func (h sourceHeap) less(i, j int) bool {
	a, b := h[i].head.key(), h[j].head.key()
	return a.less(b) || a == b && h[i].rank < h[j].rank
}

func (h sourceHeap) sink(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(h); child++ {
			if h.less(child, least) {
				least = child
			}
		}
		if least == i {
			return
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
}

// segmentOf is the segment that made a merge fail, if one did.
func segmentOf(err error) (*segment, error) {
	var e *sourceError
	if errors.As(err, &e) {
		return e.segment, e.err
	}
	return nil, nil
}
