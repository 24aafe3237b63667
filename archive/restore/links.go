package restore

import (
	"context"
	"hash/maphash"
	"sync"

	"dura/archive/format"
)

// linkTable holds, of files with several names, those that have been restored under one and of which more names may come. It
// knows a group by the path of its first entry, and keeps a hash of that in place of the path.
type linkTable struct {
	max  int
	seed maphash.Seed

	mu      sync.Mutex
	changed sync.Cond
	groups  map[uint64]linkGroup
	leaders map[uint64]format.Path // where that is another than the first entry
}

type linkGroup struct {
	id    fileID // once it is settled
	left  uint32 // names that may still come
	links uint32 // names it has, as far as is known
	kind  format.Kind
	state linkState
}

type linkState uint8

const (
	underWay linkState = iota // somebody restores it
	restored
	failed // the next one may try
)

// role is what an entry is to the group it belongs to.
type role uint8

const (
	alone    role = iota
	leader        // it is restored, and the others become links to it
	follower      // it becomes a link
)

func newLinkTable(maxGroups int) *linkTable {
	t := &linkTable{max: maxGroups, seed: maphash.MakeSeed(), groups: map[uint64]linkGroup{}, leaders: map[uint64]format.Path{}}
	t.changed.L = &t.mu
	return t
}

func firstOf(e *format.Entry) format.Path {
	if e.LinkTo != format.Root {
		return e.LinkTo
	}
	return e.Path
}

func (t *linkTable) key(e *format.Entry) uint64 { return maphash.String(t.seed, string(firstOf(e))) }

// meet says what e is to be. Entries are met in order, and those ahead of it are restored, or have been, when e is.
func (t *linkTable) meet(e *format.Entry) role {
	if e.Links <= 1 && e.LinkTo == format.Root {
		return alone
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	key := t.key(e)
	g, known := t.groups[key]
	switch {
	case known && g.kind != e.Kind:
		return alone
	case known:
		if e.Links > g.links { // it got more names while it was backed up
			g.left += e.Links - g.links
			g.links = e.Links
			t.groups[key] = g
		}
		return follower
	case len(t.groups) >= t.max:
		return alone
	}
	links := max(e.Links, 2)
	t.groups[key] = linkGroup{left: links - 1, links: links, kind: e.Kind}
	if e.LinkTo != format.Root {
		t.leaders[key] = e.Path
	}
	return leader
}

// settle notes what came of an entry that was to lead its group.
func (t *linkTable) settle(e *format.Entry, id fileID, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := t.key(e)
	g, known := t.groups[key]
	if !known {
		return
	}
	g.state = failed
	if ok {
		g.state, g.id = restored, id
		delete(t.leaders, key)
		if e.LinkTo != format.Root {
			t.leaders[key] = e.Path
		}
	}
	t.groups[key] = g
	t.changed.Broadcast()
}

// await waits until it is known what came of e's group: where the file is that e is to be a link to; or that e is to lead
// the group, and to be settled.
func (t *linkTable) await(ctx context.Context, e *format.Entry) (at format.Path, id fileID, lead bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := t.key(e)
	for {
		g, known := t.groups[key]
		switch {
		case ctx.Err() != nil:
			return "", id, false, context.Cause(ctx)
		case !known:
			return "", id, true, nil
		case g.state == restored:
			at, elsewhere := t.leaders[key]
			if !elsewhere {
				at = firstOf(e)
			}
			return at, g.id, false, nil
		case g.state == failed:
			g.state = underWay
			t.groups[key] = g
			return "", id, true, nil
		}
		t.changed.Wait()
	}
}

// seen notes that a further name of e's group has been dealt with. With the last one the group is forgotten.
func (t *linkTable) seen(e *format.Entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := t.key(e)
	g, known := t.groups[key]
	if !known {
		return
	}
	if g.left--; g.left == 0 {
		delete(t.groups, key)
		delete(t.leaders, key)
		return
	}
	t.groups[key] = g
}

// wake lets those that wait see that the run has ended.
func (t *linkTable) wake() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changed.Broadcast()
}
