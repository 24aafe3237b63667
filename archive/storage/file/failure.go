package file

import (
	"context"
	"errors"
	"fmt"
	"os"

	"dura/archive/storage"

	"golang.org/x/sys/unix"
)

// cause is what is wrong where no system call failed.
type cause string

func (c cause) Error() string { return string(c) }

const (
	isLink     cause = "it is a symbolic link, and none is followed inside an archive"
	notRegular cause = "it is neither a regular file nor a directory"
	cannotMove cause = "this file system can neither rename without overwriting nor make hard links: keep the archive on another"
	noName     cause = "the names that were tried for a temporary file are all taken"
	swept      cause = "the temporary file was removed while it was written"
	restless   cause = "the directory was removed each time it had been made"
)

// failure makes the error that an operation returns of what went wrong in it.
func failure(op, object string, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s %s: %w", op, object, err)
	}
	return &storage.Error{Op: op, Object: object, Kind: kindOf(op, err), Err: err}
}

func kindOf(op string, err error) storage.Kind {
	if c := cause(""); errors.As(err, &c) {
		if c == swept || c == restless {
			return storage.KindUnavailable
		}
		return storage.KindIO
	}
	var errno unix.Errno
	if !errors.As(err, &errno) {
		return storage.KindIO
	}
	switch errno {
	case unix.ENOENT, unix.EISDIR:
		return storage.KindNotFound
	case unix.ENOTDIR: // a file where a folder ought to be
		if op == storage.OpCreate || op == storage.OpOpen {
			return storage.KindInvalid
		}
		return storage.KindNotFound
	case unix.EEXIST:
		return storage.KindExists
	case unix.EACCES, unix.EPERM:
		return storage.KindDenied
	case unix.ENOSPC, unix.EDQUOT:
		return storage.KindFull
	case unix.EROFS:
		return storage.KindReadOnly
	case unix.ENAMETOOLONG:
		return storage.KindInvalid
	case unix.EMFILE, unix.ENFILE, unix.ENOMEM, unix.EAGAIN, unix.ETIMEDOUT:
		return storage.KindUnavailable
	}
	return storage.KindIO
}

// failed names the call and the path that err is about. It is nil if err is.
func (s *Storage) failed(call, name string, err error) error {
	if err == nil {
		return nil
	}
	return &os.PathError{Op: call, Path: s.path(name), Err: err}
}

// retry calls f until no signal interrupts it.
func retry[T any](f func() (T, error)) (T, error) {
	for {
		v, err := f()
		if err != unix.EINTR {
			return v, err
		}
	}
}

// retry0 is retry for calls that return an error alone.
func retry0(f func() error) error {
	_, err := retry(func() (struct{}, error) { return struct{}{}, f() })
	return err
}
