package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"dura/archive"
	"dura/archive/alarm"
	"dura/cmd/dura/state"
)

// runningError says that the same backup is running already.
type runningError struct {
	pid   int       // 0: not known
	since time.Time // zero: not known
}

func (e *runningError) Error() string { return "the same backup is running" }

// lockBackup keeps a second run of the same backup away for as long as this one lives: of the same paths into the same archive. Its
// error is a *runningError where one is running. Where there can be no lock, an alarm is raised, and there is none.
func (a *app) lockBackup(ar *archive.Archive, paths []string) (unlock func(), err error) {
	host, _ := a.host.name() // where there is none, homes are not shared between machines
	name, err := lockName(ar.Head().ID, host, paths)
	if err != nil {
		return nil, err
	}
	l, err := takeLock(filepath.Join(a.stateDir(), "locks", name), os.Getpid(), a.host.now())
	var running *runningError
	switch {
	case err == nil:
		return l.release, nil
	case errors.As(err, &running):
		return nil, running
	}
	raised := a.alarms.Raise(alarm.Alarm{
		Area: alarm.Machine, Condition: lockCondition(err), Filename: lockPlace(a.stateDir(), err),
		Message: sprintf(msgNoLock, bareReason(err)), Err: err,
	})
	return func() {}, raised
}

// lockPlace is the name that an error of a lock is about.
func lockPlace(dir string, err error) string {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Path
	}
	return dir
}

func lockCondition(err error) alarm.Condition {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return alarm.Denied
	case errors.Is(err, fs.ErrNotExist):
		return alarm.Missing
	case errors.Is(err, unix.ENOTSUP), errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOLCK), errors.Is(err, unix.ENOSYS):
		return alarm.Unsupported
	}
	return alarm.IOError
}

// lockName is what a backup's lock is called: equal for all ways to name the same archive and the same paths, in any order. Homes
// may be shared by machines that each back up paths of their own under these names.
func lockName(archiveID, host string, paths []string) (string, error) {
	var all []string
	for _, path := range paths {
		absolute, err := filepath.Abs(path)
		if err != nil {
			return "", err
		}
		all = append(all, absolute)
	}
	slices.Sort(all)
	sum := sha256.Sum256([]byte(archiveID + "\x00" + host + "\x00" + strings.Join(slices.Compact(all), "\x00")))
	return "backup-" + hex.EncodeToString(sum[:16]), nil
}

// stateDir is where this machine keeps what it can't make anew.
func (a *app) stateDir() string { return state.Dir(a.host.getenv) }

// lock is a file that this process holds. It is never removed, or two runs might each hold one of that name; what it says is of
// whoever holds it, and the system lets go of it when that process ends, however it does.
type lock struct{ file *os.File }

const (
	lockLine = "pid %d since %s\n"

	// Between taking a lock and saying who did, there is a moment.
	lockReads = 20
	lockWait  = 10 * time.Millisecond
)

func takeLock(name string, pid int, now time.Time) (*lock, error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = flock(file, unix.LOCK_EX|unix.LOCK_NB)
	switch {
	case errors.Is(err, unix.EWOULDBLOCK):
		defer file.Close()
		return nil, readHolder(file)
	case err != nil:
		file.Close()
		return nil, &os.PathError{Op: "flock", Path: name, Err: err}
	}
	l := &lock{file}
	if err := l.say(fmt.Sprintf(lockLine, pid, now.UTC().Format(time.RFC3339))); err != nil {
		l.release()
		return nil, err
	}
	return l, nil
}

func flock(file *os.File, how int) error {
	for {
		err := unix.Flock(int(file.Fd()), how)
		if err != unix.EINTR {
			return err
		}
	}
}

// say puts line in the file's place.
func (l *lock) say(line string) error {
	if err := l.file.Truncate(0); err != nil {
		return err
	}
	_, err := l.file.WriteAt([]byte(line), 0)
	return err
}

// release lets go of the lock. That nobody holds it is said first, so that nobody is taken for the holder later.
func (l *lock) release() {
	_ = l.file.Truncate(0) // the lock counts, not what is said
	l.file.Close()
}

// readHolder reads who holds the lock. Until that process says so, the file may speak of one that held it before.
func readHolder(file *os.File) *runningError {
	for range lockReads {
		buf := make([]byte, 128)
		n, err := file.ReadAt(buf, 0)
		if err != nil && err != io.EOF {
			break
		}
		if e, ok := parseHolder(string(buf[:n])); ok && isAlive(e.pid) {
			return e
		}
		time.Sleep(lockWait)
	}
	return &runningError{}
}

func parseHolder(line string) (*runningError, bool) {
	var pid int
	var since string
	if n, err := fmt.Sscanf(line, lockLine, &pid, &since); n != 2 || err != nil || pid <= 0 {
		return nil, false
	}
	at, err := time.Parse(time.RFC3339, since)
	return &runningError{pid: pid, since: at}, err == nil
}

// isAlive reports whether there is a process of that number, another user's too.
func isAlive(pid int) bool { return unix.Kill(pid, 0) != unix.ESRCH }
