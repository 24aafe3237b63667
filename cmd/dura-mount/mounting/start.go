package mounting

import (
	"context"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/storage/bounded"
	"dura/archive/storage/cloud"
	"dura/archive/storage/file"
	"dura/fs"
)

// start serves the mount, here or in the background.
func (s *settings) start(ctx context.Context, h Host) error {
	if err := s.elsewhere(h); err != nil {
		return err
	}
	alarms, err := s.newAlarms(h)
	if err != nil {
		return err
	}
	for _, path := range []*string{&s.archive, &s.mountpoint, &s.logFile, &s.diskDir} {
		if *path == "" || path == &s.archive && cloud.IsPlace(s.archive) {
			continue
		}
		if *path, err = filepath.Abs(*path); err != nil {
			return err
		}
	}
	if pipe := readyPipe(h.Getenv); pipe != nil {
		return s.serveBehind(ctx, h, alarms, pipe)
	}
	if s.foreground {
		return s.serveHere(ctx, h, alarms)
	}
	return s.startServer(ctx, h, alarms)
}

// serveHere serves in the foreground. Once the mount can be used, what there is to say goes to the log file, if there is one.
func (s *settings) serveHere(ctx context.Context, h Host, alarms *alarms) error {
	log, err := s.openLog()
	if err != nil {
		return err
	}
	t := &teller{say: h.Say}
	if log == nil {
		return s.serve(ctx, h, alarms, t, func() {})
	}
	defer log.Close()
	return s.serve(ctx, h, alarms, t, func() { t.turn(toFile(log, h.Now)) })
}

// serve mounts, calls ready when the mount can be used, and returns when it is gone. Signals end it, and a context that is done
// only as long as there is no mount.
func (s *settings) serve(ctx context.Context, h Host, alarms *alarms, t *teller, ready func()) error {
	tune(h.Getenv)
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
	alarms.teller.Store(t)
	m, err := s.mount(opening, h, alarms, t)
	close(opened)
	if err != nil {
		return s.explained(err)
	}
	defer m.close()
	ctx = context.WithoutCancel(ctx)
	if opening.Err() != nil {
		_ = m.server.Detach(ctx)
		return s.explained(opening.Err())
	}
	notifySystemd(h, "READY=1")
	ready()
	settle(h.Getenv)
	if err := s.wait(ctx, h, m, t, signals); err != nil {
		return err
	}
	return s.countAlarms(alarms, t)
}

// countAlarms tells how many alarms there were, if there were any, and makes that the exit status.
func (s *settings) countAlarms(alarms *alarms, t *teller) error {
	switch n := alarms.Raised(); n {
	case 0:
		return nil
	case 1:
		t.tell(sprintf(msgOneAlarm, shown(s.mountpoint)))
	default:
		t.tell(sprintf(msgAlarms, n, shown(s.mountpoint)))
	}
	return &StatusError{statusAlarms}
}

// mounted is all that a mount keeps open.
type mounted struct {
	files  *fs.FileSystem
	server *fs.Server
	close  func()
}

func (s *settings) mount(ctx context.Context, h Host, alarms *alarms, t *teller) (*mounted, error) {
	if err := s.inTime(ctx, s.mountpoint, func() error { return s.check(h) }); err != nil {
		return nil, err
	}
	r := &relay{alarms: alarms}
	var m *mounted
	err := s.inTime(ctx, s.archive, func() (err error) {
		m, err = s.open(ctx, h, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	r.files.Store(m.files)
	m.server, err = fs.Mount(ctx, m.files, s.mountpoint, s.mountOptions(h, t))
	if err != nil {
		m.close()
		return nil, s.mountError(err)
	}
	return m, nil
}

// check says what speaks against the mount but the archive.
func (s *settings) check(h Host) error {
	if real, err := filepath.EvalSymlinks(s.mountpoint); err == nil {
		s.mountpoint = real
	}
	if err := s.checkMountpoint(h); err != nil {
		return err
	}
	return s.checkSystem(h)
}

// inTime does what takes an answer of a directory, which may be one of a disk or a network that is gone and lets nobody who asked go.
func (s *settings) inTime(ctx context.Context, dir string, do func() error) error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	limit := s.requestTimeout()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
			if !s.asking.Load() {
				return failure("io", msgNoAnswer, shown(dir), limit)
			}
			timer.Reset(limit)
		}
	}
}

// open opens the archive, in a storage that answers in time, and finds what is to be shown of it.
func (s *settings) open(ctx context.Context, h Host, r *relay) (*mounted, error) {
	if isWithin(s.mountpoint, s.archive) {
		return nil, failure("mountpoint", msgInsideArchive, shown(s.mountpoint))
	}
	if err := s.checkDisk(); err != nil {
		return nil, err
	}
	place, err := h.openPlace(ctx, s.archive)
	if err != nil {
		return nil, err
	}
	kept := s.openDisk(h, r)
	st := bounded.New(place, bounded.Options{Timeout: s.storageTimeout()})
	others, closeOthers, err := s.openOthers(ctx, h)
	if err != nil {
		closeDisk(kept)
		place.Close()
		return nil, err
	}
	a, err := archive.Open(ctx, st, archive.Options{
		CacheBytes: s.cacheBytes, HunkCacheBytes: s.indexBytes, Alarms: r, Disk: kept, Also: others, Unlock: s.keys(h, r),
	})
	if err == nil {
		if err = s.checkKnown(h, a, r); err != nil {
			a.Close()
		}
	}
	if err != nil {
		closeDisk(kept)
		place.Close()
		closeOthers()
		return nil, err
	}
	m := &mounted{close: func() {
		a.Close()
		closeDisk(kept)
		place.Close()
		closeOthers()
	}}
	m.files, err = fs.New(ctx, a, s.shown(h, r.alarms, st))
	if err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

// openOthers opens the archives that damaged objects are taken from.
func (s *settings) openOthers(ctx context.Context, h Host) (others []archive.Other, closeAll func(), err error) {
	var open []io.Closer
	closeAll = func() {
		for _, c := range open {
			c.Close()
		}
	}
	for _, word := range s.also {
		place, err := h.openPlace(ctx, word)
		if err != nil {
			closeAll()
			return nil, nil, err
		}
		open = append(open, place)
		others = append(others, archive.Other{Name: word, Storage: bounded.New(place, bounded.Options{Timeout: s.storageTimeout()})})
	}
	return others, closeAll, nil
}

// openPlace opens the storage that ARCHIVE names.
func (h Host) openPlace(ctx context.Context, word string) (Place, error) {
	if !cloud.IsPlace(word) {
		return file.Open(word, file.Options{})
	}
	p, err := cloud.Parse(word)
	if err != nil {
		return nil, err
	}
	return h.OpenStore(ctx, p)
}

// elsewhere is an *ElsewhereError if h can't open what the words name.
func (s *settings) elsewhere(h Host) error {
	for _, word := range append([]string{s.archive}, s.also...) {
		if cloud.IsPlace(word) && h.OpenStore == nil {
			return &ElsewhereError{word}
		}
	}
	return nil
}

// shown is what is shown, and how.
func (s *settings) shown(h Host, alarms alarm.Raiser, st *bounded.Storage) fs.Options {
	return fs.Options{
		Band: s.band, Subtree: s.subtree, UID: s.uid, GID: s.gid, Shared: s.allowOther, Timeout: s.timeout, Now: h.Now, Alarms: alarms,
		Mounter: fs.Owner{UID: uint32(h.UID), GID: uint32(h.GID)}, ListAdded: s.listXAttrs,
		Storage: func() any { return st.Counts() }, FetchAheadBytes: s.fetchAheadBytes(),
	}
}

// fetchAheadBytes is how much may be fetched ahead of readers: no more than half of what is kept. 0: the default.
func (s *settings) fetchAheadBytes() int64 {
	if half := s.cacheBytes / 2; half < fs.DefaultFetchAheadBytes {
		return half
	}
	return 0
}

// requestTimeout is how long a request may take.
func (s *settings) requestTimeout() time.Duration {
	if s.timeout == 0 {
		return fs.DefaultTimeout
	}
	return s.timeout
}

// storageTimeout is how long the storage may take to answer: less than a request may, so that what it says names the object.
func (s *settings) storageTimeout() time.Duration { return s.requestTimeout() * 3 / 4 }

func (s *settings) mountOptions(h Host, t *teller) fs.MountOptions {
	return fs.MountOptions{
		Source: s.located(""), Direct: h.UID == 0, Flags: s.flags, ReadAheadBytes: s.readAhead, Logger: t.logger(),
	}
}
