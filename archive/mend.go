package archive

import (
	"context"
	"errors"
	"slices"
	"sync"

	"dura/archive/format"
	"dura/archive/storage"
)

// source is where objects are read from: storage, or what can be had of them in another way.
type source interface {
	Read(ctx context.Context, name string, offset int64, maxBytes int) ([]byte, error)
}

// Other is another archive that may have the same bands: what is damaged in one is taken from it.
type Other struct {
	Name    string // for alarms
	Storage storage.Storage
}

// substitute is a source for objects that the storage has not, or not as they were.
type substitute struct {
	source
	from string // for alarms; empty: none is raised
}

// mender finds what damaged objects should be.
type mender struct {
	archive *Archive
	others  []Other
	bands   bandTable
	rows    rowCache

	mu     sync.Mutex
	raised map[string]bool // objects
}

// maxRaisedKept bounds how many objects are remembered as told of. Beyond it they are forgotten.
const maxRaisedKept = 10_000

func newMender(a *Archive, others []Other) (*mender, error) {
	rows, err := newRowCache()
	if a.keys != nil {
		others = slices.Clone(others)
		for i := range others {
			others[i].Storage = named{others[i].Storage}
		}
	}
	return &mender{archive: a, others: others, rows: rows, raised: map[string]bool{}}, err
}

// substitutes are where an object may be had from, the best one first.
func (m *mender) substitutes(name string) []substitute {
	list := []substitute{
		{source: repairedCopies{m}},
		{source: parityOf{m}, from: "rebuilt from parity"},
	}
	for _, o := range m.others {
		list = append(list, substitute{source: o.Storage, from: "taken from " + o.Name})
	}
	return list
}

// mendable reports whether err says that one object is not there, or not what it was. A storage that can't be had says nothing
// of its objects.
func mendable(err error) bool {
	var e *Error
	if err == nil || isContextError(err) || storage.Is(err, storage.KindUnavailable) || errors.Is(err, errSubstitute) {
		return false
	}
	kind := kindOf(err)
	if errors.As(err, &e) {
		kind = e.Kind
	}
	switch kind {
	case KindMissing, KindCorrupt, KindMismatch:
		return true
	case KindIO:
		return storage.Is(err, storage.KindIO)
	}
	return false
}

// mended tries to get at an object: in storage, and where that is damaged, in substitutes. What was got from one of those is an alarm,
// once for each object.
func mended[T any](ctx context.Context, a *Archive, name string, try func(source) (T, error)) (T, error) {
	v, err := try(a.storage)
	if !mendable(err) {
		return v, err
	}
	return mend(ctx, a, name, err, try)
}

// mend is mended for an object that is known to be damaged, as damage says.
func mend[T any](ctx context.Context, a *Archive, name string, damage error, try func(source) (T, error)) (T, error) {
	var none T
	var reasons []error
	for _, s := range a.mender.substitutes(name) {
		v, err := try(s)
		switch {
		case err == nil:
			return v, a.mender.tell(s, name, damage)
		case ctx.Err() != nil:
			return none, context.Cause(ctx)
		}
		reasons = append(reasons, err)
	}
	return none, withReason(damage, reasons)
}

// withReason adds to damage why parity does not help, where there is parity.
func withReason(damage error, reasons []error) error {
	for _, r := range reasons {
		var beyond *BeyondError
		var e *Error
		if errors.As(r, &beyond) && errors.As(damage, &e) {
			said := *e
			if said.Err = beyond; e.Err != nil {
				said.Err = &irreparableError{e.Err, beyond}
			}
			return &said
		}
	}
	return damage
}

// irreparableError is a cause of damage that parity can't make up for.
type irreparableError struct {
	cause  error
	beyond *BeyondError
}

func (e *irreparableError) Error() string   { return e.cause.Error() + "; " + e.beyond.Error() }
func (e *irreparableError) Unwrap() []error { return []error{e.cause, e.beyond} }

// errSubstitute is that of substitutes that have nothing.
var errSubstitute = errors.New("there is no other copy")

// tell raises the alarm for an object that was had from a substitute.
func (m *mender) tell(s substitute, name string, damage error) error {
	if s.from == "" {
		return nil
	}
	m.mu.Lock()
	known := m.raised[name]
	if len(m.raised) >= maxRaisedKept {
		clear(m.raised)
	}
	m.raised[name] = true
	m.mu.Unlock()
	if known || m.archive.alarms == nil {
		return nil
	}
	a := AlarmOf(objectError(opRead, bandOf(name), name, damage))
	var e *Error
	if errors.As(damage, &e) {
		a.Condition = conditionOf(e.Kind)
	}
	a.Message = "its content was " + s.from + ": " + reasonOf(damage)
	return m.archive.alarms.Raise(a)
}

// reasonOf is what damage says beyond where it is.
func reasonOf(damage error) string {
	var e *Error
	if errors.As(damage, &e) {
		if e.Err == nil {
			return e.Kind.String()
		}
		return e.Err.Error()
	}
	return damage.Error()
}

func bandOf(name string) format.BandID {
	band, _, _, err := format.ParseObjectName(name)
	if err != nil {
		return ""
	}
	return band
}
