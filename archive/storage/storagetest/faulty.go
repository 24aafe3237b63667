package storagetest

import (
	"context"

	"dura/archive/storage"
)

// Plan decides which operations go wrong: those for which it returns an error, such as op.Error(storage.KindIO). It is called
// concurrently where operations are.
type Plan func(op Operation) error

// Never lets nothing go wrong.
func Never() Plan { return func(Operation) error { return nil } }

// Nth lets the n-th operation go wrong, counted from 1.
func Nth(n int, kind storage.Kind) Plan {
	return func(op Operation) error {
		if op.Number != n {
			return nil
		}
		return op.Error(kind)
	}
}

// Always lets all operations go wrong that are called op, on the object or prefix called name. An empty op or name stands
// for all of them.
func Always(op, name string, kind storage.Kind) Plan {
	return func(o Operation) error {
		if (op != "" && op != o.Op) || (name != "" && name != o.Name) {
			return nil
		}
		return o.Error(kind)
	}
}

// Faulty fails operations instead of performing them.
type Faulty struct{ wrapper }

// NewFaulty makes a storage that performs operations on inner, but for those for which plan has an error.
func NewFaulty(inner storage.Storage, plan Plan) *Faulty {
	return &Faulty{wrapper{inner: inner, around: func(_ context.Context, op Operation, do func() (int64, error)) error {
		if err := plan(op); err != nil {
			return err
		}
		_, err := do()
		return err
	}}}
}
