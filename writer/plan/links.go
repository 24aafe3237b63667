package plan

import "dura/archive/format"

// Links finds the hard links among the entries of one walk. The zero value is ready. Its memory is that of the groups of
// which not every link has been seen.
type Links[T any] struct {
	groups map[LinkKey]*group[T]
}

// LinkKey tells which entries of a walk are one file. An inode may be used again for another file while the walk goes on; all names of
// one have one ctime, unless it changes meanwhile, and then it counts as another.
type LinkKey struct {
	Device, Inode uint64
	Kind          format.Kind
	CTime         format.Time
}

// KeyOf is that of e.
func KeyOf(e *format.Entry) LinkKey { return LinkKey{e.Device, e.Inode, e.Kind, e.CTime} }

type group[T any] struct {
	first T
	left  uint32
}

// First reports what it was told of the first entry of e's group, and whether there was one before e. e counts as seen;
// value is kept for the group's later entries if e is its first.
func (l *Links[T]) First(e *format.Entry, value T) (first T, linked bool) {
	if e.Links < 2 || e.Kind == format.Directory {
		return first, false
	}
	key := KeyOf(e)
	g, ok := l.groups[key]
	if !ok {
		if l.groups == nil {
			l.groups = map[LinkKey]*group[T]{}
		}
		l.groups[key] = &group[T]{value, e.Links - 1}
		return first, false
	}
	if g.left--; g.left == 0 {
		delete(l.groups, key)
	}
	return g.first, true
}
