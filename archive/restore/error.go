package restore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/format"
)

// Error is what ends a restore: the destination can't be used, or takes nothing more.
type Error struct {
	Op   string
	Path string // local
	Err  error
}

func (e *Error) Error() string {
	text := e.Op
	if e.Path != "" {
		text = fmt.Sprintf("%s %q", e.Op, e.Path)
	}
	return text + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// callError is a system call that failed.
type callError struct {
	op  string
	err error
}

func (e *callError) Error() string { return e.op + ": " + e.err.Error() }
func (e *callError) Unwrap() error { return e.err }

func callFailed(op string, err error) error {
	if err == nil {
		return nil
	}
	return &callError{op, err}
}

// contentError is content that can't be had, or is not what it was.
type contentError struct{ err error }

func (e *contentError) Error() string { return e.err.Error() }
func (e *contentError) Unwrap() error { return e.err }

// isFatal reports whether err is one after which every file would fail likewise.
func isFatal(err error) bool {
	return isAny(err, unix.ENOSPC, unix.EDQUOT, unix.EROFS, unix.EMFILE, unix.ENFILE, unix.ENOMEM)
}

// failed makes an alarm of what kept p from being restored, or the error that ends the run.
func (r *run) failed(p format.Path, err error) error {
	var (
		content *contentError
		abort   *alarm.AbortError
		ended   *Error
	)
	switch {
	case errors.As(err, &abort) || errors.As(err, &ended) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.As(err, &content):
		return r.damaged(p, content.err)
	case isFatal(err):
		return &Error{Op: "restore", Path: r.local(p), Err: err}
	}
	condition := conditionOf(err)
	if condition == alarm.Exists {
		r.count.left.Add(1)
	}
	return r.raise(alarm.Alarm{Area: alarm.Restore, Condition: condition, Filename: r.local(p), Err: err})
}

// damaged raises the alarm for content that can't be had: on the path in the band, with the object as message.
func (r *run) damaged(p format.Path, err error) error {
	a := archive.AlarmOf(err)
	if a.Area == alarm.Archive { // no object is at fault
		a.Area, a.Condition = areaOf(err, a.Condition)
	}
	if a.Filename != string(p) {
		a.Message = a.Filename
	}
	a.Filename = string(p)
	return r.raise(a)
}

// areaOf says what is off where content and entry don't fit together.
func areaOf(err error, otherwise alarm.Condition) (alarm.Area, alarm.Condition) {
	var mismatch *format.MismatchError
	var corrupt *format.CorruptError
	switch {
	case errors.As(err, &mismatch):
		return alarm.Block, alarm.Mismatch
	case errors.As(err, &corrupt):
		return alarm.Band, alarm.Corrupt
	}
	return alarm.Block, otherwise
}

// unreadable raises the alarm for a part of the index that can't be read.
func (r *run) unreadable(ctx context.Context, err error) error {
	var abort *alarm.AbortError
	if errors.As(err, &abort) {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return r.raise(archive.AlarmOf(err))
}

func conditionOf(err error) alarm.Condition {
	switch {
	case errors.Is(err, errSpared):
		return alarm.Exists
	case isAny(err, unix.EEXIST, unix.EISDIR, unix.ENOTEMPTY, unix.ENOTDIR, unix.ELOOP):
		return alarm.Exists
	case isAny(err, unix.EPERM, unix.EACCES):
		return alarm.Denied
	case isAny(err, unix.ENOENT):
		return alarm.Missing
	case isAny(err, unix.EOPNOTSUPP, unix.ENOTSUP, unix.ENOSYS, unix.EINVAL, unix.ENAMETOOLONG, unix.EFBIG, unix.EOVERFLOW, unix.EILSEQ,
		unix.ERANGE, unix.E2BIG, unix.EMLINK, unix.EXDEV):
		return alarm.Unsupported
	}
	return alarm.IOError
}

func isAny(err error, errnos ...unix.Errno) bool {
	var errno unix.Errno
	return errors.As(err, &errno) && slices.Contains(errnos, errno)
}
