// Package verify checks that what is stored in an archive is whole. It stands on archive, which reads and checks the index, and
// on archive/storage for what nobody needs to understand: the presence, the sizes and the hashes of objects.
//
// It goes on behind damage. What it keeps in memory is about a hundred bytes for each object referred to; contents stream.
package verify

import (
	"context"
	"maps"
	"runtime"
	"slices"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/event"
)

// Depth says how much is checked.
type Depth int

const (
	// Objects reads the whole index, whose every object is checked against its hash, and checks that every other object that is
	// referred to is there with its size.
	Objects Depth = iota
	// Blocks checks the hash of every object that is referred to as well, and the hashes in .sha256. Without the key of an encrypted
	// archive it goes by .sha256 alone.
	Blocks
	// Files does the same but for blocks, of which it checks the content of every file instead.
	Files
)

// Options say how to verify.
type Options struct {
	Depth   Depth
	Sample  Sample       // of the blocks, or with Files of the files; the rest of the objects is checked in any case
	Alarms  alarm.Raiser // every finding, the archive's own aside; nil: they are counted alone
	Events  event.Sink
	Workers int // 0: one a processor
}

// Result is what was checked and found.
type Result struct {
	Bands        int64
	Entries      int64 // in the index, of hunks that bands share once
	Objects      int64 // that are referred to, each once, blocks among them
	Blocks       int64
	Files        int64 // whose content was checked, or is that of one that was
	Bytes        int64 // read and checked
	Damaged      int64 // objects and files that are missing or not as they were stored
	Unreferenced int64 // objects of these bands that nothing refers to; not counted unless all bands are checked and their index is whole
}

// Verify checks bands, and what they refer to in others. Bands given up are left out.
//
// Damage to an object is an alarm of area block, band or archive with the object's name; a file whose content is not what it should be
// is one of area band with its path. What OpenBand passes over is raised by the archive. An error means that the check itself
// ended early: by an alarm, or the end of ctx.
func Verify(ctx context.Context, a *archive.Archive, bands []archive.BandState, o Options) (Result, error) {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	r := newRun(a, o)
	err := r.verify(ctx, bands)
	r.mended()
	r.progress("")
	if err == nil {
		o.Events.Send(event.Done{Totals: r.done})
	}
	return r.total(), err
}

func (r *run) verify(ctx context.Context, bands []archive.BandState) error {
	all, err := r.archive.Bands(ctx)
	if err != nil {
		return err
	}
	if err := r.companions(ctx); err != nil {
		return err
	}
	if r.o.Depth == Blocks && r.isLocked(bands) {
		return r.withoutKey(ctx, bands)
	}
	r.everything = covers(bands, all)
	var opened []*archive.Band // all of them first: what lies ahead is known then
	for _, s := range bands {
		if s.Deleted {
			continue
		}
		b, err := r.open(ctx, s)
		if err != nil {
			return err
		}
		if b != nil {
			opened = append(opened, b)
		}
	}
	for _, b := range opened {
		if err := r.hunks(ctx, b); err != nil {
			return err
		}
	}
	if err := r.presence(ctx); err != nil {
		return err
	}
	if r.o.Depth == Objects {
		return r.parity(ctx, slices.Sorted(maps.Keys(r.ownBlocks)))
	}
	for _, s := range bands {
		if s.HasSums && !s.Deleted {
			if err := r.sums(ctx, s.ID); err != nil {
				return err
			}
		}
	}
	if err := r.hashes(ctx); err != nil {
		return err
	}
	return r.parity(ctx, slices.Sorted(maps.Keys(r.ownBlocks)))
}

// covers reports whether given are all bands that are not given up.
func covers(given, all []archive.BandState) bool {
	has := map[string]bool{}
	for _, s := range given {
		has[string(s.ID)] = true
	}
	for _, s := range all {
		if !s.Deleted && !has[string(s.ID)] {
			return false
		}
	}
	return true
}
