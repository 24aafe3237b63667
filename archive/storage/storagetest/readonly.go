package storagetest

import (
	"context"

	"dura/archive/storage"
)

// ReadOnly takes no writes.
type ReadOnly struct{ wrapper }

// NewReadOnly makes a storage that shows what inner holds, and fails creates and deletes with KindReadOnly.
func NewReadOnly(inner storage.Storage) *ReadOnly {
	return &ReadOnly{wrapper{inner: inner, around: func(ctx context.Context, op Operation, do func() (int64, error)) error {
		if op.Op != storage.OpCreate && op.Op != storage.OpDelete {
			_, err := do()
			return err
		}
		if err := storage.Check(ctx, op.Op, op.Name); err != nil {
			return err
		}
		return op.Error(storage.KindReadOnly)
	}}}
}
