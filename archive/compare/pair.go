package compare

import (
	"path"
	"slices"
	"strings"
	"time"

	"dura/archive"
	"dura/archive/format"
)

// candidate is a band with what matters of its head.
type candidate struct {
	state   archive.BandState
	origin  format.Hash // equal for bands of one host and the same sources
	started time.Time
}

func candidateOf(s archive.BandState, h *format.Head) candidate {
	return candidate{s, originOf(h), h.Started}
}

// originOf is a hash of the host and the sources, in whatever order they were named.
func originOf(h *format.Head) format.Hash {
	var sources []string
	for _, s := range h.Sources {
		sources = append(sources, path.Clean(s))
	}
	slices.Sort(sources)
	return format.SumBytes([]byte(h.Host + "\x00" + strings.Join(slices.Compact(sources), "\x00")))
}

// latest pairs, for each origin that both lists have, the last band of each. Both are in order of time, and so are the pairs.
func latest(h, t []candidate) (pairs [][2]candidate) {
	last := map[format.Hash]candidate{}
	for _, c := range t {
		last[c.origin] = c
	}
	for _, c := range slices.Backward(h) {
		if of, both := last[c.origin]; both {
			pairs = append(pairs, [2]candidate{c, of})
			delete(last, c.origin)
		}
	}
	slices.Reverse(pairs)
	return pairs
}

// nearest is the band of c's origin whose start is nearest to c's, the earlier one of two.
func nearest(c candidate, of []candidate) (found candidate, ok bool) {
	var least time.Duration
	for _, o := range of {
		if o.origin != c.origin {
			continue
		}
		if away := o.started.Sub(c.started).Abs(); !ok || away < least {
			found, least, ok = o, away, true
		}
	}
	return found, ok
}
