package sim

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"time"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/format"
	"dura/archive/storage"
	"dura/writer"
)

// process starts a process. It is called in the scheduler, or before that runs.
func (w *world) process(name string, t *tree) *client {
	c := &client{world: w, name: name, tree: t, began: w.moment, stop: make(chan struct{})}
	c.ctx, c.end = context.WithCancelCause(w.ctx)
	w.clients = append(w.clients, c)
	return c
}

// gone notes that a process has ended.
func (w *world) gone(c *client) {
	c.end(errOver)
	w.over(c)
	for i, other := range w.clients {
		if other == c {
			w.clients = append(w.clients[:i], w.clients[i+1:]...)
			return
		}
	}
}

// over notes when a process ended.
func (w *world) over(c *client) {
	if c.ended == 0 {
		c.ended = w.moment
	}
}

// running are the processes that could be interrupted.
func (w *world) running() (list []*client) {
	for _, c := range w.clients {
		if !c.dead.Load() && !c.idler {
			list = append(list, c)
		}
	}
	return list
}

// between is a process that uses no storage, so that an actor has its place among others.
func (w *world) between(name string) *client {
	c := w.process(name, nil)
	c.idler = true
	return c
}

// writer backs a tree up several times, with changes in between.
func (w *world) writer(number int) {
	t := w.trees[w.writers[number]]
	name := fmt.Sprintf("w%d", number)
	idle := w.between(name)
	for run := range w.runs {
		var c *client
		err := idle.turn(w.ctx, "begins", func() {
			if run > 0 {
				w.edit(t, w.rng.IntN(w.edits+1))
			}
			if w.indexed && w.hits(w.faults.spoils) {
				w.fail(w.spoilIndex(t.host))
			}
			if !w.atWork() && w.hits(w.faults.losses) {
				w.lose()
			}
			c = w.process(fmt.Sprintf("%s.%d", name, run), t)
			kills, stops := w.hits(w.faults.kills), w.hits(w.faults.stops)
			if c.stops = stops; kills || stops {
				c.leash = 1 + w.rng.IntN(1<<(3+w.rng.IntN(6)))
			}
		})
		if err != nil {
			return
		}
		w.backup(c, idle)
	}
}

// edit changes a tree. It is called in the scheduler, or before that runs.
func (w *world) edit(t *tree, times int) {
	if times == 0 {
		return
	}
	t.change(w.moment, w.rng, func(e *edit) {
		for range times {
			e.mutate(w.shape)
		}
	})
	w.say(fmt.Sprintf("%s changes, %d times", t.key(), times))
}

// changeSome changes the tree of a writer that is at work.
func (w *world) changeSome() {
	var trees []*tree
	for _, c := range w.running() {
		if c.tree != nil {
			trees = append(trees, c.tree)
		}
	}
	if len(trees) > 0 {
		w.edit(trees[w.rng.IntN(len(trees))], 1)
	}
}

// backup runs one backup in c, and judges what it says about itself.
func (w *world) backup(c, idle *client) (complete bool) {
	src := &walker{tree: c.tree, pause: c.pause}
	result, err := w.runBackup(c, src)
	_ = idle.turn(w.ctx, "returns", func() {
		w.returned(c, src, result, err)
		w.gone(c)
	})
	return err == nil
}

func (w *world) runBackup(c *client, src *walker) (writer.Result, error) {
	a, err := archive.Open(c.ctx, w.wrapped(c), archive.Options{Decoders: 1})
	if err != nil {
		return writer.Result{}, err
	}
	defer a.Close()
	set, err := alarm.NewSet(alarm.Options{})
	if err != nil {
		return writer.Result{}, err
	}
	index, err := w.openIndex(c)
	if err != nil {
		return writer.Result{}, err
	}
	if index != nil {
		defer index.Close()
	}
	return writer.Backup(c.ctx, a, w.source(src), writer.Options{
		Now: func() time.Time { return time.Now().Add(c.tree.clock) }, Random: w.random(c), Host: c.tree.host, Program: "sim",
		Sources: []string{c.tree.root}, Alarms: set, Workers: w.workers, Index: index, Stop: c.stop,
	})
}

// random are the random bytes of a process.
func (w *world) random(c *client) io.Reader {
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], w.seed)
	if !w.sameRandom {
		copy(seed[8:], c.name)
	}
	return rand.NewChaCha8(seed)
}

// pause lets others go ahead, at one look in so many.
func (c *client) pause(ctx context.Context, p format.Path) error {
	pauses := uint64(c.world.pauses)
	if pauses == 0 {
		return nil
	}
	h := fnv.New64a()
	h.Write([]byte(p))
	if h.Sum64()%pauses != 0 {
		return nil
	}
	return c.turn(ctx, "look at "+string(p), func() {})
}

// wrapped is the storage as a client sees it, with what is planted there.
func (w *world) wrapped(c *client) storage.Storage {
	if w.plant.Storage == nil || c.tree == nil {
		return c
	}
	return w.plant.Storage(c)
}

// returned judges the end of a backup.
func (w *world) returned(c *client, src *walker, result writer.Result, err error) {
	switch {
	case err == nil:
		w.say(fmt.Sprintf("%s has completed %s", c.name, result.Band))
	case c.hurt != "": // which error of several came first is chance
		w.say(fmt.Sprintf("%s ends early: %s", c.name, c.hurt))
	}
	if open, misuse := src.open.Load(), src.misuse.Load(); open != 0 || misuse != 0 {
		w.fail(fmt.Errorf("%s leaves %d handles open, and has used closed ones %d times", c.name, open, misuse))
	}
	if err != nil {
		if c.hurt == "" {
			w.fail(fmt.Errorf("%s failed, though nothing went wrong: %w", c.name, err))
		}
		w.fail(w.progress(c.tree))
		return
	}
	l := w.bands[result.Band]
	if l == nil || l.ended == 0 {
		w.fail(fmt.Errorf("%s says that %s is complete, and it has no tail", c.name, result.Band))
		return
	}
	if !w.plant.Unwatched {
		w.fail(w.isThere(format.TailName(result.Band), 0, format.Hash{}))
	}
}
