package storage

import (
	"errors"
	"fmt"
)

// Kind classes what can go wrong in a storage, by what the caller can do about it.
type Kind int

const (
	KindIO          Kind = iota // the medium or the network failed
	KindNotFound                // no such object
	KindExists                  // a create found the name taken
	KindDenied                  // permission refused
	KindFull                    // no space, no inodes or no quota left
	KindReadOnly                // the medium takes no writes
	KindInvalid                 // a name or a range that no storage takes
	KindUnavailable             // not now: worth another try
)

var kindWords = [...]string{
	KindIO: "input/output error", KindNotFound: "not found", KindExists: "exists already", KindDenied: "permission denied",
	KindFull: "no space left", KindReadOnly: "read-only", KindInvalid: "invalid", KindUnavailable: "unavailable",
}

func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindWords) {
		return fmt.Sprintf("Kind(%d)", int(k))
	}
	return kindWords[k]
}

// Error is a failed storage operation.
type Error struct {
	Op     string // create, read, list, stat, delete, open, settle
	Object string // the object's name, or the prefix listed
	Kind   Kind
	Err    error // the cause, if there is more to say
}

func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("%s %s: %s", e.Op, e.Object, e.Kind)
	}
	return fmt.Sprintf("%s %s: %s: %v", e.Op, e.Object, e.Kind, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Is reports whether err holds a storage error of this kind.
func Is(err error, kind Kind) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == kind
}
