package sim

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync/atomic"

	"dura/archive/storage"
)

// client is one process that uses the storage, and the storage as that process sees it: each call waits until the scheduler
// takes it.
type client struct {
	world *world
	name  string // of the actor, and which of its runs
	tree  *tree  // that a writer backs up
	began int64  // the moment
	ended int64  // 0: not yet

	ctx    context.Context
	end    context.CancelCauseFunc
	dead   atomic.Bool
	leash  int  // so many requests until it is killed; 0: it is not
	stores int  // the same, of creates
	stops  bool // it is told to end, instead
	stop   chan struct{}
	idler  bool // it uses no storage

	hurt string // what first went wrong for it
}

var (
	errKilled  = errors.New("the process was killed, for a test")
	errStopped = errors.New("the process was told to end, for a test")
)

// request is a call that waits.
type request struct {
	client *client
	ctx    context.Context
	op     string // one of storage's, or turn
	name   string
	offset int64
	bytes  int
	data   []byte // of a create
	depth  storage.Depth
	run    func() // of a turn

	known bool // the scheduler has come across it
	done  chan struct{}
	got   []byte
	infos []storage.Info
	err   error
}

// turn is the op of a request that is none of the storage: a place in the order of things.
const turn = "turn"

func (r *request) order(other *request) int {
	return cmp.Or(
		cmp.Compare(r.client.name, other.client.name), cmp.Compare(r.op, other.op), cmp.Compare(r.name, other.name),
		cmp.Compare(r.offset, other.offset), cmp.Compare(r.bytes, other.bytes),
	)
}

func (r *request) String() string { return r.asked().String() }

// failure is an error that a storage may return.
func (r *request) failure(kind storage.Kind, cause string) error {
	return &storage.Error{Op: r.op, Object: r.name, Kind: kind, Err: errors.New(cause)}
}

// answer lets the caller go on.
func (r *request) answer(err error) {
	r.err = err
	close(r.done)
}

// ask waits until the scheduler has answered r, or its context is done. Then the scheduler finds r abandoned, and its caller
// must not look at it.
func (c *client) ask(r *request) (answered bool) {
	if c.dead.Load() {
		return false
	}
	r.client, r.done = c, make(chan struct{})
	c.world.mu.Lock()
	c.world.pending = append(c.world.pending, r)
	c.world.mu.Unlock()
	select {
	case <-r.done:
		return true
	case <-r.ctx.Done():
		return false
	}
}

// abandoned is the error of a request that was not answered.
func (c *client) abandoned(ctx context.Context, op, name string) error {
	if c.dead.Load() {
		return &storage.Error{Op: op, Object: name, Kind: storage.KindIO, Err: errKilled}
	}
	return fmt.Errorf("%s %s: %w", op, name, ctx.Err())
}

// turn runs by in the scheduler, when that comes to it.
func (c *client) turn(ctx context.Context, name string, by func()) error {
	r := &request{ctx: ctx, op: turn, name: name, run: by}
	if !c.ask(r) {
		return c.abandoned(ctx, turn, name)
	}
	return r.err
}

// Create implements storage.Storage.
func (c *client) Create(ctx context.Context, name string, parts ...[]byte) error {
	if err := storage.Check(ctx, storage.OpCreate, name); err != nil {
		return err
	}
	r := &request{ctx: ctx, op: storage.OpCreate, name: name, data: bytes.Join(parts, nil)}
	if !c.ask(r) {
		return c.abandoned(ctx, r.op, name)
	}
	return r.err
}

// Read implements storage.Storage.
func (c *client) Read(ctx context.Context, name string, offset int64, maxBytes int) ([]byte, error) {
	if err := storage.CheckRead(ctx, name, offset, maxBytes); err != nil {
		return nil, err
	}
	r := &request{ctx: ctx, op: storage.OpRead, name: name, offset: offset, bytes: maxBytes}
	if !c.ask(r) {
		return nil, c.abandoned(ctx, r.op, name)
	}
	return slices.Clone(r.got), r.err
}

// List implements storage.Storage.
func (c *client) List(ctx context.Context, prefix string, depth storage.Depth) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		r := &request{ctx: ctx, op: storage.OpList, name: prefix, depth: depth}
		if ctx.Err() != nil || !c.ask(r) {
			yield(storage.Info{}, c.abandoned(ctx, r.op, prefix))
			return
		}
		for _, info := range r.infos {
			if !yield(info, nil) {
				return
			}
		}
		if r.err != nil {
			yield(storage.Info{}, r.err)
		}
	}
}

// Stat implements storage.Storage.
func (c *client) Stat(ctx context.Context, name string) (storage.Info, error) {
	if err := storage.Check(ctx, storage.OpStat, name); err != nil {
		return storage.Info{}, err
	}
	r := &request{ctx: ctx, op: storage.OpStat, name: name}
	if !c.ask(r) {
		return storage.Info{}, c.abandoned(ctx, r.op, name)
	}
	if r.err != nil {
		return storage.Info{}, r.err
	}
	return r.infos[0], nil
}

// Settle implements storage.Settler.
func (c *client) Settle(ctx context.Context, prefix string) error {
	r := &request{ctx: ctx, op: storage.OpSettle, name: prefix}
	if !c.ask(r) {
		return c.abandoned(ctx, r.op, prefix)
	}
	return r.err
}

// Delete implements storage.Storage. No history has deletions.
func (c *client) Delete(ctx context.Context, name string) error {
	return &storage.Error{Op: storage.OpDelete, Object: name, Kind: storage.KindDenied}
}
