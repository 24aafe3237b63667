package storagetest

import (
	"context"
	"iter"
	"sync"

	"dura/archive/storage"
)

// Stale lists objects late. They can be read and described from the start.
type Stale struct {
	wrapper
	mu      sync.Mutex
	late    int
	created map[string]int // name -> number of operations there had been once it was created
}

// NewStale makes a storage that does what inner does, but an object created through it appears in a listing only if at least
// the given number of operations lie between the two.
func NewStale(inner storage.Storage, operations int) *Stale {
	s := &Stale{late: operations, created: make(map[string]int)}
	s.wrapper.inner, s.wrapper.around = inner, s.note
	return s
}

func (s *Stale) note(_ context.Context, op Operation, do func() (int64, error)) error {
	_, err := do()
	if op.Op == storage.OpCreate && err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.created[op.Name] = int(s.began.Load())
	}
	return err
}

// List implements storage.Storage.
func (s *Stale) List(ctx context.Context, prefix string, depth storage.Depth) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		before := int(s.began.Load())
		for info, err := range s.wrapper.List(ctx, prefix, depth) {
			if err == nil && s.isHidden(info.Name, before) {
				continue
			}
			if !yield(info, err) {
				return
			}
		}
	}
}

func (s *Stale) isHidden(name string, operations int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, known := s.created[name]
	return known && operations-at < s.late
}
