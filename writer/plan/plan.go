// Package plan decides what to store of each entry of the source. Its decisions are pure: an entry in, an action out. It
// stands on archive/format alone.
package plan

import "dura/archive/format"

// Action is what a backup does with an entry.
type Action int

const (
	// IndexOnly puts the entry into the index alone: tar has no member for it.
	IndexOnly Action = iota
	// Metadata stores a member without content.
	Metadata
	// Whole stores the content as one member.
	Whole
	// Chunks stores the content as chunks.
	Chunks
	// Link stores a hard link to an entry that came before, and no content.
	Link
)

func (a Action) String() string {
	return [...]string{"index only", "metadata", "whole", "chunks", "link"}[a]
}

// Decide is the action for an entry that is new, in a band whose files are split beyond splitBytes. Files with holes are
// read as Whole or Chunks by their size; the reader sees to the holes.
func Decide(e *format.Entry, splitBytes int64) Action {
	switch {
	case e.LinkTo != format.Root:
		return Link
	case e.Kind == format.Socket:
		return IndexOnly
	case e.Kind != format.File:
		return Metadata
	case e.Size > splitBytes:
		return Chunks
	}
	return Whole
}

// Links finds the hard links among the entries of one walk. The zero value is ready. Its memory is that of the groups of
// which not every link has been seen.
type Links[T any] struct {
	groups map[linkKey]*group[T]
}

type linkKey struct{ device, inode uint64 }

type group[T any] struct {
	first T
	left  uint32
}

// First reports what See was told of the first entry of e's group, and whether there was one before e. e counts as seen;
// value is kept for the group's later entries if e is its first.
func (l *Links[T]) First(e *format.Entry, value T) (first T, linked bool) {
	if e.Links < 2 || e.Kind == format.Directory {
		return first, false
	}
	key := linkKey{e.Device, e.Inode}
	g, ok := l.groups[key]
	if !ok {
		if l.groups == nil {
			l.groups = map[linkKey]*group[T]{}
		}
		l.groups[key] = &group[T]{value, e.Links - 1}
		return first, false
	}
	if g.left--; g.left == 0 {
		delete(l.groups, key)
	}
	return g.first, true
}
