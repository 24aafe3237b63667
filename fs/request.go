package fs

import (
	"context"
	"sync"
	"time"
)

// killPoll is how often a process that was sent a signal is looked at: only the first signal is told of, and only one that
// kills ends the wait.
const killPoll = 50 * time.Millisecond

// request is the context of one request. It is done when the mount ends, when its time is up, or when the process that
// waits for the answer was killed. Other signals don't count: programs in Go send themselves some all the time, and few
// programs expect a read of a file to be interrupted.
//
// A request that never waits costs nothing but itself: only Done starts a watch.
type request struct {
	mount     context.Context
	timeout   time.Duration
	interrupt <-chan struct{} // closed at the first signal
	pid       uint32          // the thread that waits; 0 if there is none or it is out of sight
	about     subject         // what it asks about, as far as that is known yet

	mu   sync.Mutex
	done chan struct{} // nil until somebody waits for it
	over chan struct{} // closed when the request is answered
	err  error
}

// Deadline implements context.Context.
func (r *request) Deadline() (time.Time, bool) { return time.Time{}, false }

// Value implements context.Context.
func (r *request) Value(key any) any { return r.mount.Value(key) }

// Done implements context.Context.
func (r *request) Done() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done == nil {
		r.done = make(chan struct{})
		r.over = make(chan struct{})
		go r.watch()
	}
	return r.done
}

// Err implements context.Context.
func (r *request) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil && r.done == nil {
		return r.mount.Err()
	}
	return r.err
}

// answered ends the watch, if there is one.
func (r *request) answered() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over != nil {
		close(r.over)
	}
}

func (r *request) end(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
	close(r.done)
}

func (r *request) watch() {
	timer := time.NewTimer(r.timeout)
	defer timer.Stop()
	ticker := time.NewTicker(killPoll)
	defer ticker.Stop()
	interrupt := r.interrupt
	var look <-chan time.Time
	for {
		select {
		case <-r.over:
			return
		case <-r.mount.Done():
			r.end(context.Canceled)
			return
		case <-timer.C:
			r.end(context.DeadlineExceeded)
			return
		case <-interrupt:
			interrupt, look = nil, ticker.C
		case <-look:
			if isKilled(r.pid) {
				r.end(context.Canceled)
				return
			}
		}
	}
}
