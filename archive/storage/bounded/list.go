package bounded

import (
	"context"
	"iter"
	"time"

	"dura/archive/storage"
)

// listed is one step of a listing.
type listed struct {
	info storage.Info
	err  error
}

// List implements storage.Storage. It is tried again only where nothing was listed yet.
func (s *Storage) List(ctx context.Context, prefix string, depth storage.Depth) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		s.counter.lists.Add(1)
		pause := s.options.Backoff
		for attempt := 1; ; attempt++ {
			yielded, err := s.listOnce(ctx, prefix, depth, yield)
			if err == nil {
				return
			}
			if yielded || attempt == s.options.Attempts || !storage.Is(err, storage.KindUnavailable) || !sleep(ctx, pause) {
				yield(storage.Info{}, s.counter.failed(err))
				return
			}
			s.counter.retries.Add(1)
			pause *= 2
		}
	}
}

// listOnce lists, and reports whether it yielded anything. No error means that there is nothing more to be yielded.
func (s *Storage) listOnce(ctx context.Context, prefix string, depth storage.Depth, yield func(storage.Info, error) bool) (yielded bool, err error) {
	if err := s.mayBegin(storage.OpList, prefix); err != nil {
		return false, err
	}
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	steps, returned := make(chan listed), make(chan struct{})
	go func() {
		defer close(returned)
		defer close(steps)
		for info, err := range s.inner.List(inner, prefix, depth) {
			select {
			case steps <- listed{info, err}:
			case <-inner.Done():
				return
			}
		}
	}()
	timer := time.NewTimer(s.options.Timeout)
	defer timer.Stop()
	for {
		select {
		case step, more := <-steps:
			switch {
			case !more:
				return yielded, ctx.Err()
			case step.err != nil:
				return yielded, step.err
			case !yield(step.info, nil):
				return true, nil
			}
			yielded = true
			timer.Reset(s.options.Timeout)
		case <-ctx.Done():
			s.letGo(returned)
			return yielded, ctx.Err()
		case <-timer.C:
			s.letGo(returned)
			return true, s.late(storage.OpList, prefix)
		}
	}
}
