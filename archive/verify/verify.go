// Package verify checks that what is stored in an archive is whole. It stands on archive.
package verify

import (
	"context"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/event"
)

// Depth says how much is checked.
type Depth int

const (
	// Objects checks that every object that is referred to is there with its size, and that the index can be read.
	Objects Depth = iota
	// Blocks checks the hash of every object that is referred to as well.
	Blocks
	// Files checks the content of every file against its hash, instead of the hashes of blocks.
	Files
)

// Options say how to verify.
type Options struct {
	Depth   Depth
	Alarms  alarm.Raiser // every finding; nil: they are counted alone
	Events  event.Sink
	Workers int // 0: one a processor
}

// Result is what was checked and found.
type Result struct {
	Bands        int64
	Objects      int64 // those that are referred to, blocks among them
	Blocks       int64
	Files        int64 // whose content was checked
	Bytes        int64 // read and checked
	Damaged      int64 // objects and files that are missing or not as they were stored
	Unreferenced int64 // objects of these bands that nothing refers to
}

// Verify checks bands, and everything that they refer to in others. Damage is raised as alarms; an error means that the
// check itself ended early.
func Verify(ctx context.Context, a *archive.Archive, bands []archive.BandState, o Options) (Result, error) {
	panic("TODO")
}
