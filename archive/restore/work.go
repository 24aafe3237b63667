package restore

import (
	"context"
	"errors"
	"strconv"

	"golang.org/x/sys/unix"

	"dura/archive/event"
	"dura/archive/format"
)

// worker restores batches.
type worker struct {
	*run
	ctx     context.Context
	prefix  string // of its temporary names
	temps   int64  // names used up
	leaders opened
}

// TempPrefix is what the names of unfinished files begin with; a run that was killed may leave some.
const TempPrefix = ".dura-restore-"

func newWorker(ctx context.Context, r *run, number int) *worker {
	return &worker{run: r, ctx: ctx, prefix: TempPrefix + r.token + "-" + strconv.Itoa(number) + "-", leaders: opened{fd: -1}}
}

func (w *worker) work(batches <-chan *batch) error {
	defer w.leaders.close()
	for b := range batches {
		if err := w.do(b); err != nil {
			return err
		}
	}
	return nil
}

func (w *worker) do(b *batch) (err error) {
	for i := range b.items {
		if w.ctx.Err() != nil {
			err = context.Cause(w.ctx)
		} else {
			err = w.item(&b.items[i])
		}
		if err != nil {
			w.end(err)
			break
		}
	}
	if e := b.release(); err == nil {
		err = e
	}
	last := b.items[len(b.items)-1].entry
	w.o.Events.Send(event.Progress{Done: w.count.totals(), Expected: w.expect, Path: string(last.Path)})
	return err
}

func (w *worker) item(it *item) error {
	var err error
	switch {
	case it.entry.Kind == format.Directory:
		err = w.finishEmpty(it)
	case it.role == follower:
		err = w.follow(it)
	default:
		err = w.restoreOne(it)
	}
	switch {
	case err == nil:
		return nil
	case w.ctx.Err() != nil && !isFatal(err):
		return context.Cause(w.ctx) // whatever else it looks like
	}
	return w.failed(it.entry.Path, err)
}

// restoreOne restores what has no other name yet, and tells those that wait for it to link to.
func (w *worker) restoreOne(it *item) error {
	var id fileID
	err := w.inTheWay(it)
	if err == nil {
		id, err = w.make(it)
	}
	if it.role != alone {
		w.links.settle(it.entry, id, err == nil)
	}
	return err
}

func (w *worker) make(it *item) (fileID, error) {
	if w.o.DryRun {
		w.restored(it.entry, contentBytes(it.entry))
		return fileID{}, nil
	}
	if it.entry.Kind == format.File {
		return w.file(it)
	}
	return w.node(it)
}

func contentBytes(e *format.Entry) int64 {
	bytes := int64(0)
	for i := range e.Spans {
		bytes += int64(e.Spans[i].Bytes)
	}
	if len(e.SpanLists) > 0 {
		bytes = e.Size
	}
	return bytes
}

// finishEmpty gives a directory without entries its metadata.
func (w *worker) finishEmpty(it *item) error {
	d, err := w.openDir(it.dir, it.name, it.made)
	if err != nil {
		return err
	}
	if it.made || w.o.Overwrite {
		d.entry = it.entry
		d.makeUsable()
	}
	if !it.made {
		if err := w.prune(w.ctx, d); err != nil {
			return errors.Join(err, d.release())
		}
	}
	return d.release()
}

// inTheWay makes room for an item in a directory where others may have put something, or fails with EEXIST.
func (w *worker) inTheWay(it *item) error {
	if it.dir.made || it.dir.fd < 0 {
		return nil
	}
	var st unix.Stat_t
	err := lstat(it.dir.fd, it.name, &st)
	switch {
	case err == unix.ENOENT:
		return nil
	case err != nil:
		return callFailed("stat", err)
	case !w.o.Overwrite, isDir(&st) && !(w.o.Delete && w.sel.names(it.entry.Path)):
		return unix.EEXIST
	case isDir(&st):
		return w.remove(it.dir, it.name, it.entry.Path)
	}
	return nil // it is replaced
}

// tempName is a name that nothing has: O_EXCL and its like tell otherwise, and the next one is tried.
func (w *worker) tempName() string {
	w.temps++
	return w.prefix + strconv.FormatInt(w.temps, 10)
}
