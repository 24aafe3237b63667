// Package disk keeps pieces of data in a directory, up to a number of bytes, the ones used last, each under the hash of what is in it. It
// survives restarts, and several processes may share one directory. It knows nothing of what the pieces are, and stands on the
// file system alone.
//
// Whatever is found there is checked against the hash it is kept under, so that damage, and what others put there, costs time and
// never gives wrong data. The same goes for a directory that can't be written and for a full disk.
package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Options set up a Cache. MaxBytes and Now must be set.
type Options struct {
	MaxBytes  int64 // that the pieces may take on the disk together, those of all processes
	FreeBytes int64 // that are left free on the file system, whatever MaxBytes; 0: 256 MiB
	Now       func() time.Time

	// Trouble is told of what goes wrong, as an *Error: of each piece that is not what its name says; and that nothing can be read, or
	// written, once until something can be again. It must not use the cache. nil: silence.
	Trouble func(error)
}

const defaultFreeBytes = 256 << 20

// ErrCorrupt says that a piece is not what its name says. It is gone now.
var ErrCorrupt = errors.New("it is not what it was when it was put here")

// Error is what went wrong with a file of the directory.
type Error struct {
	File string // in full
	Err  error
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %v", e.File, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

// Cache keeps pieces. It is safe for concurrent use.
type Cache struct {
	directory string
	options   Options
	root      *os.Root
	ledger    *os.File // nil if nothing can be written

	waiting      chan piece
	waitingBytes atomic.Int64
	written      chan struct{} // closed when nothing is written any more
	failing      bool          // the last write failed; the writer's

	mu     sync.Mutex
	closed bool

	unreadable atomic.Bool // the last read failed

	hits, misses, corrupt, puts, skipped atomic.Int64
}

// Stats count what happened since the cache was opened.
type Stats struct {
	Hits    int64 `json:"hits"`
	Misses  int64 `json:"misses"`
	Corrupt int64 `json:"corrupt"`
	Written int64 `json:"written"`
	Skipped int64 `json:"skipped"` // not written: there was no room, or no time
}

// Open makes the directory if need be, and opens it. What else is in there is left alone. One that can't be written can be read still,
// and Trouble is told.
func Open(directory string, o Options) (*Cache, error) {
	if o.FreeBytes == 0 {
		o.FreeBytes = defaultFreeBytes
	}
	if o.Trouble == nil {
		o.Trouble = func(error) {}
	}
	err := os.MkdirAll(directory, 0o700)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, &Error{directory, bare(err)}
	}
	root, err := os.OpenRoot(directory)
	if err != nil {
		return nil, &Error{directory, bare(err)}
	}
	c := &Cache{directory: directory, options: o, root: root, waiting: make(chan piece, maxWaiting), written: make(chan struct{})}
	c.ledger, err = root.OpenFile(ledgerName, os.O_RDWR|os.O_CREATE|openFlags, 0o600)
	if err != nil {
		c.trouble(ledgerName, err)
	}
	go c.writeAll()
	return c, nil
}

// Close writes what waits to be written, for as long as the disk takes it in time.
func (c *Cache) Close() {
	c.mu.Lock()
	first := !c.closed
	c.closed = true
	c.mu.Unlock()
	if !first {
		return
	}
	close(c.waiting)
	late := time.NewTimer(closeTimeout)
	defer late.Stop()
	select {
	case <-c.written:
		c.root.Close()
		if c.ledger != nil {
			c.ledger.Close()
		}
	case <-late.C: // whoever hangs there has them
	}
}

const closeTimeout = 5 * time.Second

// Stats says what happened so far.
func (c *Cache) Stats() Stats {
	return Stats{c.hits.Load(), c.misses.Load(), c.corrupt.Load(), c.puts.Load(), c.skipped.Load()}
}

func (c *Cache) trouble(name string, err error) {
	c.options.Trouble(&Error{c.directory + string(os.PathSeparator) + name, bare(err)})
}

// bare is an error without the name that the library gave it.
func bare(err error) error {
	var p *fs.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p):
		return p.Err
	case errors.As(err, &l):
		return l.Err
	}
	return err
}
