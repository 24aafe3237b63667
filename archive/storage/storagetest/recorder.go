package storagetest

import (
	"context"
	"slices"
	"sync"

	"dura/archive/storage"
)

// Recorder counts what is asked of a storage, and keeps a log of it.
type Recorder struct {
	wrapper
	mu     sync.Mutex
	counts Counts
	log    []Record
	ticks  int
}

// Counts says how many operations there were of each kind, those that failed included, and how many bytes the others moved.
// It can be compared with ==.
type Counts struct {
	Creates, Reads, Lists, Stats, Deletes int
	ReadBytes, WrittenBytes               int64
}

// Record is an operation that is over. Of a read, Bytes is how many were returned.
//
// Began and Ended are numbers of one row: if a.Ended < b.Began, a was over before b began.
type Record struct {
	Operation
	Began, Ended int
	Err          error
}

// NewRecorder makes a recorder of what is asked of inner.
func NewRecorder(inner storage.Storage) *Recorder {
	r := new(Recorder)
	r.wrapper.inner, r.wrapper.around = inner, r.record
	return r
}

// Counts returns the counts since the last Reset, of operations that are over.
func (r *Recorder) Counts() Counts {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts
}

// Log returns the operations since the last Reset, in the order in which they ended.
func (r *Recorder) Log() []Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.log)
}

// Reset forgets what was counted and logged.
func (r *Recorder) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts, r.log = Counts{}, nil
}

func (r *Recorder) record(_ context.Context, op Operation, do func() (int64, error)) error {
	began := r.tick()
	bytes, err := do()
	if op.Op == storage.OpRead {
		op.Bytes = bytes
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ticks++
	r.log = append(r.log, Record{Operation: op, Began: began, Ended: r.ticks, Err: err})
	r.counts.add(op, err)
	return err
}

func (r *Recorder) tick() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ticks++
	return r.ticks
}

func (c *Counts) add(op Operation, err error) {
	switch op.Op {
	case storage.OpCreate:
		c.Creates++
		if err == nil {
			c.WrittenBytes += op.Bytes
		}
	case storage.OpRead:
		c.Reads++
		if err == nil {
			c.ReadBytes += op.Bytes
		}
	case storage.OpList:
		c.Lists++
	case storage.OpStat:
		c.Stats++
	case storage.OpDelete:
		c.Deletes++
	}
}
