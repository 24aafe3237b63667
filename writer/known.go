package writer

import "dura/archive/format"

// known remembers content that this band holds, so that it is not stored again. It forgets the oldest beyond a bound: then
// content is stored twice, and nothing else is lost.
type known struct {
	young, old map[format.Hash]*copyOf
}

// copyOf is where content that came before is.
type copyOf struct {
	member string // name of its tar member
	span   format.Span
	frame  *frame
}

// knownContents is how many contents known remembers at least; it may hold twice as many.
const knownContents = 32 << 10

func (k *known) find(sum format.Hash) *copyOf {
	if c, ok := k.young[sum]; ok {
		return c
	}
	c, ok := k.old[sum]
	if ok {
		k.add(sum, c)
	}
	return c
}

func (k *known) add(sum format.Hash, c *copyOf) {
	if k.young == nil || len(k.young) >= knownContents {
		k.old, k.young = k.young, make(map[format.Hash]*copyOf, 1024)
	}
	k.young[sum] = c
}
