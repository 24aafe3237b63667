package dedup

import (
	"errors"
	"fmt"
	"os"

	"dura/archive/alarm"
)

// DamageError says why a segment is not used any more. What it covered will be read anew.
type DamageError struct {
	File string // its path
	Err  error

	again bool // the segment was known to be damaged
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("%s is left out of the deduplication index: %v", e.File, e.Err)
}

func (e *DamageError) Unwrap() error { return e.Err }

// Condition is the condition of an alarm about it: Mismatch for what is of another archive or has another name, Unsupported for
// a version that is not known, Denied and IOError for what can't be read, Corrupt for all else.
func (e *DamageError) Condition() alarm.Condition {
	switch {
	case errors.Is(e.Err, errForeign) || errors.Is(e.Err, errNamed):
		return alarm.Mismatch
	case errors.Is(e.Err, errVersion):
		return alarm.Unsupported
	case errors.Is(e.Err, os.ErrPermission):
		return alarm.Denied
	case unreadable(e.Err):
		return alarm.IOError
	}
	return alarm.Corrupt
}

// unreadable reports whether err came from the system, so that the file itself may be sound.
func unreadable(err error) bool {
	var path *os.PathError
	var call *os.SyscallError
	return errors.As(err, &path) || errors.As(err, &call)
}
