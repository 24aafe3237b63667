package compare

import (
	"iter"
	"slices"
	"strings"

	"dura/archive"
)

// side is one of the two archives.
type side int

const (
	here  side = iota // the one that is verified
	there             // the other
)

func (s side) other() side { return 1 - s }

// failure is an error that came from one of two streams.
type failure struct {
	side side
	err  error
}

// merged yields what two streams have, each in ascending order: what is equal together, and what only one of them has with nil for the
// other. A failure stands alone; whoever goes on gets what its stream has behind it.
func merged[T any](streams [2]iter.Seq2[T, error], order func(x, y *T) int) iter.Seq2[[2]*T, *failure] {
	return func(yield func([2]*T, *failure) bool) {
		var next [2]func() (T, error, bool)
		for s := range streams {
			var stop func()
			next[s], stop = iter.Pull2(streams[s])
			defer stop()
		}
		var at [2]*T
		var ended [2]bool
		for {
			for s := range next {
				for at[s] == nil && !ended[s] {
					switch v, err, ok := next[s](); {
					case !ok:
						ended[s] = true
					case err == nil:
						at[s] = &v
					case !yield([2]*T{}, &failure{side(s), err}):
						return
					}
				}
			}
			first := earlier(at, order)
			if first == [2]*T{} || !yield(first, nil) {
				return
			}
			for s := range first {
				if first[s] != nil {
					at[s] = nil
				}
			}
		}
	}
}

// earlier is what of both comes first.
func earlier[T any](both [2]*T, order func(x, y *T) int) [2]*T {
	if both[here] == nil || both[there] == nil {
		return both
	}
	switch o := order(both[here], both[there]); {
	case o < 0:
		both[there] = nil
	case o > 0:
		both[here] = nil
	}
	return both
}

// pairStates pairs bands by their ids. Both lists are in that order.
func pairStates(h, t []archive.BandState) (pairs [][2]*archive.BandState) {
	streams := [2]iter.Seq2[archive.BandState, error]{each(h), each(t)}
	for both := range merged(streams, func(x, y *archive.BandState) int { return strings.Compare(string(x.ID), string(y.ID)) }) {
		pairs = append(pairs, both)
	}
	return pairs
}

func each[T any](list []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		slices.Values(list)(func(v T) bool { return yield(v, nil) })
	}
}
