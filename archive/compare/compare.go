// Package compare says what two archives have of the same: copies of one archive by their objects, different archives of one
// source by the hashes of files, and an archive by what the machine that wrote it has kept. It stands on archive, archive/storage
// and archive/summaries, and reads no block.
//
// What differs is an alarm. Contents stream: memory is what the archives' caches are given, and, where the objects of a band are
// compared by its index, about a hundred bytes for each hunk of it.
package compare

import (
	"context"
	"errors"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/event"
	"dura/archive/format"
)

// ErrNothingInCommon says that there was nothing to compare: no band of both, or none of the same host and sources.
var ErrNothingInCommon = errors.New("there is nothing in common")

// Options say how to compare.
type Options struct {
	Only    format.BandID // compare this band of the first archive alone; empty: all, or, of different archives, the latest
	Other   string        // what the second archive is called in alarms
	Alarms  alarm.Raiser  // every finding, those of the archives themselves aside; nil: they are counted alone
	Events  event.Sink
	Workers int // bands, or heads, at a time; 0: 8
}

const defaultWorkers = 8

// Pair are two bands that were compared.
type Pair struct{ Here, There format.BandID }

// Result is what was compared and found. Here is the first archive, there the other one.
type Result struct {
	Bands     int64 // that were compared
	GivenUp   int64 // that one of the two has given up
	Differing int64 // findings, each an alarm

	// Of copies of one archive.
	BandsOnlyHere   int64
	BandsOnlyThere  int64 // each complete one is a finding
	Objects         int64 // that both have
	ObjectsNotThere int64 // of bands that are not complete there

	// Of different archives.
	Pairs            []Pair
	Entries          int64 // that both have
	Files            int64 // regular files among them
	Changed          int64 // entries changed between the two bands
	Unknown          int64 // entries of which nothing says whether they are the same
	EntriesOnlyHere  int64
	EntriesOnlyThere int64
}

// Same compares a with another copy of the same archive: of each band that both have, the names and sizes of the objects, and the hashes
// that .sha256, head and tail have for them, or the index where these don't say. What only one has, or what differs, is an alarm of area block,
// band or archive with the object's name. Parity and repaired copies are each archive's own means, and are left out.
//
// An error means that the comparison ended early: by an alarm, the end of ctx, or since nothing can be listed; or it is ErrNothingInCommon.
func Same(ctx context.Context, a, other *archive.Archive, o Options) (Result, error) {
	r := newRun([2]*archive.Archive{a, other}, o)
	err := r.same(ctx)
	if err == nil && r.result.Bands+r.result.BandsOnlyThere+r.result.GivenUp == 0 {
		err = ErrNothingInCommon
	}
	return r.result, err
}

func (r *run) same(ctx context.Context) error {
	var states [2][]archive.BandState
	for s, a := range r.archives {
		var err error
		if states[s], err = a.Bands(ctx); err != nil {
			return err
		}
		if r.o.Only != "" {
			states[s] = slices.DeleteFunc(states[s], func(b archive.BandState) bool { return b.ID != r.o.Only })
		}
	}
	if err := r.companions(ctx); err != nil {
		return err
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(r.o.Workers)
	for _, both := range pairStates(states[here], states[there]) {
		g.Go(func() error { return r.states(gctx, both) })
	}
	return g.Wait()
}

// states compares what both have of one band.
func (r *run) states(ctx context.Context, both [2]*archive.BandState) error {
	switch h, t := both[here], both[there]; {
	case h != nil && h.Deleted || t != nil && t.Deleted:
		r.count(func(res *Result) { res.GivenUp++ })
	case t == nil:
		r.count(func(res *Result) { res.BandsOnlyHere++ })
	case h == nil:
		r.count(func(res *Result) { res.BandsOnlyThere++ })
		if t.Complete {
			return r.differ(alarm.Band, alarm.Missing, format.BandsPrefix+string(t.ID), "%s has this band", r.o.Other)
		}
	default:
		r.count(func(res *Result) { res.Bands++ })
		r.progress(string(h.ID))
		return r.newBand(*h, *t).compare(ctx)
	}
	return nil
}

// run is one comparison.
type run struct {
	archives [2]*archive.Archive
	o        Options

	mu     sync.Mutex
	result Result
}

func newRun(archives [2]*archive.Archive, o Options) *run {
	if o.Workers <= 0 {
		o.Workers = defaultWorkers
	}
	return &run{archives: archives, o: o}
}

func (r *run) count(by func(*Result)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	by(&r.result)
}

func (r *run) progress(at string) {
	r.mu.Lock()
	done := event.Totals{Entries: r.result.Entries, Objects: r.result.Objects, Alarms: r.result.Differing}
	r.mu.Unlock()
	r.o.Events.Send(event.Progress{Done: done, Path: at})
}
