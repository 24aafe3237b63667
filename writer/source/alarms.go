package source

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"dura/archive/alarm"
)

// ErrChanged is what opening a file, or going back to a directory, fails with where something else stands there meanwhile.
var ErrChanged = errors.New("it is no longer what it was when it was listed")

// ConditionOf is the condition of the alarm for an error of the source.
func ConditionOf(err error) alarm.Condition {
	var errno unix.Errno
	if errors.Is(err, ErrChanged) {
		return alarm.Mismatch
	}
	if !errors.As(err, &errno) {
		return alarm.IOError
	}
	switch errno {
	case unix.ENOENT, unix.ESTALE:
		return alarm.Missing
	case unix.EACCES, unix.EPERM:
		return alarm.Denied
	case unix.ENOTDIR, unix.ELOOP:
		return alarm.Mismatch
	case unix.ENAMETOOLONG, unix.ENOSYS, unix.E2BIG:
		return alarm.Unsupported
	}
	if unsupported(err) {
		return alarm.Unsupported
	}
	return alarm.IOError
}

// unsupported is for the two errors that are one on most systems.
func unsupported(err error) bool {
	return errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.EOPNOTSUPP)
}

// raise raises the alarm for a failed system call.
func (t *Trees) raise(filename string, err error) error {
	return t.o.Alarms.Raise(alarm.Alarm{Area: alarm.Source, Condition: ConditionOf(err), Filename: filename, Err: err})
}

func (t *Trees) raiseUnsupported(filename, message string) error {
	return t.o.Alarms.Raise(alarm.Alarm{
		Area: alarm.Source, Condition: alarm.Unsupported, Filename: filename, Message: message,
	})
}

// failed is err as the system call named call gave it.
func failed(call string, err error) error { return os.NewSyscallError(call, err) }
