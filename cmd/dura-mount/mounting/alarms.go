package main

import (
	"errors"
	"log"
	"strings"
	"sync/atomic"
	"syscall"

	"dura/archive/alarm"
	"dura/fs"
)

// alarms tells of alarms as they come.
type alarms struct {
	*alarm.Set
	host atomic.Pointer[host] // nil until it is known where to tell
}

func (a *alarms) notify(one alarm.Alarm, action alarm.Action) {
	h := a.host.Load()
	if h == nil || action == alarm.Suppress {
		return
	}
	say(*h, shown(one.String()))
}

// newLogger passes on what the protocol's library says.
func newLogger(h host) *log.Logger { return log.New(lineWriter{h}, "", 0) }

type lineWriter struct{ host host }

func (w lineWriter) Write(p []byte) (int, error) {
	say(w.host, shown(strings.TrimSuffix(string(p), "\n")))
	return len(p), nil
}

func isBusy(err error) bool { return errors.Is(err, fs.ErrBusy) }

// mountError says why mounting failed.
func (s *settings) mountError(err error) error {
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
		return sentence(msgMountDenied, shown(s.mountpoint))
	}
	return sentence(msgMountFailed, shown(s.mountpoint), bareReason(err))
}
