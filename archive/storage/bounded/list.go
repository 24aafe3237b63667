package bounded

import (
	"context"
	"iter"
	"time"

	"dura/archive/storage"
)

// listed is one step of a listing.
type listed[T any] struct {
	v   T
	err error
}

// batch is how many names are handed over at a time: to hand over each by itself would take as long as to list it.
const batch = 256

// List implements storage.Storage. It is tried again only where nothing was listed yet.
func (s *Storage) List(ctx context.Context, prefix string, depth storage.Depth) iter.Seq2[storage.Info, error] {
	return list(ctx, s, prefix, func(ctx context.Context) iter.Seq2[storage.Info, error] { return s.inner.List(ctx, prefix, depth) })
}

// Names implements storage.NameLister, as List does.
func (s *Storage) Names(ctx context.Context, prefix string, depth storage.Depth) iter.Seq2[string, error] {
	batches := list(ctx, s, prefix, func(ctx context.Context) iter.Seq2[[]string, error] {
		return inBatches(storage.Names(ctx, s.inner, prefix, depth))
	})
	return func(yield func(string, error) bool) {
		for names, err := range batches {
			for _, name := range names {
				if !yield(name, nil) {
					return
				}
			}
			if err != nil && !yield("", err) {
				return
			}
		}
	}
}

func inBatches(names iter.Seq2[string, error]) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		var some []string
		for name, err := range names {
			if err != nil {
				if len(some) == 0 || yield(some, nil) {
					yield(nil, err)
				}
				return
			}
			if some = append(some, name); len(some) == batch {
				if !yield(some, nil) {
					return
				}
				some = nil
			}
		}
		if len(some) > 0 {
			yield(some, nil)
		}
	}
}

func list[T any](ctx context.Context, s *Storage, prefix string, inner func(context.Context) iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		s.counter.lists.Add(1)
		pause := s.options.Backoff
		for attempt := 1; ; attempt++ {
			yielded, err := listOnce(ctx, s, prefix, inner, yield)
			if err == nil {
				return
			}
			if yielded || attempt == s.options.Attempts || !storage.Is(err, storage.KindUnavailable) || !sleep(ctx, pause) {
				var none T
				yield(none, s.counter.failed(err))
				return
			}
			s.counter.retries.Add(1)
			pause *= 2
		}
	}
}

// listOnce lists, and reports whether it yielded anything. No error means that there is nothing more to be yielded.
func listOnce[T any](ctx context.Context, s *Storage, prefix string, inner func(context.Context) iter.Seq2[T, error], yield func(T, error) bool) (
	yielded bool, err error,
) {
	if err := s.mayBegin(storage.OpList, prefix); err != nil {
		return false, err
	}
	listing, cancel := context.WithCancel(ctx)
	defer cancel()
	steps, returned := make(chan listed[T]), make(chan struct{})
	go func() {
		defer close(returned)
		defer close(steps)
		for v, err := range inner(listing) {
			select {
			case steps <- listed[T]{v, err}:
			case <-listing.Done():
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
			case !yield(step.v, nil):
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
