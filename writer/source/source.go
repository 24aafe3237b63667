// Package source presents what is backed up: the entries of the local trees in path order, with their metadata, and their
// content on request. It stands on archive/format for paths and entries, and on archive/alarm for what it meets on its way.
package source

import (
	"context"
	"iter"

	"dura/archive/format"
)

// Source is a set of trees to back up.
type Source interface {
	// Walk yields the entries from start on in path order, each path once: all of them, the root first, or what a walk of all
	// yields behind a path. What can't be read is raised as an alarm and left out; an error ends the walk (the context is done,
	// or an alarm said to abort). Memory is bounded by the source's options, however large its directories are. A second walk
	// begins anew.
	Walk(ctx context.Context, start Start) iter.Seq2[Node, error]
}

// Node is one entry as the walk met it.
type Node struct {
	// Entry has everything that a stat of it tells and, for a Symlink, its Target; not XAttrs, nor what needs the content.
	Entry format.Entry
	// Blocks is what it takes up on disk, in units of 512 bytes: fewer than Entry.Size needs hint at holes.
	Blocks int64
	// Handle gives the rest. It must be closed, once, by whoever takes the node; any goroutine may use it.
	Handle Handle
}

// Handle leads to what a walk does not read.
type Handle interface {
	// XAttrs reads the extended attributes, sorted by name; nil where the file system has none. What can't be read is raised as
	// an alarm and left out.
	XAttrs() ([]format.XAttr, error)
	// Open opens the content of a File. It raises no alarm: ConditionOf tells which one its error is worth. ErrChanged is for what
	// is no longer the file that the walk met.
	Open() (Content, error)
	// Filename is the local name, for alarms.
	Filename() string
	Close() error
}

// Content is an open regular file.
type Content interface {
	// Read reads on from where the last Read or Seek left off, as io.Reader.
	Read(p []byte) (int, error)
	// NextData finds the next run of data at or behind offset, skipping holes: its start and end. At the end of the file start
	// and end are the file's size. Reading goes on at start.
	NextData(offset int64) (start, end int64, err error)
	// SeekTo makes reading go on at offset, which is not behind the end, whether there is data or a hole.
	SeekTo(offset int64) error
	// Stat is the metadata without Path, Target and XAttrs, to see whether the file changed under its reader: those that it was
	// opened with when it is called first, those of now from then on.
	Stat() (format.Entry, error)
	// XAttrs is Handle.XAttrs through the open file.
	XAttrs() ([]format.XAttr, error)
	Close() error
}
