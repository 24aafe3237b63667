package sim

import (
	"maps"
	"math/rand/v2"
	"slices"

	"dura/archive/format"
)

// edit is a change of a tree that is being made.
type edit struct {
	t     *tree
	rng   *rand.Rand
	nodes map[format.Path]*node
}

// change makes a new version of t, as of a moment.
func (t *tree) change(moment int64, rng *rand.Rand, by func(*edit)) {
	e := &edit{t: t, rng: rng, nodes: map[format.Path]*node{}}
	if old := t.current.Load(); old != nil {
		maps.Copy(e.nodes, old.nodes)
	} else {
		root := &node{entry: e.entry(format.Root, format.Directory, 0o755)}
		e.nodes[format.Root] = root
	}
	by(e)
	s := &snapshot{nodes: e.nodes}
	t.current.Store(s)
	t.versions = append(t.versions, version{moment, s})
}

// entry is that of something new.
func (e *edit) entry(p format.Path, kind format.Kind, mode uint32) format.Entry {
	now := e.t.tick()
	return format.Entry{
		Path: p, Kind: kind, Mode: mode, Owner: format.Owner{UID: 1000, GID: 100, User: "user", Group: "users"}, MTime: now, CTime: now,
		Device: 1, Inode: e.t.newInode(),
	}
}

// paths are those of the tree that fit, in path order.
func (e *edit) paths(fits func(*node) bool) []format.Path {
	var list []format.Path
	for p, n := range e.nodes {
		if fits(n) {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, format.Compare)
	return list
}

// pick picks a path that fits; false if none does.
func (e *edit) pick(fits func(*node) bool) (format.Path, bool) {
	list := e.paths(fits)
	if len(list) == 0 {
		return "", false
	}
	return list[e.rng.IntN(len(list))], true
}

// modify changes what is at p, under all its names.
func (e *edit) modify(p format.Path, by func(*node)) {
	old := e.nodes[p]
	now := e.t.tick()
	changed := *old
	changed.entry.CTime = now
	by(&changed)
	for _, q := range e.links(old) {
		n := changed
		n.entry.Path = q
		if n.content != nil {
			n.entry.Size = n.content.size
		}
		e.nodes[q] = &n
	}
}

// links are all names of n.
func (e *edit) links(n *node) []format.Path {
	if n.entry.Links < 2 {
		return []format.Path{n.entry.Path}
	}
	return e.paths(func(other *node) bool { return other.inode() == n.inode() })
}

// add puts a new entry where nothing is.
func (e *edit) add(n *node) {
	if n.content != nil {
		n.entry.Size = n.content.size
	}
	e.nodes[n.entry.Path] = n
	e.touchParent(n.entry.Path)
}

// link gives what is at p a further name, where nothing is.
func (e *edit) link(p, to format.Path) {
	n := e.nodes[p]
	e.relink(n, append(e.links(n), to))
	e.touchParent(to)
}

// remove takes away p and what is below it.
func (e *edit) remove(p format.Path) {
	for _, q := range e.paths(func(n *node) bool { return n.entry.Path.Within(p) }) {
		n := e.nodes[q]
		delete(e.nodes, q)
		if n.entry.Links > 1 {
			e.relink(n, e.links(n))
		} else {
			e.t.freed = append(e.t.freed, n.entry.Inode)
		}
	}
	e.touchParent(p)
}

// relink makes names all the names of n.
func (e *edit) relink(n *node, names []format.Path) {
	now := e.t.tick()
	for _, q := range names {
		named := *n
		named.entry.Path, named.entry.CTime, named.entry.Links = q, now, 0
		if len(names) > 1 {
			named.entry.Links = uint32(len(names))
		}
		e.nodes[q] = &named
	}
}

// move renames p, and so all that is below it, to where nothing is.
func (e *edit) move(p, to format.Path) {
	now := e.t.tick()
	for _, q := range e.paths(func(n *node) bool { return n.entry.Path.Within(p) }) {
		n := *e.nodes[q]
		delete(e.nodes, q)
		n.entry.Path = to + q[len(p):]
		if q == p {
			n.entry.CTime = now
		}
		e.nodes[n.entry.Path] = &n
	}
	if n := e.nodes[to]; n.entry.Links > 1 {
		e.relink(n, e.links(n)) // they have one ctime
	}
	e.touchParent(p)
	e.touchParent(to)
}

func (e *edit) touchParent(p format.Path) {
	if p == format.Root {
		return
	}
	parent, _ := p.Split()
	now := e.t.tick()
	n := *e.nodes[parent]
	n.entry.MTime, n.entry.CTime = now, now
	e.nodes[parent] = &n
}
