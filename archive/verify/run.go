package verify

import (
	"context"
	"errors"
	"sync"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/event"
	"dura/archive/format"
	"dura/archive/storage"
)

// run is one verification.
type run struct {
	archive    *archive.Archive
	o          Options
	everything bool // all bands are checked

	mu          sync.Mutex
	result      Result
	done        event.Totals
	expected    event.Totals
	refs        map[format.BandID]references
	ownBlocks   map[format.BandID]int64 // how many a complete band has, that is checked
	damaged     map[string]bool         // objects that are known to be
	indexDamage bool
	contents    *contents
	buf         []byte // for parity objects, which are read one after the other
}

func newRun(a *archive.Archive, o Options) *run {
	return &run{
		archive: a, o: o, refs: map[format.BandID]references{}, ownBlocks: map[format.BandID]int64{}, damaged: map[string]bool{}, contents: newContents(),
	}
}

func (r *run) total() Result {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.result
}

// count changes totals.
func (r *run) count(by func(*Result, *event.Totals)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	by(&r.result, &r.done)
}

func (r *run) expect(entries, contentBytes int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expected.Entries += entries
	r.expected.ContentBytes += contentBytes
}

// progress reports how far the run is.
func (r *run) progress(path string) {
	r.mu.Lock()
	e := event.Progress{Done: r.done, Expected: r.expected, Path: path}
	r.mu.Unlock()
	r.o.Events.Send(e)
}

// raise counts a finding and tells of it. An error ends the run.
func (r *run) raise(a alarm.Alarm) error {
	r.count(func(res *Result, done *event.Totals) {
		res.Damaged++
		done.Alarms++
	})
	if r.o.Alarms == nil {
		return nil
	}
	return r.o.Alarms.Raise(a)
}

// object tells of damage to an object, once for each.
func (r *run) object(area alarm.Area, condition alarm.Condition, name string, err error) error {
	r.mu.Lock()
	known := r.damaged[name]
	r.damaged[name] = true
	r.mu.Unlock()
	if known {
		return nil
	}
	if r.archive.HasMended(name) { // which has told of it
		r.count(func(res *Result, done *event.Totals) {
			res.Damaged++
			done.Alarms++
		})
		return nil
	}
	return r.raise(alarm.Alarm{Area: area, Condition: condition, Filename: name, Err: err})
}

func (r *run) isDamaged(name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.damaged[name]
}

// found tells of the damage that err is. It returns what ends the run.
func (r *run) found(ctx context.Context, err error) error {
	var abort *alarm.AbortError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &abort):
		return err
	}
	a := archive.AlarmOf(err)
	return r.object(a.Area, a.Condition, a.Filename, err)
}

// index tells of damage to the index: what that refers to isn't known.
func (r *run) index(ctx context.Context, err error) error {
	if err != nil {
		r.mu.Lock()
		r.indexDamage = true
		r.mu.Unlock()
	}
	return r.found(ctx, err)
}

// companions checks that what explains the archive is there.
func (r *run) companions(ctx context.Context) error {
	names := []string{format.ReadmeName, format.SchemaName}
	if r.archive.Head().Sealed() {
		names = append(names, format.PublicKeyName)
	}
	for _, name := range names {
		_, err := r.archive.Storage().Stat(ctx, name)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case storage.Is(err, storage.KindNotFound):
			err = r.object(alarm.Archive, alarm.Missing, name, err)
		case err != nil:
			err = r.object(alarm.Archive, alarm.IOError, name, err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
