package compare

import (
	"context"
	"iter"

	"dura/archive"
	"dura/archive/format"
)

// verdict is what two entries of one path say of each other.
type verdict int

const (
	same     verdict = iota
	changed          // between the two backups
	wrong            // nothing says that it has changed, and yet it is not the same
	unknown          // nothing says whether it is the same
	bySpread         // their data has the hashes that it has: it depends on where in the file it lies
)

// judge compares two entries. Owners, permissions and times alone make no difference.
func judge(x, y *format.Entry) verdict {
	if x.Kind != y.Kind {
		return changed
	}
	switch x.Kind {
	case format.File:
		return judgeFiles(x, y)
	case format.Symlink:
		return verdictOf(x.Target == y.Target, len(x.Target) == len(y.Target) && x.MTime == y.MTime)
	case format.CharDevice, format.BlockDevice:
		return verdictOf(x.Rdev == y.Rdev, false)
	}
	return same
}

func judgeFiles(x, y *format.Entry) verdict {
	hashed, inData := !x.SHA256.IsZero() && !y.SHA256.IsZero(), !x.DataSHA.IsZero() && !y.DataSHA.IsZero()
	switch {
	case x.Size != y.Size:
		return changed
	case hashed:
		return verdictOf(x.SHA256 == y.SHA256, untouched(x, y))
	case inData:
		return bySpread
	}
	return unlike(x, y)
}

// judgeSpread is judge for files of which the hashes are without the holes. Spread is whether the data lies in the same places.
func judgeSpread(x, y *format.Entry, spread bool) verdict {
	if !spread {
		return unlike(x, y)
	}
	return verdictOf(x.DataSHA == y.DataSHA, untouched(x, y))
}

// unlike is the verdict on two files whose hashes are not of the same: holes may have been filled with zeros.
func unlike(x, y *format.Entry) verdict {
	if x.MTime != y.MTime {
		return changed
	}
	return unknown
}

// untouched reports whether the entries of two files say that nothing was written between them.
func untouched(x, y *format.Entry) bool { return x.MTime == y.MTime && !x.Unstable && !y.Unstable }

func verdictOf(equal, untouched bool) verdict {
	switch {
	case equal:
		return same
	case untouched:
		return wrong
	}
	return changed
}

// stretch is data in a file, behind a hole.
type stretch struct{ holeBytes, dataBytes int64 }

// stretches are those of a file: no two of them without a hole between, and none without data.
func stretches(ctx context.Context, a *archive.Archive, e *format.Entry) iter.Seq2[stretch, error] {
	return func(yield func(stretch, error) bool) {
		var at stretch
		for span, err := range spansOf(ctx, a, e) {
			if err != nil {
				yield(stretch{}, err)
				return
			}
			if span.HoleBytes > 0 && at.dataBytes > 0 {
				if !yield(at, nil) {
					return
				}
				at = stretch{}
			}
			at.holeBytes += span.HoleBytes
			at.dataBytes += int64(span.Bytes)
		}
		if at.dataBytes > 0 {
			yield(at, nil)
		}
	}
}

// spansOf are the spans of a file, those in lists too. An error ends them.
func spansOf(ctx context.Context, a *archive.Archive, e *format.Entry) iter.Seq2[format.Span, error] {
	return func(yield func(format.Span, error) bool) {
		for _, s := range e.Spans {
			if !yield(s, nil) {
				return
			}
		}
		for _, l := range e.SpanLists {
			spans, err := a.Spans(ctx, l)
			if err != nil {
				yield(format.Span{}, err)
				return
			}
			for _, s := range spans {
				if !yield(s, nil) {
					return
				}
			}
		}
	}
}

// sameStretches reports whether two rows of stretches are equal.
func sameStretches(x, y iter.Seq2[stretch, error]) (same bool, failed *failure) {
	nextX, stopX := iter.Pull2(x)
	defer stopX()
	nextY, stopY := iter.Pull2(y)
	defer stopY()
	for {
		v, err, more := nextX()
		w, errY, moreY := nextY()
		switch {
		case err != nil:
			return false, &failure{here, err}
		case errY != nil:
			return false, &failure{there, errY}
		case more != moreY || v != w:
			return false, nil
		case !more:
			return true, nil
		}
	}
}
