package archive

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"dura/archive/alarm"
	"dura/archive/format"
	"dura/archive/seal"
	"dura/archive/storage"
)

// Kind classes what can go wrong in an archive, by what the caller can do about it.
type Kind int

const (
	KindIO            Kind = iota // storage failed
	KindNotFound                  // no such path or band
	KindMissing                   // an object that is referred to isn't there
	KindNotAnArchive              // the place has no DURA-ARCHIVE
	KindTooNew                    // it needs a later version of Dura
	KindCorrupt                   // it is not what the format says
	KindMismatch                  // its hash is not the one recorded, or it contradicts what refers to it
	KindDenied                    // storage refused
	KindAmbiguous                 // more than one band is meant
	KindExists                    // there is an archive already, or something else
	KindDeleted                   // the band is given up
	KindNotADirectory             // the path is something else
	KindNotAFile                  // the path is something else
	KindLocked                    // there is no key to open it
)

var kindWords = [...]string{
	KindIO: "input/output error", KindNotFound: "not found", KindMissing: "missing", KindNotAnArchive: "not an archive",
	KindTooNew: "made by a later version", KindCorrupt: "corrupt", KindMismatch: "not as recorded", KindDenied: "permission denied",
	KindAmbiguous: "ambiguous", KindExists: "exists already", KindDeleted: "deleted", KindNotADirectory: "not a directory",
	KindNotAFile: "not a regular file", KindLocked: "locked",
}

func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindWords) {
		return fmt.Sprintf("Kind(%d)", int(k))
	}
	return kindWords[k]
}

// Error is what went wrong in an archive. Fields that don't apply are empty.
type Error struct {
	Op     string        // what was tried
	Band   format.BandID //
	Object string        // the object that is at fault
	Path   format.Path   // the entry concerned
	Kind   Kind
	Err    error // the cause, if there is more to say
}

func (e *Error) Error() string {
	words := []string{e.Op}
	if e.Band != "" {
		words = append(words, "band "+string(e.Band))
	}
	if e.Path != format.Root {
		words = append(words, fmt.Sprintf("%q", string(e.Path)))
	}
	if e.Object != "" {
		words = append(words, e.Object)
	}
	words = append(words, e.Kind.String())
	if e.Err != nil {
		words = append(words, e.Err.Error())
	}
	return strings.Join(words, ": ")
}

func (e *Error) Unwrap() error { return e.Err }

// Is reports whether err holds an *Error of this kind.
func Is(err error, kind Kind) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == kind
}

// kindOf classes the errors of format and storage.
func kindOf(err error) Kind {
	var (
		corrupt     *format.CorruptError
		mismatch    *format.MismatchError
		unsupported *format.UnsupportedError
		stored      *storage.Error
		size        *sizeError
		locked      *seal.LockedError
	)
	switch {
	case errors.As(err, &locked) && locked.Foreign:
		return KindMismatch
	case errors.As(err, &locked):
		return KindLocked
	case errors.As(err, &size):
		return KindMismatch
	case errors.As(err, &mismatch):
		return KindMismatch
	case errors.As(err, &corrupt):
		return KindCorrupt
	case errors.As(err, &unsupported):
		return KindTooNew
	case errors.As(err, &stored) && stored.Kind == storage.KindNotFound:
		return KindMissing
	case errors.As(err, &stored) && stored.Kind == storage.KindDenied:
		return KindDenied
	}
	return KindIO
}

// objectError says that an object could not be used. An end of the context stays what it is.
func objectError(op string, band format.BandID, object string, err error) error {
	if err == nil || isContextError(err) {
		return err
	}
	return &Error{Op: op, Band: band, Object: object, Kind: kindOf(err), Err: err}
}

func isContextError(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// AlarmOf is the alarm that stands for err, an error of this package or of storage: of area block, band or archive, on the
// object at fault where there is one, else on the path.
func AlarmOf(err error) alarm.Alarm {
	a := alarm.Alarm{Area: alarm.Archive, Condition: alarm.IOError, Err: err}
	var e *Error
	if !errors.As(err, &e) {
		return a
	}
	if e.Band != "" {
		a.Area = alarm.Band
	}
	a.Filename = string(e.Path)
	if e.Object != "" {
		a.Filename = e.Object
		if _, kind, _, err := format.ParseObjectName(e.Object); err == nil && kind == format.BlockObject {
			a.Area = alarm.Block
		}
	}
	a.Condition = conditionOf(e.Kind)
	return a
}

func conditionOf(k Kind) alarm.Condition {
	switch k {
	case KindNotFound, KindMissing, KindNotAnArchive, KindDeleted:
		return alarm.Missing
	case KindTooNew:
		return alarm.Unsupported
	case KindCorrupt:
		return alarm.Corrupt
	case KindMismatch, KindNotADirectory, KindNotAFile:
		return alarm.Mismatch
	case KindDenied, KindLocked:
		return alarm.Denied
	case KindExists:
		return alarm.Exists
	}
	return alarm.IOError
}
