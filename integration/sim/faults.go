package sim

import (
	"dura/archive/format"
	"dura/archive/storage"
)

// faults say how often things go wrong: of requests, one in so many; 0 stands for never.
type faults struct {
	failed         int // nothing happens, and the caller hears so
	unacknowledged int // it happens, and the caller hears that it failed
	late           int // the caller hears that it failed, and it happens later
	repeated       int // it happens now and, where it can, again later
	full           int // there is no room for a while
	crashes        int // the machine that stores crashes
	changes        int // a tree changes while it is backed up
	kills          int // of the runs of writers, one in so many is killed
	stops          int // and is told to end
	spoils         int // of the runs of writers, one in so many is begun with an index that was damaged or lied to
	losses         int // and one in so many behind the loss of an object, if no other is at work
	staleMoments   int // an object may be missing in listings for so long
}

const (
	fullMoments = 40 // at most
	lateMoments = 60
)

// hits reports whether something happens now that does so once in so many times.
func (w *world) hits(oneIn int) bool { return oneIn > 0 && w.rng.IntN(oneIn) == 0 }

// serve takes a request and decides what becomes of it.
func (w *world) serve(r *request) {
	c := r.client
	if r.op == turn {
		w.note(r, "")
		r.run()
		r.answer(nil)
		return
	}
	if c.leash > 0 {
		c.leash--
		switch {
		case c.leash == 0 && c.stops && w.rng.IntN(2) == 0:
			w.hurt(c, "it was told to end")
			close(c.stop)
		case c.leash == 0 && c.stops:
			w.hurt(c, "it was told to end at once")
			c.end(errStopped)
		case c.leash == 0:
			w.kill(c, r)
			return
		}
	}
	creates := r.op == storage.OpCreate
	if creates && c.stores > 0 {
		if c.stores--; c.stores == 0 {
			w.kill(c, r)
			return
		}
	}
	f := &w.faults
	switch {
	case creates && w.moment < w.fullUntil:
		w.refuse(r, storage.KindFull, "no room")
	case w.hits(f.failed):
		w.refuse(r, w.someKind(), "failed")
	case creates && w.hits(f.unacknowledged):
		w.perform(r)
		w.refuse(r, w.someKind(), "the answer was lost")
	case creates && w.hits(f.late):
		w.later(r)
		w.refuse(r, w.someKind(), "held up")
	default:
		if creates && w.hits(f.repeated) {
			w.later(r)
		}
		w.fulfil(r)
	}
}

func (w *world) someKind() storage.Kind {
	if w.rng.IntN(3) == 0 {
		return storage.KindIO
	}
	return storage.KindUnavailable
}

// refuse answers with an error that the storage made up.
func (w *world) refuse(r *request, kind storage.Kind, cause string) {
	w.note(r, cause)
	w.hurt(r.client, cause+": "+r.op+" "+r.name)
	r.answer(r.failure(kind, cause))
}

// hurt keeps what first went wrong for a client: if its run fails, that is why.
func (w *world) hurt(c *client, cause string) {
	if c.hurt == "" {
		c.hurt = cause
	}
}

// fulfil does what was asked for, and says so.
func (w *world) fulfil(r *request) {
	err := w.perform(r)
	if r.op == storage.OpCreate && (err == nil || storage.Is(err, storage.KindExists)) {
		w.place.acknowledge(r.name)
	}
	if err != nil {
		w.note(r, err.Error())
		if r.op == storage.OpCreate {
			w.hurt(r.client, "the name was taken: "+r.name)
		}
	} else {
		w.note(r, "")
	}
	r.answer(err)
}

// later keeps a create, to be executed another time.
func (w *world) later(r *request) {
	again := &request{client: r.client, op: r.op, name: r.name, data: r.data}
	w.late = append(w.late, lateRequest{w.moment + 1 + int64(w.rng.IntN(lateMoments)), again})
}

// lateRequest is a create that the storage still has in some queue.
type lateRequest struct {
	due int64
	*request
}

// arrive executes what has been held up until now.
func (w *world) arrive(all bool) {
	var left []lateRequest
	for _, l := range w.late {
		if l.due > w.moment && !all {
			left = append(left, l)
			continue
		}
		w.note(l.request, "arrives late")
		_ = w.perform(l.request) // nobody hears of it
	}
	w.late = left
}

// kill ends a process in the middle of r, and of whatever else it has asked for.
func (w *world) kill(c *client, r *request) {
	w.note(r, "killed in it")
	w.interrupt(r)
	w.exit(c)
	w.hurt(c, "it was killed")
}

// exit ends a process, and interrupts what it has asked for.
func (w *world) exit(c *client) {
	c.dead.Store(true)
	w.over(c)
	for _, r := range w.take(func(r *request) bool { return r.client == c }) {
		w.interrupt(r)
	}
	c.end(errKilled)
}

// interrupt lets a request under way happen or not. Who made it does not hear which.
func (w *world) interrupt(r *request) {
	if r.op == storage.OpCreate {
		switch fate := w.rng.IntN(3); {
		case fate == 0:
			w.note(r, "done though interrupted")
			_ = w.perform(r)
		case fate == 1 && w.faults.late > 0:
			w.later(r)
		}
	}
	r.answer(r.failure(storage.KindUnavailable, "interrupted"))
}

// crash stops the machine that stores. What is under way happens or not, and what was not acknowledged may be lost; processes
// that run on that machine end, too.
func (w *world) crash() {
	w.say("the machine crashes")
	for _, c := range w.running() {
		w.hurt(c, "the machine crashed")
		if w.place.volatile {
			w.exit(c)
			continue
		}
		for _, r := range w.take(func(r *request) bool { return r.client == c && r.op != turn }) {
			w.interrupt(r)
		}
	}
	for _, name := range w.place.crash(func() bool { return w.rng.IntN(2) == 0 }) {
		w.say("lost: " + name)
		if id, kind, _, _ := format.ParseObjectName(name); kind == format.TailObject && w.bands[id] != nil {
			w.bands[id].ended = 0 // a later run may go on with it
		}
	}
}
