package restore

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"dura/archive/alarm"
	"dura/archive/format"
)

// subject is what metadata is put on: an open file or directory or, where fd is negative, what a name in a directory stands
// for, which may be a symbolic link.
type subject struct {
	fd    int
	dir   int
	name  string
	path  format.Path
	stat  unix.Stat_t // what it has
	quiet bool        // nobody asked for it: what can't be had is no alarm
}

// dress puts e's metadata on s, in the order in which one thing doesn't undo the other: owner, attributes, mode, times. What
// can't be had is an alarm each; an error ends the run.
func (r *run) dress(s *subject, e *format.Entry) error {
	mode, err := r.setOwner(s, e)
	if err != nil {
		return err
	}
	remade, err := r.setXAttrs(s, e.XAttrs)
	if err != nil {
		return err
	}
	if e.Kind != format.Symlink && (remade || permOf(&s.stat) != mode) {
		if err := s.chmod(mode); err != nil {
			if err := r.refused(s, fmt.Sprintf("mode %04o not set", mode), err); err != nil {
				return err
			}
		}
	}
	return r.setTime(s, e.MTime)
}

// setOwner returns the mode that goes with the owner: without one of its bits where that would lend somebody else's rights.
func (r *run) setOwner(s *subject, e *format.Entry) (mode uint32, err error) {
	if r.o.NoOwner {
		return lentMode(e, e.Owner.UID == s.stat.Uid, e.Owner.GID == s.stat.Gid), nil
	}
	uid, gid := r.owners.numbers(e.Owner)
	if s.stat.Uid == uid && s.stat.Gid == gid {
		return e.Mode, nil
	}
	sameUser, sameGroup := s.stat.Uid == uid, s.stat.Gid == gid
	err = unix.EPERM
	if sameUser || !r.chownDenied.Load() {
		if err = s.chown(int(uid), int(gid)); err == nil {
			return e.Mode, nil
		}
	}
	if !sameUser && errors.Is(err, unix.EPERM) {
		r.chownDenied.Store(true)
		sameGroup = sameGroup || s.chown(-1, int(gid)) == nil
	}
	mode = lentMode(e, sameUser, sameGroup)
	what := fmt.Sprintf("owner %d:%d not set", uid, gid)
	if mode != e.Mode {
		what += fmt.Sprintf(", so mode %04o instead of %04o", mode, e.Mode)
	}
	return mode, r.refused(s, what, err)
}

// lentMode is e's mode without the bits that would lend the rights of another user or group than the one that lent them.
func lentMode(e *format.Entry, sameUser, sameGroup bool) uint32 {
	mode := e.Mode
	if e.Kind == format.Directory {
		return mode
	}
	if !sameUser {
		mode &^= unix.S_ISUID
	}
	if !sameGroup {
		mode &^= unix.S_ISGID
	}
	return mode
}

// maxPlainSeconds is where times that every file system holds end: they begin in 1970.
const maxPlainSeconds = 1<<31 - 1

func (r *run) setTime(s *subject, t format.Time) error {
	mtime, err := unix.TimeToTimespec(t.Std())
	if err == nil {
		err = s.setTime(mtime)
	}
	if err == nil && (t.Seconds < 0 || t.Seconds > maxPlainSeconds) {
		err = s.checkTime(t)
	}
	if err == nil {
		return nil
	}
	return r.refused(s, fmt.Sprintf("time %d.%09d not set", t.Seconds, t.Nanos), err)
}

// checkTime finds out whether a file system has put a time it can't hold to the nearest one it can, which is no error to it.
func (s *subject) checkTime(t format.Time) error {
	var st unix.Stat_t
	err := s.restat(&st)
	if err == nil && (int64(st.Mtim.Sec) != t.Seconds || int64(st.Mtim.Nsec) != int64(t.Nanos)) {
		return unix.EOVERFLOW
	}
	return err
}

func (s *subject) restat(st *unix.Stat_t) error {
	if s.fd >= 0 {
		return unix.Fstat(s.fd, st)
	}
	return lstat(s.dir, s.name, st)
}

func (s *subject) chown(uid, gid int) error {
	if s.fd >= 0 {
		return unix.Fchown(s.fd, uid, gid)
	}
	return unix.Fchownat(s.dir, s.name, uid, gid, unix.AT_SYMLINK_NOFOLLOW)
}

func (s *subject) chmod(mode uint32) error {
	if s.fd >= 0 {
		return unix.Fchmod(s.fd, mode)
	}
	err := unix.Fchmodat(s.dir, s.name, mode, unix.AT_SYMLINK_NOFOLLOW)
	if err == unix.EOPNOTSUPP {
		// Linux before 6.6. It is no symbolic link: it was made just now, under a name that nobody knows.
		return unix.Fchmodat(s.dir, s.name, mode, 0)
	}
	return err
}

func (s *subject) setTime(mtime unix.Timespec) error {
	if s.fd >= 0 {
		return setTimes(s.fd, s.dir, s.name, mtime)
	}
	times := keepingATime(mtime)
	return unix.UtimesNanoAt(s.dir, s.name, times[:], unix.AT_SYMLINK_NOFOLLOW)
}

// refused raises an alarm for metadata that could not be set, unless it ends the run.
func (r *run) refused(s *subject, what string, err error) error {
	if isFatal(err) {
		return &Error{Op: what + " for", Path: r.local(s.path), Err: err}
	}
	if s.quiet {
		return nil
	}
	condition := conditionOf(err)
	if condition == alarm.Exists || condition == alarm.Missing {
		condition = alarm.IOError
	}
	return r.raise(alarm.Alarm{Area: alarm.Restore, Condition: condition, Filename: r.local(s.path), Message: what, Err: err})
}
