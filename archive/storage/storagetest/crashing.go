package storagetest

import (
	"context"
	"errors"
	"sync"

	"dura/archive/storage"
)

// ErrCrashed is in the chain of every error after a crash.
var ErrCrashed = errors.New("the machine crashed, for a test")

// Fate says what becomes of what was not acknowledged when the machine crashed. It fails with ErrCrashed in either case.
type Fate int

const (
	Undone Fate = iota // creates have not happened, nor has the operation in which it crashed
	Done               // all has happened
)

// Crashing stops for good at some operation, as a machine does that crashes. What it wraps is what is found afterwards.
type Crashing struct {
	wrapper
	mu      sync.Mutex
	after   int
	fate    Fate
	crashed bool
}

// NewCrashing makes a storage that performs the given number of operations on inner, and crashes in the next. Others that go
// on at that time are interrupted too.
func NewCrashing(inner storage.Storage, after int, fate Fate) *Crashing {
	c := &Crashing{after: after, fate: fate}
	c.wrapper.inner, c.wrapper.around = inner, c.perform
	return c
}

// Crashed reports whether it has.
func (c *Crashing) Crashed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.crashed
}

// Operations is how many were begun so far, those after the crash included.
func (c *Crashing) Operations() int { return int(c.began.Load()) }

func (c *Crashing) perform(ctx context.Context, op Operation, do func() (int64, error)) error {
	crashing, crashed := c.begin(op)
	if crashed || crashing && c.fate == Undone {
		return c.failure(op)
	}
	_, err := do()
	if !c.Crashed() {
		return err
	}
	if op.Op == storage.OpCreate && err == nil && c.fate == Undone {
		// A create that was under way. That the object could be seen before does not make it durable.
		_ = c.inner.Delete(context.WithoutCancel(ctx), op.Name)
	}
	return c.failure(op)
}

// begin reports whether op is the one to crash in, or comes after it.
func (c *Crashing) begin(op Operation) (crashing, crashed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	crashed = c.crashed
	c.crashed = crashed || op.Number > c.after
	return c.crashed && !crashed, crashed
}

func (c *Crashing) failure(op Operation) error {
	return &storage.Error{Op: op.Op, Object: op.Name, Kind: storage.KindIO, Err: ErrCrashed}
}
