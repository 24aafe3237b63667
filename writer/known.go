package writer

import "dura/archive/format"

// known remembers content that this band holds, so that it is not stored again. It forgets the oldest beyond a bound: then
// content is stored twice, and nothing else is lost. It keeps what it can in tables without pointers, which the
// collector does not have to look through.
type known struct {
	young, old generation
}

// knownContents is how many contents known remembers at least; it may hold twice as many.
const knownContents = 32 << 10

type generation struct {
	places map[format.Hash]place
	names  []byte
	frames []*frame
}

// place is where content is: in frames, and its member's name in names.
type place struct {
	nameAt, frameAt uint32
	nameBytes       uint32
	offset, bytes   uint32
}

// copyOf is content that came before.
type copyOf struct {
	member string // name of its tar member
	frame  *frame
	offset uint32
	bytes  uint32
}

func (k *known) find(sum format.Hash) (copyOf, bool) {
	if c, ok := k.young.find(sum); ok {
		return c, true
	}
	c, ok := k.old.find(sum)
	if ok {
		k.add(sum, c)
	}
	return c, ok
}

func (k *known) add(sum format.Hash, c copyOf) {
	if len(k.young.places) >= knownContents {
		k.old, k.young = k.young, generation{}
	}
	g := &k.young
	if g.places == nil {
		g.places = make(map[format.Hash]place, knownContents/16)
	}
	g.frames = appendFrame(g.frames, c.frame)
	g.places[sum] = place{
		nameAt: uint32(len(g.names)), nameBytes: uint32(len(c.member)), frameAt: uint32(len(g.frames) - 1), offset: c.offset, bytes: c.bytes,
	}
	g.names = append(g.names, c.member...)
}

func (g *generation) find(sum format.Hash) (copyOf, bool) {
	p, ok := g.places[sum]
	if !ok {
		return copyOf{}, false
	}
	return copyOf{string(g.names[p.nameAt:][:p.nameBytes]), g.frames[p.frameAt], p.offset, p.bytes}, true
}
