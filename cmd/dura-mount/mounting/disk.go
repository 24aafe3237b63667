package mounting

import (
	"errors"
	"io/fs"
	"path/filepath"

	"dura/archive/alarm"
	"dura/archive/storage/cloud"
	"dura/cache/disk"
)

const defaultDiskBytes = 4 << 30

// checkDisk says what speaks against the place of the cache on disk: what it would be hidden by, or show itself in.
func (s *settings) checkDisk() error {
	if s.diskDir == "" {
		return nil
	}
	dir := nearest(s.diskDir)
	switch {
	case isWithin(s.mountpoint, s.diskDir):
		return failure("mountpoint", msgInsideCache, shown(s.mountpoint), shown(s.diskDir))
	case isWithin(dir, s.mountpoint):
		return failure("cache", msgCacheInside, shown(s.diskDir), shown(s.mountpoint))
	case !cloud.IsPlace(s.archive) && isWithin(dir, s.archive):
		return failure("cache", msgCacheInside, shown(s.diskDir), shown(s.archive))
	}
	return nil
}

// nearest is path, or what of the way there exists.
func nearest(path string) string {
	for {
		_, err := filepath.EvalSymlinks(path)
		parent := filepath.Dir(path)
		if err == nil || parent == path {
			return path
		}
		path = parent
	}
}

// openDisk opens the cache on disk, if there is to be one. Where it can't be used there is an alarm, and the mount does without.
func (s *settings) openDisk(h Host, r alarm.Raiser) *disk.Cache {
	if s.diskDir == "" {
		return nil
	}
	if s.diskBytes == 0 {
		s.diskBytes = defaultDiskBytes
	}
	raise := func(err error) { _ = r.Raise(diskAlarm(err)) }
	c, err := disk.Open(s.diskDir, disk.Options{MaxBytes: s.diskBytes, Now: h.Now, Trouble: raise})
	if err != nil {
		raise(err)
		return nil
	}
	return c
}

func closeDisk(c *disk.Cache) {
	if c != nil {
		c.Close()
	}
}

// diskAlarm is the alarm that stands for trouble of the cache on disk.
func diskAlarm(err error) alarm.Alarm {
	a := alarm.Alarm{Area: alarm.Machine, Condition: alarm.IOError, Err: err}
	var e *disk.Error
	if errors.As(err, &e) {
		a.Filename, a.Err = e.File, e.Err
	}
	switch {
	case errors.Is(err, disk.ErrCorrupt):
		a.Condition = alarm.Corrupt
	case errors.Is(err, fs.ErrPermission):
		a.Condition = alarm.Denied
	}
	return a
}
