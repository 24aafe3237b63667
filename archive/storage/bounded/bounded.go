// Package bounded makes every operation of a storage end: each has so much time, and is tried again a few times where that is worth
// it. An operation that does not return is let go; so that no heap of them grows, further ones fail at once while there are
// many. It counts what was asked for, and stands on storage alone.
package bounded

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"dura/archive/storage"
)

// Options say how long to wait. The zero value is ready for use.
type Options struct {
	Timeout  time.Duration // of a read or a stat, with all its attempts, and of each step of a listing; 0: a minute
	Attempts int           // of what fails with storage.KindUnavailable; 0: 4
	Backoff  time.Duration // ahead of the second attempt, doubled ahead of each one after that; 0: 100 ms
	MaxStuck int           // operations let go that have not returned, beyond which all fail; 0: 64
}

const (
	defaultTimeout  = time.Minute
	defaultAttempts = 4
	defaultBackoff  = 100 * time.Millisecond
	defaultMaxStuck = 64
)

// Storage is a storage whose reads, stats and listings end in time. Create and Delete are passed on as they are: of one that was let
// go nobody could say what it did. It is safe for concurrent use.
type Storage struct {
	inner   storage.Storage
	options Options
	stuck   atomic.Int64
	counter counter
}

// New makes a storage that asks inner.
func New(inner storage.Storage, o Options) *Storage {
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.Attempts <= 0 {
		o.Attempts = defaultAttempts
	}
	if o.Backoff <= 0 {
		o.Backoff = defaultBackoff
	}
	if o.MaxStuck <= 0 {
		o.MaxStuck = defaultMaxStuck
	}
	return &Storage{inner: inner, options: o}
}

// Read implements storage.Storage.
func (s *Storage) Read(ctx context.Context, name string, offset int64, maxBytes int) ([]byte, error) {
	s.counter.reads.Add(1)
	got, err := call(ctx, s, storage.OpRead, name, func(ctx context.Context) ([]byte, error) {
		return s.inner.Read(ctx, name, offset, maxBytes)
	})
	s.counter.readBytes.Add(int64(len(got)))
	return got, err
}

// ReadInto implements storage.IntoReader, whatever the storage inside can.
func (s *Storage) ReadInto(ctx context.Context, name string, offset int64, buf []byte) (int, error) {
	s.counter.reads.Add(1)
	n, err := call(ctx, s, storage.OpRead, name, func(ctx context.Context) (int, error) {
		return storage.ReadInto(ctx, s.inner, name, offset, buf)
	})
	s.counter.readBytes.Add(int64(n))
	return n, err
}

// Stat implements storage.Storage.
func (s *Storage) Stat(ctx context.Context, name string) (storage.Info, error) {
	s.counter.stats.Add(1)
	return call(ctx, s, storage.OpStat, name, func(ctx context.Context) (storage.Info, error) { return s.inner.Stat(ctx, name) })
}

// Create implements storage.Storage.
func (s *Storage) Create(ctx context.Context, name string, parts ...[]byte) error {
	s.counter.creates.Add(1)
	return s.counter.failed(s.inner.Create(ctx, name, parts...))
}

// Delete implements storage.Storage.
func (s *Storage) Delete(ctx context.Context, name string) error {
	s.counter.deletes.Add(1)
	return s.counter.failed(s.inner.Delete(ctx, name))
}

// call performs an operation, again where it is worth another try.
func call[T any](ctx context.Context, s *Storage, op, name string, do func(context.Context) (T, error)) (T, error) {
	limited, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	pause := s.options.Backoff
	for attempt := 1; ; attempt++ {
		v, err := once(limited, s, op, name, do)
		if err == nil || attempt == s.options.Attempts || !storage.Is(err, storage.KindUnavailable) || !sleep(limited, pause) {
			return v, s.counter.failed(s.named(ctx, limited, op, name, err))
		}
		s.counter.retries.Add(1)
		pause *= 2
	}
}

// once performs an operation, or lets it go when ctx is done.
func once[T any](ctx context.Context, s *Storage, op, name string, do func(context.Context) (T, error)) (none T, err error) {
	if err := s.mayBegin(op, name); err != nil {
		return none, err
	}
	type outcome struct {
		v   T
		err error
	}
	came := make(chan outcome, 1)
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		v, err := do(ctx)
		came <- outcome{v, err}
	}()
	select {
	case o := <-came:
		return o.v, o.err
	case <-ctx.Done():
		s.letGo(returned)
		return none, ctx.Err()
	}
}

// named says which operation had no answer in time, where that is why err is a context's.
func (s *Storage) named(ctx, limited context.Context, op, name string, err error) error {
	if err == nil || ctx.Err() != nil || limited.Err() == nil {
		return err
	}
	return s.late(op, name)
}

// late says that there was no answer in time.
func (s *Storage) late(op, name string) error {
	s.counter.timedOut.Add(1)
	return &storage.Error{Op: op, Object: name, Kind: storage.KindUnavailable, Err: fmt.Errorf("no answer in %v", s.options.Timeout)}
}

// mayBegin fails while too many operations have not returned.
func (s *Storage) mayBegin(op, name string) error {
	if n := s.stuck.Load(); n >= int64(s.options.MaxStuck) {
		return &storage.Error{Op: op, Object: name, Kind: storage.KindUnavailable, Err: fmt.Errorf("%d operations before it have not returned", n)}
	}
	return nil
}

// letGo counts an operation as stuck until it returns.
func (s *Storage) letGo(returned <-chan struct{}) {
	s.stuck.Add(1)
	go func() {
		<-returned
		s.stuck.Add(-1)
	}()
}

// sleep waits, and reports whether it did so to the end.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

var (
	_ storage.Storage    = (*Storage)(nil)
	_ storage.NameLister = (*Storage)(nil)
	_ storage.IntoReader = (*Storage)(nil)
)
