package sim

import (
	"fmt"
	"slices"

	"dura/archive/format"
)

// shape says what trees look like.
type shape struct {
	entries   int // about so many to begin with
	flood     int // further empty and tiny files, so that the index has several hunks
	fileBytes int // of most files, at most
	bulkBytes int // of some
}

// populate fills an empty tree.
func (e *edit) populate(s shape) {
	for range s.entries {
		e.create(s)
	}
	if s.flood == 0 {
		return
	}
	dir := format.Path("flood")
	e.add(&node{entry: e.entry(dir, format.Directory, 0o755)})
	for i := range s.flood {
		p := dir.Join(fmt.Sprintf("%05d", i))
		n := &node{entry: e.entry(p, format.File, 0o644), content: solid(e.random(e.rng.IntN(8)))}
		n.entry.Size = n.content.size
		e.nodes[p] = n
	}
}

// mutate makes one change.
func (e *edit) mutate(s shape) {
	switch e.rng.IntN(14) {
	case 0, 1, 2:
		e.create(s)
	case 12:
		e.replaceLinks(s)
	case 3:
		if p, ok := e.pick(notRoot); ok {
			e.remove(p)
		}
	case 4:
		e.rename()
	case 5:
		e.turnInto(s)
	case 6:
		e.hardLink()
	case 7:
		e.copy()
	case 8:
		e.touch()
	default:
		if p, ok := e.pick(isFile); ok {
			e.modify(p, func(n *node) { n.content, n.entry.MTime = e.altered(n.content, s), n.entry.CTime })
		}
	}
}

func notRoot(n *node) bool     { return n.entry.Path != format.Root }
func isFile(n *node) bool      { return n.entry.Kind == format.File }
func isDirectory(n *node) bool { return n.entry.Kind == format.Directory }
func canBeLinked(n *node) bool { return n.entry.Kind != format.Directory }

// free makes up a path where nothing is, in a directory there is.
func (e *edit) free() format.Path {
	for {
		dir, _ := e.pick(isDirectory)
		names := []string{"a", "b", "B", "a-b", "a.b", "é", "\xff", "0", "zz"}
		p := dir.Join(names[e.rng.IntN(len(names))])
		if e.rng.IntN(2) == 0 {
			p += format.Path(fmt.Sprint(e.rng.IntN(30)))
		}
		if e.nodes[p] == nil {
			return p
		}
	}
}

func (e *edit) create(s shape) { e.add(e.fresh(e.free(), s)) }

// fresh makes up an entry for p.
func (e *edit) fresh(p format.Path, s shape) *node {
	n := &node{entry: e.entry(p, format.File, 0o600|uint32(e.rng.IntN(0o100)))}
	switch e.rng.IntN(12) {
	case 0, 1, 2:
		n.entry.Kind = format.Directory
	case 3:
		n.entry.Kind, n.entry.Target = format.Symlink, "../to/\xff"
	case 4:
		kinds := []format.Kind{format.FIFO, format.Socket, format.CharDevice, format.BlockDevice}
		n.entry.Kind = kinds[e.rng.IntN(len(kinds))]
		if n.entry.Kind == format.CharDevice || n.entry.Kind == format.BlockDevice {
			n.entry.Rdev = format.DeviceNumber{Major: 4, Minor: uint32(e.rng.IntN(100))}
		}
	default:
		n.content = e.newContent(s)
	}
	if e.rng.IntN(6) == 0 {
		n.entry.XAttrs = e.xattrs()
	}
	return n
}

func (e *edit) xattrs() []format.XAttr {
	list := []format.XAttr{{Name: "user.note", Value: e.random(e.rng.IntN(40))}, {Name: "user.z", Value: []byte{0, 255}}}
	return list[:1+e.rng.IntN(2)]
}

func (e *edit) rename() {
	p, ok := e.pick(notRoot)
	if !ok {
		return
	}
	if to := e.free(); !to.Within(p) {
		e.move(p, to)
	}
}

// turnInto puts something new in the place of something else.
func (e *edit) turnInto(s shape) {
	if p, ok := e.pick(notRoot); ok {
		e.remove(p)
		e.add(e.fresh(p, s))
	}
}

func (e *edit) hardLink() {
	if p, ok := e.pick(canBeLinked); ok {
		e.link(p, e.free())
	}
}

// replaceLinks removes a file with several names, and makes another one, with several names and the same inode.
func (e *edit) replaceLinks(s shape) {
	old, ok := e.pick(func(n *node) bool { return n.entry.Links > 1 })
	if !ok {
		return
	}
	for _, p := range e.links(e.nodes[old]) {
		e.remove(p)
	}
	p := e.free()
	e.add(&node{entry: e.entry(p, format.File, 0o644), content: e.newContent(s)})
	e.link(p, e.free())
}

// copy makes a file with the content of another.
func (e *edit) copy() {
	if p, ok := e.pick(isFile); ok {
		from := e.nodes[p]
		to := e.free()
		e.add(&node{entry: e.entry(to, format.File, from.entry.Mode), content: from.content})
	}
}

// touch changes metadata alone.
func (e *edit) touch() {
	p, _ := e.pick(func(*node) bool { return true })
	e.modify(p, func(n *node) {
		switch e.rng.IntN(5) {
		case 0:
			n.entry.MTime = format.Time{Seconds: e.rng.Int64N(4e9) - 2e9, Nanos: uint32(e.rng.IntN(1e9))}
		case 1:
			n.entry.Owner = format.Owner{UID: uint32(e.rng.IntN(3)), GID: uint32(e.rng.IntN(3)), User: "u"}
		case 2:
			n.entry.XAttrs = e.xattrs()
		case 3:
			n.entry.XAttrs = nil
		default:
			n.entry.Mode = uint32(e.rng.IntN(0o10000))
		}
	})
}

func (e *edit) newContent(s shape) *content {
	switch e.rng.IntN(10) {
	case 0:
		return solid(nil)
	case 1:
		return solid(e.random(e.rng.IntN(s.bulkBytes + 1)))
	case 2:
		return e.sparse(s)
	case 3: // what compresses, and repeats itself
		return solid(slices.Repeat(e.random(1+e.rng.IntN(20)), e.rng.IntN(s.fileBytes/10+1)))
	}
	return solid(e.random(e.rng.IntN(s.fileBytes + 1)))
}

func (e *edit) sparse(s shape) *content {
	c := &content{}
	at := int64(0)
	for range e.rng.IntN(4) {
		at += int64(1 + e.rng.IntN(4*s.fileBytes))
		if e.rng.IntN(15) == 0 {
			at += 1 << 31 // more than hashes cover
		}
		data := e.random(1 + e.rng.IntN(s.fileBytes))
		c.add(at, data)
		at += int64(len(data))
	}
	c.size = at + int64(e.rng.IntN(s.fileBytes))
	return c
}

// altered is c after a program has written to it.
func (e *edit) altered(c *content, s shape) *content {
	if c.size > 1<<30 {
		return e.sparse(s)
	}
	data := c.bytes()
	at := e.rng.IntN(len(data) + 1)
	switch e.rng.IntN(5) {
	case 0: // in place
		copy(data[at:], e.random(1+e.rng.IntN(64)))
	case 1: // inserted
		data = slices.Insert(data, at, e.random(1+e.rng.IntN(64))...)
	case 2: // appended
		data = append(data, e.random(1+e.rng.IntN(s.fileBytes))...)
	case 3: // cut short
		data = data[:at]
	default:
		return e.newContent(s)
	}
	return solid(data)
}

func (e *edit) random(bytes int) []byte {
	data := make([]byte, bytes)
	for i := range data {
		data[i] = byte(e.rng.Uint32())
	}
	return data
}
