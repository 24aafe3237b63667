// Package memory is a storage that lives as long as the process, for tests and simulations. It stands on storage alone.
package memory

import (
	"bytes"
	"context"
	"iter"
	"slices"
	"sync"

	"dura/archive/storage"
)

// Storage holds objects in memory. New makes one.
type Storage struct {
	mu      sync.Mutex
	objects map[string][]byte // never modified once they are here
	names   []string          // the keys of objects
	sorted  bool              // whether names is
}

// New makes an empty storage.
func New() *Storage {
	return &Storage{objects: make(map[string][]byte), sorted: true}
}

// Create implements storage.Storage.
func (s *Storage) Create(ctx context.Context, name string, parts ...[]byte) error {
	if err := storage.Check(ctx, storage.OpCreate, name); err != nil {
		return err
	}
	object := bytes.Join(parts, nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, taken := s.objects[name]; taken {
		return &storage.Error{Op: storage.OpCreate, Object: name, Kind: storage.KindExists}
	}
	s.objects[name] = object
	s.sorted = s.sorted && (len(s.names) == 0 || s.names[len(s.names)-1] < name)
	s.names = append(s.names, name)
	return nil
}

// Read implements storage.Storage.
func (s *Storage) Read(ctx context.Context, name string, offset int64, maxBytes int) ([]byte, error) {
	if err := storage.CheckRead(ctx, name, offset, maxBytes); err != nil {
		return nil, err
	}
	object, err := s.get(storage.OpRead, name)
	if err != nil {
		return nil, err
	}
	from := min(offset, int64(len(object)))
	rest := object[from:]
	return bytes.Clone(rest[:min(len(rest), maxBytes)]), nil
}

// Stat implements storage.Storage.
func (s *Storage) Stat(ctx context.Context, name string) (storage.Info, error) {
	if err := storage.Check(ctx, storage.OpStat, name); err != nil {
		return storage.Info{}, err
	}
	object, err := s.get(storage.OpStat, name)
	if err != nil {
		return storage.Info{}, err
	}
	return storage.Info{Name: name, SizeBytes: int64(len(object))}, nil
}

// Delete implements storage.Storage.
func (s *Storage) Delete(ctx context.Context, name string) error {
	if err := storage.Check(ctx, storage.OpDelete, name); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.objects[name]; !there {
		return &storage.Error{Op: storage.OpDelete, Object: name, Kind: storage.KindNotFound}
	}
	delete(s.objects, name)
	s.sort()
	at, _ := slices.BinarySearch(s.names, name)
	s.names = slices.Delete(s.names, at, at+1)
	return nil
}

// List implements storage.Storage. It shows the objects there were when the iteration began.
func (s *Storage) List(ctx context.Context, prefix string, depth storage.Depth) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(storage.Info{}, err)
			return
		}
		for _, info := range s.matching(prefix, depth) {
			if err := ctx.Err(); err != nil {
				yield(storage.Info{}, err)
				return
			}
			if !yield(info, nil) {
				return
			}
		}
	}
}

func (s *Storage) get(op, name string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	object, there := s.objects[name]
	if !there {
		return nil, &storage.Error{Op: op, Object: name, Kind: storage.KindNotFound}
	}
	return object, nil
}
