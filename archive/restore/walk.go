package restore

import (
	"context"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/format"
)

// walker goes through the entries, makes the directories and hands out the rest.
type walker struct {
	*run
	ctx     context.Context
	batches chan<- *batch
	batch   *batch

	stack stack
	skips bool // what is below skip is passed over
	skip  format.Path
}

func newWalker(ctx context.Context, r *run, batches chan<- *batch) *walker {
	return &walker{
		run: r, ctx: ctx, batches: batches, batch: &batch{},
		stack: stack{levels: []level{{dir: r.top}}, open: 1, maxOpen: r.o.MaxOpenDirs},
	}
}

// walk is the whole way. After an error it still gives the directories that it is in what they are to have.
func (w *walker) walk() error {
	err := w.subtrees()
	for err == nil && len(w.stack.levels) > 0 {
		err = w.leave()
	}
	if err == nil {
		return w.send()
	}
	w.end(err)
	w.batch.release()
	for len(w.stack.levels) > 0 {
		w.stack.pop(w.top).release()
	}
	return err
}

func (w *walker) subtrees() error {
	if w.sel.partial && w.top.made {
		if e, err := w.band.Lookup(w.ctx, format.Root); err == nil {
			w.top.entry = e.Entry
		}
	}
	for _, p := range w.sel.walks {
		if err := w.lead(p); err != nil {
			return err
		}
		for e, err := range w.band.Subtree(w.ctx, p) {
			if err == nil {
				err = w.entry(e)
			} else {
				err = w.unreadable(w.ctx, err)
			}
			if err != nil {
				return err
			}
			if w.ctx.Err() != nil {
				return context.Cause(w.ctx)
			}
		}
	}
	return context.Cause(w.ctx)
}

// lead makes the directories that lead to p, where p is not the root, and enters them.
func (w *walker) lead(p format.Path) error {
	if p == format.Root {
		return nil
	}
	parent, _ := p.Split()
	if err := w.unwind(parent); err != nil {
		return err
	}
	for at := w.stack.top().path; at != parent && !w.skips; at = w.stack.top().path {
		step := stepTo(at, parent)
		if e, err := w.band.Lookup(w.ctx, step); err == nil && e.Kind == format.Directory {
			if err := w.makeDir(e); err != nil {
				return err
			}
		}
		if err := w.enter(step); err != nil {
			return err
		}
	}
	return nil
}

// stepTo is the directory in at on the way to p, which is below at.
func stepTo(at, p format.Path) format.Path {
	n := len(at) + 1
	if at == format.Root {
		n = 0
	}
	for n < len(p) && p[n] != '/' {
		n++
	}
	return p[:n]
}

func (w *walker) entry(e archive.Located) error {
	if e.Path == format.Root {
		return w.root(e)
	}
	parent, name := e.Path.Split()
	inside, err := w.to(parent)
	if err != nil {
		return err
	}
	if !inside {
		w.count.passed.Add(1)
		return nil
	}
	if e.Kind == format.Directory {
		return w.makeDir(e)
	}
	return w.add(item{dir: w.stack.top().dir, entry: e.Entry, name: name, role: w.links.meet(e.Entry)})
}

// root settles what becomes of the destination itself: one that was made here, or that stands for a source and is empty, is
// the band's root. Otherwise it belongs to somebody else, and is like any directory that is there already.
func (w *walker) root(e archive.Located) error {
	if e.Kind != format.Directory {
		return w.corrupt(format.Root, "the root is no directory")
	}
	w.restored(e.Entry, 0)
	named := w.sel.names(format.Root)
	if w.top.made || named && (w.o.Overwrite || w.topEmpty) {
		w.top.entry = e.Entry
		w.top.makeUsable()
	} else if named {
		if err := w.compareDir(e.Entry, &w.top.stat); err != nil {
			return err
		}
	}
	return w.prune(w.ctx, w.top)
}

// to makes p, a directory, the top of the stack. It reports false where what is in p is to be passed over.
func (w *walker) to(p format.Path) (bool, error) {
	if err := w.unwind(p); err != nil {
		return false, err
	}
	for !w.skips && w.stack.top().path != p {
		if err := w.enter(stepTo(w.stack.top().path, p)); err != nil {
			return false, err
		}
	}
	return !w.skips, nil
}

// unwind leaves the directories that p is not in.
func (w *walker) unwind(p format.Path) error {
	for !p.Within(w.stack.top().path) {
		if err := w.leave(); err != nil {
			return err
		}
	}
	w.skips = w.skips && p.Within(w.skip)
	return nil
}

// passOver passes over what is in p.
func (w *walker) passOver(p format.Path) { w.skips, w.skip = true, p }

// add puts an item into the batch, and sends the batch off if it is full.
func (w *walker) add(it item) error {
	frame := firstFrame(it.entry)
	if w.batch.full(it.dir, frame) {
		if err := w.send(); err != nil {
			return err
		}
	}
	w.batch.add(it, frame)
	return nil
}

func (w *walker) send() error {
	b := w.batch
	if len(b.items) == 0 {
		return nil
	}
	w.batch = &batch{}
	if !w.o.DryRun {
		w.band.Archive().Prefetch(b.ahead()...)
	}
	select {
	case w.batches <- b:
		return nil
	case <-w.ctx.Done():
		b.release()
		return context.Cause(w.ctx)
	}
}

func (w *walker) corrupt(p format.Path, message string) error {
	return w.raise(alarm.Alarm{Area: alarm.Band, Condition: alarm.Corrupt, Filename: string(p), Message: message})
}
