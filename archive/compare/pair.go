package compare

import (
	"path"
	"slices"
	"strings"
	"time"

	"dura/archive"
	"dura/archive/format"
)

// candidate is a band with what its head says.
type candidate struct {
	state archive.BandState
	head  format.Head
}

// origin is the host and the sources of a band, in whatever order they were named.
func (c *candidate) origin() string {
	var sources []string
	for _, s := range c.head.Sources {
		sources = append(sources, path.Clean(s))
	}
	slices.Sort(sources)
	return c.head.Host + "\x00" + strings.Join(slices.Compact(sources), "\x00")
}

// latest pairs, for each origin that both lists have, the last band of each. Both are in order of time, and so are the pairs.
func latest(h, t []candidate) (pairs [][2]candidate) {
	last := map[string]candidate{}
	for _, c := range t {
		last[c.origin()] = c
	}
	for _, c := range slices.Backward(h) {
		if of, both := last[c.origin()]; both {
			pairs = append(pairs, [2]candidate{c, of})
			delete(last, c.origin())
		}
	}
	slices.Reverse(pairs)
	return pairs
}

// nearest is the band of c's origin whose start is nearest to c's, the earlier one of two.
func nearest(c candidate, of []candidate) (found candidate, ok bool) {
	var least time.Duration
	for _, o := range of {
		if o.origin() != c.origin() {
			continue
		}
		if away := o.head.Started.Sub(c.head.Started).Abs(); !ok || away < least {
			found, least, ok = o, away, true
		}
	}
	return found, ok
}
