package sim

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing/synctest"
	"time"

	"dura/archive/format"
	"dura/archive/storage"
)

// world is one history under way. All but pending and actors is the scheduler's alone, or of functions that it runs.
type world struct {
	profile
	rng     *rand.Rand
	place   *place
	plant   Plant
	trees   []*tree
	bands   map[format.BandID]*life
	clients []*client // that have not ended
	late    []lateRequest
	trace   []event
	decoder *format.Decoder

	ctx       context.Context
	end       context.CancelCauseFunc
	moment    int64
	fullUntil int64
	lost      int64           // when an object was, the last time
	lostNames map[string]bool // those that were lost
	indexes   string          // a directory with one for each host; "": they have none
	idle      int             // seconds since there was a request
	failure   error

	mu      sync.Mutex
	pending []*request
	actors  int
}

// life is what is known of a band.
type life struct {
	tree    *tree
	began   int64 // when the first run began that put something into it
	ended   int64 // when its tail came; 0: not yet
	writers map[*client]bool
	shared  bool        // several have written into it at the same time
	stale   bool        // a listing has left out some of it
	covered int64       // entries that it has in a row, as long as it is incomplete,
	last    format.Path // and the last of them
}

var errOver = errors.New("the history is over")

// act starts an actor.
func (w *world) act(by func()) {
	w.mu.Lock()
	w.actors++
	w.mu.Unlock()
	go func() {
		defer func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.actors--
		}()
		by()
	}()
}

// play schedules until every actor has ended.
func (w *world) play() {
	for {
		synctest.Wait()
		if w.acting() == 0 {
			return
		}
		w.step()
		if w.failure != nil {
			w.end(errOver)
		}
	}
}

func (w *world) acting() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.actors
}

// step lets one thing happen.
func (w *world) step() {
	w.moment++
	if w.rng.IntN(8) == 0 {
		longest := 900 * time.Millisecond
		if w.rng.IntN(8) == 0 {
			longest = time.Minute
		}
		time.Sleep(time.Duration(w.rng.Int64N(int64(longest))))
		synctest.Wait()
	}
	w.arrive(false)
	ready := w.ready()
	if len(ready) == 0 {
		w.rest()
		return
	}
	w.idle = 0
	switch f := &w.faults; {
	case w.hits(f.crashes):
		w.crash()
	case w.hits(f.full):
		w.fullUntil = w.moment + int64(w.rng.IntN(fullMoments))
	case w.hits(f.changes):
		w.changeSome()
	default:
		r := ready[w.rng.IntN(len(ready))]
		w.take(func(p *request) bool { return p == r })
		w.serve(r)
	}
}

// ready are the requests to choose from, in an order that does not depend on which goroutine was first. Those seen for the
// first time are looked into.
func (w *world) ready() []*request {
	for _, r := range w.take(func(r *request) bool { return r.ctx.Err() != nil }) {
		if r.known && r.op == storage.OpCreate && w.rng.IntN(2) == 0 {
			w.note(r, "done though abandoned")
			_ = w.perform(r)
		}
	}
	w.mu.Lock()
	ready := slices.Clone(w.pending)
	w.mu.Unlock()
	slices.SortFunc(ready, (*request).order)
	for _, r := range ready {
		if !r.known {
			r.known = true
			w.inspect(r)
		}
	}
	return ready
}

// take removes requests from those that wait, in order.
func (w *world) take(which func(*request) bool) (taken []*request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pending = slices.DeleteFunc(w.pending, func(r *request) bool {
		takes := which(r)
		if takes {
			taken = append(taken, r)
		}
		return takes
	})
	slices.SortFunc(taken, (*request).order)
	return taken
}

// maxIdleSeconds is longer than anyone may wait before another try.
const maxIdleSeconds = 20_000

// rest lets time pass, for those who wait for that.
func (w *world) rest() {
	time.Sleep(time.Second)
	w.idle++
	switch {
	case w.idle == maxIdleSeconds:
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		w.fail(fmt.Errorf("everyone waits, and for nothing\n%s", stacks))
	case w.idle > 2*maxIdleSeconds:
		panic(fmt.Sprintf("seed %d: cancelled actors do not end\n%v", w.seed, w.failure))
	}
}

// fail ends the history, because of its first failure.
func (w *world) fail(err error) {
	if w.failure == nil && err != nil {
		w.say("failure: " + err.Error())
		w.failure = err
	}
}

// perform does what was asked for.
func (w *world) perform(r *request) error {
	if r.op == storage.OpCreate {
		delay := int64(0)
		if w.faults.staleMoments > 0 {
			delay = int64(w.rng.IntN(w.faults.staleMoments))
		}
		if err := w.place.create(r.name, r.data, w.moment+delay); err != nil {
			return err
		}
		w.stored(r)
		return nil
	}
	if r.op == storage.OpList {
		r.infos = w.place.list(r.name, r.depth, w.moment)
		w.noteStale(r)
		return nil
	}
	if r.op == storage.OpSettle {
		for _, info := range w.place.list(r.name, storage.Deep, math.MaxInt64) {
			w.place.acknowledge(info.Name)
		}
		return nil
	}
	o := w.place.find(r.name)
	if o == nil {
		return &storage.Error{Op: r.op, Object: r.name, Kind: storage.KindNotFound}
	}
	r.infos = []storage.Info{{Name: o.name, SizeBytes: int64(len(o.data))}}
	if r.op == storage.OpRead {
		from := min(r.offset, int64(len(o.data)))
		r.got = o.data[from:min(from+int64(r.bytes), int64(len(o.data)))]
	}
	return nil
}

// noteStale notes of which bands a listing has left out something.
func (w *world) noteStale(r *request) {
	if w.faults.staleMoments == 0 {
		return
	}
	shown := map[string]bool{}
	for _, info := range r.infos {
		shown[info.Name] = true
	}
	for _, info := range w.place.list(r.name, r.depth, math.MaxInt64) {
		if id, _, _, err := format.ParseObjectName(info.Name); err == nil && !shown[info.Name] && w.bands[id] != nil {
			w.bands[id].stale = true
		}
	}
}

// stored notes to which band a new object belongs.
func (w *world) stored(r *request) {
	id, kind, _, err := format.ParseObjectName(r.name)
	if err != nil {
		return
	}
	l := w.bands[id]
	if l == nil {
		if kind != format.HeadObject {
			w.fail(fmt.Errorf("%s is there ahead of its band's head", r.name))
		}
		l = &life{tree: r.client.tree, began: r.client.began, writers: map[*client]bool{}}
		w.bands[id] = l
	}
	l.began = min(l.began, r.client.began)
	for other := range l.writers {
		l.shared = l.shared || other != r.client && (other.ended == 0 || other.ended > r.client.began)
	}
	l.shared = l.shared || r.client.ended > 0 // it comes late
	l.writers[r.client] = true
	if l.tree != r.client.tree && !w.plant.Unwatched {
		w.fail(fmt.Errorf("%s of %s was stored in a band of %s", r.name, r.client.tree.key(), l.tree.key()))
	}
	if kind == format.TailObject {
		l.ended = w.moment
	}
	for _, broken := range w.place.broken {
		if !w.plant.Unwatched {
			w.fail(errors.New(broken))
		}
	}
}
