package main

import (
	"errors"
	"io/fs"
	"syscall"

	"dura/archive"
	"dura/archive/format"
	"dura/archive/storage"
)

// bareReason is why something failed, without the names that whoever tells of it knows already: what the operating system
// said, or what the innermost of our own errors adds.
func bareReason(err error) string {
	var (
		errno     syscall.Errno
		corrupt   *format.CorruptError
		mismatch  *format.MismatchError
		stored    *storage.Error
		inArchive *archive.Error
		path      *fs.PathError
	)
	switch {
	case errors.As(err, &errno):
		return errno.Error()
	case errors.As(err, &corrupt):
		return corrupt.Reason
	case errors.As(err, &mismatch):
		return mismatch.Error()
	case errors.As(err, &stored) && stored.Err != nil:
		return bareReason(stored.Err)
	case errors.As(err, &stored):
		return stored.Kind.String()
	case errors.As(err, &inArchive) && inArchive.Err != nil:
		return bareReason(inArchive.Err)
	case errors.As(err, &inArchive):
		return inArchive.Kind.String()
	case errors.As(err, &path):
		return path.Err.Error()
	}
	return err.Error()
}

// reasonOf is bareReason for messages.
func reasonOf(err error) string { return shown(bareReason(err)) }
