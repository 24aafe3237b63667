package main

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/storage/file"
	"dura/fs"
)

// start serves the mount, here or in the background.
func (s *settings) start(ctx context.Context, h host) error {
	alarms, err := s.newAlarms()
	if err != nil {
		return err
	}
	for _, path := range []*string{&s.archive, &s.mountpoint, &s.logFile} {
		if *path == "" {
			continue
		}
		if *path, err = filepath.Abs(*path); err != nil {
			return err
		}
	}
	switch {
	case h.isServer:
		return s.serve(ctx, h, alarms)
	case s.foreground:
		return s.serveHere(ctx, h, alarms)
	}
	return s.startServer(ctx, h)
}

// serveHere serves in the foreground. Once the mount can be used, what there is to say goes to the log file, if there is one.
func (s *settings) serveHere(ctx context.Context, h host, alarms *alarms) error {
	log, err := s.openLog()
	if err != nil {
		return err
	}
	if log != nil {
		defer log.Close()
		both := &switchWriter{w: h.stderr}
		h.stderr, h.ready = both, func() { both.set(log) }
	}
	return s.serve(ctx, h, alarms)
}

// newAlarms makes the alarm set of this run.
func (s *settings) newAlarms() (*alarms, error) {
	a := &alarms{}
	o := alarm.Options{Defaults: alarm.ReadingRules(), Notify: a.notify}
	for _, text := range s.rules {
		rule, err := alarm.ParseRule(text)
		if err != nil {
			return nil, usage(msgAlarmRule, text, err)
		}
		o.Rules = append(o.Rules, rule)
	}
	var err error
	a.Set, err = alarm.NewSet(o)
	return a, err
}

// serve mounts, tells when the mount can be used, and returns when it is gone.
func (s *settings) serve(ctx context.Context, h host, alarms *alarms) error {
	stopProfile, err := s.startProfile()
	if err != nil {
		return err
	}
	defer stopProfile()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, endSignals...)
	defer signal.Stop(signals)
	opening, cancel := context.WithCancel(ctx)
	defer cancel()
	opened := make(chan struct{})
	go func() {
		select {
		case <-signals:
			cancel()
		case <-opened:
		}
	}()
	alarms.host.Store(&h)
	m, err := s.mount(opening, h, alarms)
	close(opened)
	if err != nil {
		return err
	}
	defer m.close()
	if opening.Err() != nil {
		_ = m.server.Detach(ctx)
		return opening.Err()
	}
	notifySystemd(h, "READY=1")
	h.ready()
	err = s.wait(ctx, h, m.server, signals)
	if err == nil {
		err = s.countAlarms(h, alarms)
	}
	return err
}

// countAlarms tells how many alarms there were, if there were any, and makes that the exit status.
func (s *settings) countAlarms(h host, alarms *alarms) error {
	switch n := alarms.Raised(); n {
	case 0:
		return nil
	case 1:
		say(h, sprintf(msgOneAlarm, shown(s.mountpoint)))
	default:
		say(h, sprintf(msgAlarms, n, shown(s.mountpoint)))
	}
	return &statusError{statusAlarms}
}

// mounted is all that a mount keeps open.
type mounted struct {
	server *fs.Server
	close  func()
}

func (s *settings) mount(ctx context.Context, h host, alarms *alarms) (*mounted, error) {
	if err := s.checkMountpoint(h); err != nil {
		return nil, err
	}
	if err := s.checkSystem(h); err != nil {
		return nil, err
	}
	st, err := file.Open(s.archive, file.Options{})
	if err != nil {
		return nil, err
	}
	a, err := archive.Open(ctx, st, archive.Options{CacheBytes: s.cacheBytes, Alarms: alarms})
	if err != nil {
		st.Close()
		return nil, err
	}
	m := &mounted{close: func() {
		a.Close()
		st.Close()
	}}
	f, err := fs.New(ctx, a, s.shown(h, alarms))
	if err == nil {
		m.server, err = fs.Mount(ctx, f, s.mountpoint, s.mountOptions(h))
		if err != nil {
			err = s.mountError(err)
		}
	}
	if err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

// shown is what is shown, and how.
func (s *settings) shown(h host, alarms *alarms) fs.Options {
	return fs.Options{
		Band: s.band, Subtree: s.subtree, UID: s.uid, GID: s.gid, Shared: s.allowOther, Timeout: s.timeout, Now: h.now, Alarms: alarms,
		Mounter: fs.Owner{UID: uint32(h.uid), GID: uint32(h.gid)},
	}
}

func (s *settings) mountOptions(h host) fs.MountOptions {
	return fs.MountOptions{
		Source: s.archive, Direct: h.uid == 0, Flags: s.flags, ReadAheadBytes: s.readAhead, Logger: newLogger(h),
	}
}

// wait returns when the mount is gone. A signal unmounts it; if it is in use it is taken out of sight, and a second signal ends
// it at once.
func (s *settings) wait(ctx context.Context, h host, server *fs.Server, signals <-chan os.Signal) error {
	detached := false
	for {
		select {
		case <-server.Done():
			return nil
		case <-signals:
		}
		if detached {
			return &statusError{statusFailed}
		}
		notifySystemd(h, "STOPPING=1")
		err := server.Unmount(ctx)
		if isBusy(err) {
			err = server.Detach(ctx)
			detached = err == nil
			if detached {
				say(h, sprintf(msgBusy, shown(s.mountpoint)))
			}
		}
		if err != nil {
			say(h, sprintf(msgUnmountErr, shown(s.mountpoint), bareReason(err), unmountCommand(h), shown(s.mountpoint)))
		}
	}
}
