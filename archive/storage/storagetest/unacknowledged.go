package storagetest

import (
	"context"

	"dura/archive/storage"
)

// Unacknowledged performs operations and then says that they failed: the acknowledgement was lost on the way.
type Unacknowledged struct{ wrapper }

// NewUnacknowledged makes a storage that performs all operations on inner, and returns the error that plan has for one
// unless it failed on its own.
func NewUnacknowledged(inner storage.Storage, plan Plan) *Unacknowledged {
	return &Unacknowledged{wrapper{inner: inner, around: func(_ context.Context, op Operation, do func() (int64, error)) error {
		if _, err := do(); err != nil {
			return err
		}
		return plan(op)
	}}}
}
