package sim

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"dura/archive/format"
)

// node is one version of one path. It is never modified.
type node struct {
	entry   format.Entry // as the source tells it, XAttrs included
	content *content     // of a File
}

// inode is what hard links have in common.
type inode struct{ device, number uint64 }

func (n *node) inode() inode { return inode{n.entry.Device, n.entry.Inode} }

// snapshot is a tree at one time. It is never modified.
type snapshot struct {
	nodes map[format.Path]*node
	once  sync.Once
	names map[format.Path][]string
}

// files are those that have data, in path order.
func (s *snapshot) files() (list []*node) {
	for _, p := range slices.SortedFunc(maps.Keys(s.nodes), format.Compare) {
		if n := s.nodes[p]; n.content != nil && len(n.content.runs) > 0 {
			list = append(list, n)
		}
	}
	return list
}

// list is the names in a directory, sorted.
func (s *snapshot) list(dir format.Path) []string {
	s.once.Do(func() {
		s.names = map[format.Path][]string{}
		for p := range s.nodes {
			if p != format.Root {
				parent, name := p.Split()
				s.names[parent] = append(s.names[parent], name)
			}
		}
		for _, names := range s.names {
			slices.Sort(names)
		}
	})
	return s.names[dir]
}

// tree is what one source holds, now and at every time before. Only the scheduler changes it.
type tree struct {
	host, root string
	current    atomic.Pointer[snapshot]
	versions   []version
	clock      time.Duration // how far its host's clock is ahead of the true time
	grain      time.Duration // what it tells times to; 0: to the nanosecond, so that no two changes have one time
	last       format.Time   // of the last change
	inodes     uint64        // handed out
	freed      []uint64      // to be handed out again
}

// version is a snapshot and the moment it is of.
type version struct {
	from int64
	*snapshot
}

// key tells the trees apart, by what heads have of them.
func (t *tree) key() string { return t.host + ":" + t.root }

// during lists the snapshots of which one was current at some time from one moment to another, the latest last.
func (t *tree) during(from, to int64) []*snapshot {
	var list []*snapshot
	for i, v := range t.versions {
		ended := i+1 < len(t.versions) && t.versions[i+1].from <= from
		if v.from <= to && !ended {
			list = append(list, v.snapshot)
		}
	}
	return list
}

// tick is the time of a change.
func (t *tree) tick() format.Time {
	now := time.Now().Add(t.clock)
	if len(t.versions) == 0 {
		now = now.AddDate(0, 0, -1) // what there is to begin with is old
	}
	if t.grain > 0 {
		return format.TimeOf(now.Truncate(t.grain))
	}
	next := t.last.Std().Add(1)
	if now.Before(next) {
		now = next
	}
	t.last = format.TimeOf(now)
	return t.last
}

func (t *tree) newInode() uint64 {
	if n := len(t.freed); n > 0 {
		number := t.freed[n-1]
		t.freed = t.freed[:n-1]
		return number
	}
	t.inodes++
	return t.inodes
}
