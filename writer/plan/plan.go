// Package plan decides what to store of each entry of the source. Its decisions are pure: an entry, and what the parent has of it,
// in, an action out. It stands on archive/format alone.
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
	// Keep takes the parent's entry as it is.
	Keep
	// Refer takes the content from the parent's entry, and all else from the source.
	Refer
	// ByPath puts a file into the index whose content is that of the same path in the parent, whatever that may be.
	ByPath
)

func (a Action) String() string {
	return [...]string{"index only", "metadata", "whole", "chunks", "link", "keep", "refer", "by path"}[a]
}

// HasMember reports whether there is a tar member for the entry itself, unless its content is in chunks.
func (a Action) HasMember() bool {
	return a == Metadata || a == Whole || a == Link
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

// Trust says what is proof enough that a file has the content that the parent has of it. The zero value takes the size, both times,
// the inode and the device, and nothing that changed later than the epoch.
type Trust struct {
	// Before is when a change may have escaped the parent: what changed at or after that time is read again.
	Before      format.Time
	IgnoreCTime bool // the time of the last change of content is enough, without that of the metadata
	IgnoreInode bool // neither inode nor device need be the same
	ReadAll     bool // nothing is proof
}

// Decide is the action for an entry of which the parent has old: Keep or Refer where that can be trusted, else the same as for
// a new one. old has its content, if it has any: what refers to the parent's parent by its path is resolved.
func (t Trust) Decide(now, old *format.Entry, splitBytes int64) Action {
	switch {
	case !t.same(now, old):
		return Decide(now, splitBytes)
	case Recorded(now, old):
		return Keep
	case now.Kind == format.File && now.LinkTo == format.Root:
		return Refer
	}
	return Decide(now, splitBytes)
}

// same reports whether old's content, and with a ctime its extended attributes too, are those of now.
func (t Trust) same(now, old *format.Entry) bool {
	if t.ReadAll || now.Kind != old.Kind || now.MTime != old.MTime || old.Unstable || !hasContent(old) {
		return false
	}
	changed := now.CTime
	if t.IgnoreCTime {
		changed = now.MTime
	} else if now.CTime != old.CTime {
		return false
	}
	return now.Size == old.Size && (t.IgnoreInode || now.Device == old.Device && now.Inode == old.Inode) && earlier(changed, t.Before)
}

// hasContent reports whether the index knows the content of a file.
func hasContent(e *format.Entry) bool {
	return e.Kind != format.File || !e.AsInParent && (e.Size == 0 || !e.SHA256.IsZero() || !e.DataSHA.IsZero())
}

// OlderThan reports whether neither the content nor the metadata of a file changed since the parent was begun, going by the
// times alone.
func (t Trust) OlderThan(e *format.Entry) bool {
	return e.Kind == format.File && earlier(e.MTime, t.Before) && (t.IgnoreCTime || earlier(e.CTime, t.Before))
}

func earlier(a, b format.Time) bool {
	return a.Seconds < b.Seconds || a.Seconds == b.Seconds && a.Nanos < b.Nanos
}

// Recorded reports whether all that a stat and the order of the walk tell of now is recorded in old.
func Recorded(now, old *format.Entry) bool {
	return now.Path == old.Path && now.Kind == old.Kind && now.Mode == old.Mode && now.Owner == old.Owner && now.MTime == old.MTime &&
		now.CTime == old.CTime && now.Size == old.Size && now.Target == old.Target && now.Device == old.Device && now.Inode == old.Inode &&
		now.Links == old.Links && now.LinkTo == old.LinkTo && now.Rdev == old.Rdev && !old.AsInParent && !old.Unstable
}
