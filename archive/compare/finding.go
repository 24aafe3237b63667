package compare

import (
	"context"
	"errors"
	"fmt"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/format"
	"dura/archive/storage"
)

// differ counts a finding and tells of it. An error ends the run.
func (r *run) differ(area alarm.Area, condition alarm.Condition, name, reason string, args ...any) error {
	r.count(func(res *Result) { res.Differing++ })
	if r.o.Alarms == nil {
		return nil
	}
	return r.o.Alarms.Raise(alarm.Alarm{Area: area, Condition: condition, Filename: name, Err: fmt.Errorf(reason, args...)})
}

// failed tells of an object of one side that can't be used. It returns what ends the run.
func (r *run) failed(ctx context.Context, s side, name string, err error) error {
	var abort *alarm.AbortError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &abort):
		return err
	}
	a := alarmOf(name, err)
	if s == there {
		a.Message = fmt.Sprintf("in %s: %s", r.o.Other, reasonOf(err))
	}
	r.count(func(res *Result) { res.Differing++ })
	if r.o.Alarms == nil {
		return nil
	}
	return r.o.Alarms.Raise(a)
}

// alarmOf is the alarm for err, met at an object unless it says at which.
func alarmOf(name string, err error) alarm.Alarm {
	var inArchive *archive.Error
	if errors.As(err, &inArchive) {
		return archive.AlarmOf(err)
	}
	a := alarm.Alarm{Area: areaOf(name), Condition: alarm.IOError, Filename: name, Err: err}
	switch {
	case storage.Is(err, storage.KindNotFound):
		a.Condition = alarm.Missing
	case storage.Is(err, storage.KindDenied):
		a.Condition = alarm.Denied
	}
	return a
}

// reasonOf is what err says beyond what it is about.
func reasonOf(err error) string {
	var inArchive *archive.Error
	var stored *storage.Error
	switch {
	case errors.As(err, &stored) && stored.Err != nil:
		return stored.Err.Error()
	case errors.As(err, &stored):
		return stored.Kind.String()
	case errors.As(err, &inArchive) && inArchive.Err != nil:
		return inArchive.Err.Error()
	case errors.As(err, &inArchive):
		return inArchive.Kind.String()
	}
	return err.Error()
}

func areaOf(name string) alarm.Area {
	switch _, kind, _, err := format.ParseObjectName(name); {
	case err != nil:
		return alarm.Archive
	case kind == format.BlockObject:
		return alarm.Block
	}
	return alarm.Band
}
