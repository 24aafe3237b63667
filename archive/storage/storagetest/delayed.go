package storagetest

import (
	"context"
	"sync"
	"time"

	"dura/archive/storage"
)

// Delays says how long operations take. The zero value is no time at all.
type Delays struct {
	Latency        time.Duration // of each operation
	BytesPerSecond int64         // of each read and create; not limited if zero
	Line           *Line         // that all go through, which takes its time too; nil: none

	// Sleep returns after d, or with ctx's error once ctx is done; a timer if nil, which is instant in a bubble of
	// testing/synctest.
	Sleep func(ctx context.Context, d time.Duration) error
}

// Delayed takes its time.
type Delayed struct{ wrapper }

// NewDelayed makes a storage that performs each operation on inner, and returns after the delay due.
func NewDelayed(inner storage.Storage, delays Delays) *Delayed {
	if delays.Sleep == nil {
		delays.Sleep = sleep
	}
	return &Delayed{wrapper{inner: inner, around: delays.around}}
}

func (d Delays) around(ctx context.Context, op Operation, do func() (int64, error)) error {
	if err := d.Sleep(ctx, d.Latency); err != nil {
		return err
	}
	if op.Op == storage.OpCreate {
		if err := d.Sleep(ctx, d.transfer(op.Bytes)); err != nil {
			return err
		}
	}
	readBytes, err := do()
	if err != nil {
		return err
	}
	if err := d.Sleep(ctx, d.transfer(readBytes)); err != nil || d.Line == nil {
		return err
	}
	return d.Sleep(ctx, d.Line.take(readBytes))
}

// Line is what all reads have to share, one behind the other.
type Line struct {
	BytesPerSecond int64

	mu   sync.Mutex
	free time.Time // when what was asked for so far will have come
}

// take says how long it will be until so many bytes more have come.
func (l *Line) take(bytes int64) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if l.free.Before(now) {
		l.free = now
	}
	l.free = l.free.Add(time.Duration(float64(bytes) / float64(l.BytesPerSecond) * float64(time.Second)))
	return l.free.Sub(now)
}

func (d Delays) transfer(bytes int64) time.Duration {
	if d.BytesPerSecond <= 0 {
		return 0
	}
	return time.Duration(float64(bytes) / float64(d.BytesPerSecond) * float64(time.Second))
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
