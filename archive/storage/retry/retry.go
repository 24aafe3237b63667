// Package retry wraps a storage that now and then does not answer, and asks it again, after longer and longer pauses, for as
// long and as often as it may. It stands on archive/storage alone.
//
// What is repeated is what failed with storage.KindUnavailable, or took too long. Everything else is returned at once.
package retry

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"dura/archive/storage"
)

// Options say how often, how long, and at which pace. Now must be set; the zero value of all else is useful.
type Options struct {
	Tries     int           // of one operation, the first included; 0: 10
	Total     time.Duration // no try is begun later than this after the first; 0: 5 minutes
	TryFor    time.Duration // longer than this a request may not take, nor a listing to yield the next object; 0: as long as it likes
	FirstWait time.Duration // before the second try; it doubles with each further one. 0: half a second
	LongWait  time.Duration // no pause is longer; 0: 30 seconds

	Now func() time.Time

	// Random returns numbers from 0 up to, not including, 1. Each pause is shortened by up to half of it, so that not all who wait
	// come back at once. math/rand if nil.
	Random func() float64

	// Sleep returns after d, or with ctx's error once ctx is done; a timer if nil, which is instant in a bubble of testing/synctest.
	Sleep func(ctx context.Context, d time.Duration) error

	// Waiting hears of each pause ahead of it, from several goroutines at once.
	Waiting func(Wait)
}

// Wait is a pause between two tries.
type Wait struct {
	Op     string // storage.OpCreate and so on
	Object string // the object, or the prefix listed
	Failed int    // tries so far, without success or progress
	Tries  int    // that there may be
	For    time.Duration
	Err    error // why the last one failed
}

// GaveUpError says that an operation was tried in vain, as often or as long as it might be. It is the cause of a storage.Error of
// KindUnavailable.
type GaveUpError struct {
	Tries int
	Took  time.Duration
	Err   error // of the last try
}

func (e *GaveUpError) Error() string {
	return fmt.Sprintf("gave up after %d tries in %v: %v", e.Tries, e.Took.Round(time.Millisecond), e.Err)
}

func (e *GaveUpError) Unwrap() error { return e.Err }

// Storage repeats what another storage could not do.
type Storage struct {
	inner   storage.Storage
	options Options
}

var (
	_ storage.Storage = (*Storage)(nil)
	_ storage.Settler = (*Storage)(nil)
)

// New makes a storage that performs operations on inner, which stays its maker's to close.
func New(inner storage.Storage, o Options) *Storage {
	setDefault(&o.Tries, 10)
	setDefault(&o.Total, 5*time.Minute)
	setDefault(&o.FirstWait, 500*time.Millisecond)
	setDefault(&o.LongWait, 30*time.Second)
	if o.Random == nil {
		o.Random = rand.Float64
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.Waiting == nil {
		o.Waiting = func(Wait) {}
	}
	return &Storage{inner: inner, options: o}
}

func setDefault[T int | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// operation is one call of a method, which may take several tries.
type operation struct {
	*Storage
	op, object string
	began      time.Time
	failed     int
}

func (s *Storage) begin(op, object string) *operation {
	return &operation{Storage: s, op: op, object: object, began: s.options.Now()}
}

// try runs f until it succeeds, fails for good, or was run as often or as long as may be.
func (o *operation) try(ctx context.Context, f func(context.Context) error) error {
	for {
		err := o.once(ctx, f)
		if err != nil && repeatable(err) {
			if err = o.wait(ctx, err); err == nil {
				continue
			}
		}
		return o.ended(ctx, err)
	}
}

var errTooLong = errors.New("no answer came in time")

// once runs f, for no longer than a try may take.
func (o *operation) once(ctx context.Context, f func(context.Context) error) error {
	if o.options.TryFor <= 0 {
		return f(ctx)
	}
	limited, cancel := context.WithTimeoutCause(ctx, o.options.TryFor, errTooLong)
	defer cancel()
	return o.tooLong(limited, f(limited))
}

// tooLong is err, or that the try of this context took too long.
func (o *operation) tooLong(limited context.Context, err error) error {
	if err != nil && context.Cause(limited) == errTooLong {
		cause := fmt.Errorf("%w, which is %v: %w", errTooLong, o.options.TryFor, err)
		return &storage.Error{Op: o.op, Object: o.object, Kind: storage.KindUnavailable, Err: cause}
	}
	return err
}

// repeatable reports whether another try may help.
func repeatable(err error) bool {
	var timeout interface{ Timeout() bool } // as those of the net package have, and context.DeadlineExceeded
	return storage.Is(err, storage.KindUnavailable) || errors.As(err, &timeout) && timeout.Timeout()
}

// ended is the error that an operation ends with. Once ctx is done that is why.
func (o *operation) ended(ctx context.Context, err error) error {
	if done := ctx.Err(); err != nil && done != nil && !errors.Is(err, done) {
		return fmt.Errorf("%s %s: %w, after: %w", o.op, o.object, done, err)
	}
	return err
}

// wait pauses after a try that failed with err. An error is the one to end with; err itself, once ctx is done.
func (o *operation) wait(ctx context.Context, err error) error {
	if o.failed++; ctx.Err() != nil {
		return err
	}
	pause := o.pause()
	took := o.options.Now().Sub(o.began)
	if o.failed >= o.options.Tries || took+pause > o.options.Total {
		return &storage.Error{
			Op: o.op, Object: o.object, Kind: storage.KindUnavailable, Err: &GaveUpError{Tries: o.failed, Took: took, Err: err},
		}
	}
	o.options.Waiting(Wait{Op: o.op, Object: o.object, Failed: o.failed, Tries: o.options.Tries, For: pause, Err: err})
	if o.options.Sleep(ctx, pause) != nil {
		return err
	}
	return nil
}

// pause is how long to wait now.
func (o *operation) pause() time.Duration {
	pause := o.options.LongWait
	if doublings := o.failed - 1; o.options.FirstWait <= pause>>doublings {
		pause = o.options.FirstWait << doublings
	}
	return pause - time.Duration(o.options.Random()*float64(pause/2))
}

// progress begins the count of tries anew.
func (o *operation) progress() { o.began, o.failed = o.options.Now(), 0 }
