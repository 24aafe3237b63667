// Package repair brings an archive back to full health: what is missing or damaged it stores again, from parity or from another archive of the
// same bands, as new objects; nothing that exists is changed. Of an index that can't be had in either way it makes a new one, of what
// blocks and other bands tell. It stands on archive, which reads and rebuilds, and on archive/parity.
package repair

import (
	"context"
	"errors"
	"maps"
	"runtime"
	"slices"
	"sync"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/event"
	"dura/archive/format"
	"dura/archive/repair/reindex"
)

// Options say how to repair.
type Options struct {
	DryRun bool         // only say what would be done
	Alarms alarm.Raiser // what can't be repaired; nil: it is counted alone
	Events event.Sink
	Made   func(Made) // each object that was stored, or would be; may be nil
	Lost   func(Lost) // each file that can't be had any more; may be nil

	Workers int // 0: one a processor
}

// Made is an object that was stored.
type Made struct {
	Object string // that was missing or damaged
	Stored string // under which name it is there now: its own, or that of a repaired copy
	From   string // where its content is from
}

// Lost is an entry whose content is gone, or a run of entries of which nothing is known any more.
type Lost struct {
	Band   format.BandID
	Path   format.Path // of the file, or where the run begins
	Until  format.Path // of a run: where it ends, which is not lost; the root where the band ends
	Run    bool
	Object string // that can't be had

	Entries  int64 // of a run: how many entries of it are lost; 0: all
	Metadata bool  // its mode, owner and times are lost, and not its content
}

// Result is what was found and done.
type Result struct {
	Bands       int64
	Objects     int64 // that were read and checked
	Bytes       int64 // of those
	Damaged     int64 // objects that were missing or not as they were stored, and had no repaired copy
	Repaired    int64 // of those
	LostFiles   int64 // files of all bands that can't be had any more, each once for each band
	LostRuns    int64 // runs of entries of which nothing is known any more
	Parity      int64 // parity objects made, for objects that had none
	Irreparable int64 // objects that can't be had
}

// Healthy reports whether everything is whole now.
func (r Result) Healthy() bool { return r.Irreparable == 0 && r.LostFiles == 0 && r.LostRuns == 0 }

// Repair checks every object of these bands, and of what they refer to, against its hash, and stores again what is missing or damaged. The
// archive must have been opened with the other archives to take it from, and without alarms.
//
// What can't be had any more is an alarm of area block, band or archive with the object's name, and Options.Lost is told of the
// files that this costs. An error means that the repair itself ended early.
func Repair(ctx context.Context, a *archive.Archive, bands []archive.BandState, o Options) (Result, error) {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	r := &run{archive: a, o: o, lost: map[string]bool{}, deferred: map[string]error{}, replaced: map[string]format.Hash{}, told: map[string]bool{}, counted: map[string]bool{}, gone: map[string]bool{}, outdated: map[string]bool{}}
	r.forget()
	err := r.repair(ctx, bands)
	return r.result, err
}

// run is one repair.
type run struct {
	archive *archive.Archive
	o       Options
	result  Result
	wants   map[string]want // what is referred to, by name
	lost    map[string]bool
	sums    map[format.BandID]*sums
	fences  map[string]fenceOf
	lists   map[string]listOf                 // span lists that are lost
	lacking map[string][]string               // by the name of a hunk: the lost lists that it refers to
	chunks  map[format.BandID]*reindex.Blocks // what the blocks hold of files of which span lists are lost
	names   map[format.BandID][]string        // of wants, by band
	spare   sync.Pool                         // of *[]byte: memory to read objects into

	deferred  map[string]error       // what is lost of indexes, which may be rebuilt
	tailAgain bool                   // the tail of a rebuilt index was stored again
	final     bool                   // no more is rebuilt
	replaced  map[string]format.Hash // what was made in the place of lost ends of bands
	told      map[string]bool        // new hunks
	gone      map[string]bool        // index objects that were lost, and that nothing refers to any more
	outdated  map[string]bool        // tails that do not count any more
	counted   map[string]bool        // as damaged, of what can't be had
}

// forget forgets what objects should be.
func (r *run) forget() {
	r.names, r.lacking, r.chunks = map[format.BandID][]string{}, map[string][]string{}, map[format.BandID]*reindex.Blocks{}
	r.wants, r.fences, r.lists, r.sums = map[string]want{}, map[string]fenceOf{}, map[string]listOf{}, map[format.BandID]*sums{}
}

// want is what an object should be.
type want struct {
	sum format.Hash
	alt format.Hash // what something else says, where nothing refers to it: either will do
}

func (r *run) repair(ctx context.Context, bands []archive.BandState) error {
	if err := r.heads(ctx); err != nil {
		return err
	}
	var living []archive.BandState
	for _, s := range bands {
		if !s.Deleted {
			living = append(living, s)
		}
	}
	if err := r.wereComplete(ctx, living); err != nil {
		return err
	}
	r.result.Bands = int64(len(living))
	if err := r.all(ctx, living); err != nil {
		return err
	}
	living, err := r.tailsAgain(ctx, living)
	if err != nil {
		return err
	}
	living, err = r.reindex(ctx, living)
	if err != nil {
		return err
	}
	return r.tellLost(ctx, living)
}

// all checks and repairs the objects of all bands.
func (r *run) all(ctx context.Context, living []archive.BandState) error {
	for _, s := range living {
		if err := r.collect(ctx, s); err != nil {
			return err
		}
	}
	for _, band := range r.bandsWanted() {
		if err := r.band(ctx, band, living); err != nil {
			return err
		}
	}
	return nil
}

// tailsAgain goes through all of it once more where the tail of a rebuilt index is there again: then another index counts.
func (r *run) tailsAgain(ctx context.Context, living []archive.BandState) ([]archive.BandState, error) {
	if !r.tailAgain || r.o.DryRun {
		return living, nil
	}
	clear(r.deferred)
	now, err := r.now(ctx, living)
	if err != nil {
		return nil, err
	}
	r.forget()
	return now, r.all(ctx, now)
}

// now is how bands are listed now.
func (r *run) now(ctx context.Context, living []archive.BandState) ([]archive.BandState, error) {
	all, err := r.archive.Bands(ctx)
	all = slices.DeleteFunc(all, func(s archive.BandState) bool {
		r.archive.Refresh(s.ID)
		return !slices.ContainsFunc(living, func(l archive.BandState) bool { return l.ID == s.ID })
	})
	return all, err
}

// reindex rebuilds what indexes have lost, and then sees to the new objects' parity and sums. It returns the bands as they are now.
func (r *run) reindex(ctx context.Context, living []archive.BandState) ([]archive.BandState, error) {
	changed, err := r.rebuild(ctx, living)
	if err != nil {
		return nil, err
	}
	r.final = true
	if len(changed) > 0 && !r.o.DryRun {
		if living, err = r.again(ctx, living); err != nil {
			return nil, err
		}
		for _, band := range changed {
			if err := r.band(ctx, band, living); err != nil {
				return nil, err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.deferred)) {
		if err := r.found(ctx, name, r.deferred[name]); err != nil {
			return nil, err
		}
	}
	return living, nil
}

// again collects anew what there is behind a rebuilding.
func (r *run) again(ctx context.Context, living []archive.BandState) ([]archive.BandState, error) {
	now, err := r.now(ctx, living)
	if err != nil {
		return nil, err
	}
	r.forget()
	for _, s := range now {
		if err := r.collect(ctx, s); err != nil {
			return nil, err
		}
	}
	return now, nil
}

// found is an alarm about what can't be repaired. It returns what ends the run.
func (r *run) found(ctx context.Context, name string, err error) error {
	var abort *alarm.AbortError
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &abort):
		return err
	case r.lost[name]:
		return nil
	}
	if _, kind, _, _ := format.ParseObjectName(name); !r.final && mayRebuild(kind) {
		if r.deferred[name] == nil {
			r.deferred[name] = err
		}
		return nil
	}
	r.lost[name] = true
	r.result.Irreparable++
	if r.o.Alarms == nil {
		return nil
	}
	a := archive.AlarmOf(err)
	a.Filename = name
	return r.o.Alarms.Raise(a)
}

// isGone reports whether an object was lost and is part of no index any more.
func (r *run) isGone(name string) bool { return r.gone[name] }

// mayRebuild reports whether objects of a kind can be made anew of what blocks and other bands tell.
func mayRebuild(kind format.ObjectKind) bool {
	switch kind {
	case format.HunkObject, format.FenceObject, format.TailObject, format.RebuiltTailObject, format.HeadObject, format.SpansObject:
		return true
	}
	return false
}

// made tells of an object that is there again.
func (r *run) made(m Made) {
	_, kind, _, _ := format.ParseObjectName(m.Object)
	r.tailAgain = r.tailAgain || kind == format.RebuiltTailObject
	if r.o.Made != nil {
		r.o.Made(m)
	}
}
