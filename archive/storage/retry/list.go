package retry

import (
	"context"
	"iter"

	"dura/archive/storage"
)

// List implements storage.Storage. A listing that breaks off is begun anew, and what was yielded before is passed over. Tries count
// from the last object on.
func (s *Storage) List(ctx context.Context, prefix string, depth storage.Depth) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		l := &listing{operation: s.begin(storage.OpList, prefix), depth: depth, yield: yield}
		for {
			err := l.run(ctx)
			if l.stopped || err == nil {
				return
			}
			if repeatable(err) {
				err = l.wait(ctx, err)
			}
			if err != nil {
				yield(storage.Info{}, l.ended(ctx, err))
				return
			}
		}
	}
}

// listing is a List under way.
type listing struct {
	*operation
	depth   storage.Depth
	yield   func(storage.Info, error) bool
	some    bool // was anything yielded?
	last    string
	stopped bool // by the one who iterates
}

// run lists once, from behind the last object yielded.
func (l *listing) run(ctx context.Context) error {
	limited, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	limit := l.limit(func() { cancel(errTooLong) })
	defer limit.stop()
	for info, err := range l.inner.List(limited, l.object, l.depth) {
		if err != nil {
			return l.tooLong(limited, err)
		}
		if l.some && info.Name <= l.last {
			limit.start()
			continue
		}
		limit.stop()
		l.some, l.last = true, info.Name
		if l.stopped = !l.yield(info, nil); l.stopped {
			return nil
		}
		l.progress()
		limit.start()
	}
	return nil
}
