package storagetest

import (
	"context"
	"errors"
	"iter"
	"sync/atomic"

	"dura/archive/storage"
)

// Operation is one call of a method of a storage. A listing begins when it is iterated over.
type Operation struct {
	Number      int    // 1 for the first that a wrapper sees
	Op          string // storage.OpCreate and so on
	Name        string // the object, or the prefix listed
	OffsetBytes int64  // of a read
	Bytes       int64  // what a create stores, or a read asks for
}

// Error makes the error of this kind that the operation might return.
func (op Operation) Error(kind storage.Kind) error {
	return &storage.Error{Op: op.Op, Object: op.Name, Kind: kind, Err: errMade}
}

var errMade = errors.New("made for a test")

// wrapper turns every call of a storage into one of around, which performs the call by do, once or not at all, and returns
// the error that the caller gets. What do returns besides its error is how many bytes were read.
type wrapper struct {
	inner  storage.Storage
	around func(ctx context.Context, op Operation, do func() (int64, error)) error
	began  atomic.Int64
}

func (w *wrapper) operation(op Operation) Operation {
	op.Number = int(w.began.Add(1))
	return op
}

// Create implements storage.Storage.
func (w *wrapper) Create(ctx context.Context, name string, parts ...[]byte) error {
	op := w.operation(Operation{Op: storage.OpCreate, Name: name, Bytes: sizeOf(parts)})
	return w.around(ctx, op, func() (int64, error) { return 0, w.inner.Create(ctx, name, parts...) })
}

// Read implements storage.Storage.
func (w *wrapper) Read(ctx context.Context, name string, offset int64, maxBytes int) (got []byte, err error) {
	op := w.operation(Operation{Op: storage.OpRead, Name: name, OffsetBytes: offset, Bytes: int64(maxBytes)})
	err = w.around(ctx, op, func() (int64, error) {
		got, err = w.inner.Read(ctx, name, offset, maxBytes)
		return int64(len(got)), err
	})
	if err != nil {
		return nil, err
	}
	return got, nil
}

// Stat implements storage.Storage.
func (w *wrapper) Stat(ctx context.Context, name string) (info storage.Info, err error) {
	op := w.operation(Operation{Op: storage.OpStat, Name: name})
	err = w.around(ctx, op, func() (int64, error) {
		info, err = w.inner.Stat(ctx, name)
		return 0, err
	})
	if err != nil {
		return storage.Info{}, err
	}
	return info, nil
}

// Delete implements storage.Storage.
func (w *wrapper) Delete(ctx context.Context, name string) error {
	op := w.operation(Operation{Op: storage.OpDelete, Name: name})
	return w.around(ctx, op, func() (int64, error) { return 0, w.inner.Delete(ctx, name) })
}

// List implements storage.Storage.
func (w *wrapper) List(ctx context.Context, prefix string, depth storage.Depth) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		op := w.operation(Operation{Op: storage.OpList, Name: prefix})
		stopped := false
		err := w.around(ctx, op, func() (int64, error) {
			for info, err := range w.inner.List(ctx, prefix, depth) {
				if err != nil {
					return 0, err
				}
				if !yield(info, nil) {
					stopped = true
					break
				}
			}
			return 0, nil
		})
		if err != nil && !stopped {
			yield(storage.Info{}, err)
		}
	}
}

func sizeOf(parts [][]byte) int64 {
	n := 0
	for _, part := range parts {
		n += len(part)
	}
	return int64(n)
}
