// Package repair brings an archive back to full health: what is missing or damaged it stores again, from parity or from another archive of the
// same bands, as new objects; nothing that exists is changed. It stands on archive, which reads and rebuilds, and on archive/parity.
package repair

import (
	"context"
	"errors"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/event"
	"dura/archive/format"
)

// Options say how to repair.
type Options struct {
	DryRun bool         // only say what would be done
	Alarms alarm.Raiser // what can't be repaired; nil: it is counted alone
	Events event.Sink
	Made   func(Made) // each object that was stored, or would be; may be nil
	Lost   func(Lost) // each file that can't be had any more; may be nil
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
	r := &run{archive: a, o: o, wants: map[string]want{}, lost: map[string]bool{}, fences: map[string]fenceOf{}, sums: map[format.BandID]*sums{}}
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
	for _, s := range living {
		r.result.Bands++
		if err := r.collect(ctx, s); err != nil {
			return err
		}
	}
	for _, band := range r.bandsWanted() {
		if err := r.band(ctx, band, living); err != nil {
			return err
		}
	}
	return r.tellLost(ctx, living)
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
	r.lost[name] = true
	r.result.Irreparable++
	if r.o.Alarms == nil {
		return nil
	}
	a := archive.AlarmOf(err)
	a.Filename = name
	return r.o.Alarms.Raise(a)
}

// made tells of an object that is there again.
func (r *run) made(m Made) {
	if r.o.Made != nil {
		r.o.Made(m)
	}
}
