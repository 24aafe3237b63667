package mounting

import (
	"errors"
	"sync/atomic"
	"syscall"

	"dura/archive/alarm"
	"dura/cmd/dura/config"
	"dura/fs"
)

// alarms tells of alarms as they come.
type alarms struct {
	*alarm.Set
	teller atomic.Pointer[teller] // nil until it is known where to tell
}

// newAlarms makes the alarm set of this run.
func (s *settings) newAlarms(h Host) (*alarms, error) {
	a := &alarms{}
	o := alarm.Options{Defaults: alarm.ReadingRules(), Notify: a.notify, Now: h.Now}
	settings, err := config.Load(h.Getenv)
	if err != nil {
		return nil, usage("%s", err)
	}
	for _, text := range append(settings.Alarms, s.rules...) {
		rule, err := alarm.ParseRule(text)
		if err != nil {
			return nil, usage(msgAlarmRule, text, err)
		}
		o.Rules = append(o.Rules, rule)
	}
	a.Set, err = alarm.NewSet(o)
	return a, err
}

func (a *alarms) notify(one alarm.Alarm, action alarm.Action) {
	if t := a.teller.Load(); t != nil && action != alarm.Suppress {
		t.tell(shown(one.String()))
	}
}

// relay is where an archive's own alarms go: once it is mounted they go through its file system, which keeps the last of them.
type relay struct {
	alarms alarm.Raiser
	files  atomic.Pointer[fs.FileSystem]
}

func (r *relay) Raise(a alarm.Alarm) error {
	if f := r.files.Load(); f != nil {
		return f.Raise(a)
	}
	return r.alarms.Raise(a)
}

func isBusy(err error) bool { return errors.Is(err, fs.ErrBusy) }

// mountError says why mounting failed.
func (s *settings) mountError(err error) error {
	switch {
	case errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES):
		return failure("mount", msgMountDenied, shown(s.mountpoint))
	case errors.Is(err, syscall.EBUSY):
		return failure("mountpoint", msgMountpointBusy, shown(s.mountpoint))
	}
	return failure("mount", msgMountFailed, shown(s.mountpoint), bareReason(err))
}
