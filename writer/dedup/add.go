package dedup

import (
	"fmt"
	"iter"

	"dura/archive/format"
)

// AddHunk collects the content that the entries of a hunk tell of. Commit makes it last; it is forgotten if the index is closed before.
// An error means that all that was collected since the last Commit is forgotten; the index can be used on.
func (x *Index) AddHunk(band format.BandID, number uint64, entries []format.Entry) error {
	return x.add(band, Coverage{Hunks: Ranges{{number, number}}}, func(yield func(key, spot) bool) {
		for i := range entries {
			for span, sum := range contents(&entries[i]) {
				if !yield(keyOf(sum), spot{number: number, entry: uint32(i), span: uint32(span)}) {
					return
				}
			}
		}
	})
}

// AddSpans does for a span list what AddHunk does for a hunk.
func (x *Index) AddSpans(band format.BandID, number uint64, spans []format.Span) error {
	return x.add(band, Coverage{Lists: Ranges{{number, number}}}, func(yield func(key, spot) bool) {
		for i := range spans {
			if spans[i].Bytes > 0 && !spans[i].SHA256.IsZero() &&
				!yield(keyOf(spans[i].SHA256), spot{list: true, number: number, span: uint32(i)}) {
				return
			}
		}
	})
}

// contents yields the content that an entry tells of first: the place of each span with the hash of its bytes.
func contents(e *format.Entry) iter.Seq2[int, format.Hash] {
	return func(yield func(int, format.Hash) bool) {
		if e.Kind != format.File || e.LinkTo != "" || e.AsInParent {
			return
		}
		for i := range e.Spans {
			s := &e.Spans[i]
			sum := s.SHA256
			if sum.IsZero() && len(e.Spans) == 1 && s.HoleBytes == 0 && int64(s.Bytes) == e.Size {
				sum = e.SHA256 // a whole file
			}
			if s.Bytes > 0 && !sum.IsZero() && !yield(i, sum) {
				return
			}
		}
	}
}

func (x *Index) add(band format.BandID, c Coverage, records iter.Seq2[key, spot]) error {
	x.work.Lock()
	defer x.work.Unlock()
	if err := x.checkOpen(); err != nil {
		return err
	}
	if err := x.pending.add(band, c, records); err != nil {
		x.dropPending()
		return fmt.Errorf("the deduplication index in %s has lost what was collected for it: %w", x.dir, err)
	}
	return nil
}

// dropPending forgets what is collected.
func (x *Index) dropPending() {
	x.pending.close()
	x.pending = x.newPending()
}
