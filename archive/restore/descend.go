package restore

import (
	"context"
	"errors"

	"golang.org/x/sys/unix"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/format"
)

// makeDir makes a directory in the one on top of the stack, or finds it there.
func (w *walker) makeDir(e archive.Located) error {
	top := w.stack.top()
	_, name := e.Path.Split()
	made, err := w.mkdir(top.dir, name, e.Entry)
	if err != nil {
		return w.failed(e.Path, err)
	}
	top.pending.add(e.Ordinal, made)
	w.restored(e.Entry, 0)
	return nil
}

// mkdir reports whether it made the directory; otherwise it was there.
func (r *run) mkdir(d *dir, name string, e *format.Entry) (made bool, err error) {
	if d.fd < 0 {
		return true, nil // in a dry run
	}
	if !r.o.DryRun {
		err := unix.Mkdirat(d.fd, name, 0o700)
		if err != unix.EEXIST || d.made {
			return true, callFailed("make directory", err)
		}
	}
	var st unix.Stat_t
	err = lstat(d.fd, name, &st)
	switch {
	case err == unix.ENOENT && r.o.DryRun:
		return true, nil
	case err != nil:
		return false, callFailed("stat", err)
	case isDir(&st):
		return false, r.compareDir(e, &st)
	case !r.o.Overwrite:
		return false, callFailed("make directory", unix.EEXIST)
	case r.o.DryRun:
		return true, nil
	}
	if err := unix.Unlinkat(d.fd, name, 0); err != nil {
		return false, callFailed("remove what is in the way", err)
	}
	return true, callFailed("make directory", unix.Mkdirat(d.fd, name, 0o700))
}

// compareDir raises an alarm where a directory that was there, and stays as it is, was asked for and is another in the band.
func (r *run) compareDir(e *format.Entry, st *unix.Stat_t) error {
	uid, gid := r.owners.numbers(e.Owner)
	same := permOf(st) == e.Mode && st.Uid == uid && st.Gid == gid
	if same || r.o.Overwrite || !r.sel.names(e.Path) {
		return nil
	}
	r.count.left.Add(1)
	return r.raise(alarm.Alarm{
		Area: alarm.Restore, Condition: alarm.Exists, Filename: r.local(e.Path), Message: "a directory with another mode or owner",
	})
}

// enter puts the directory q, in the one on top of the stack, on top of it; or passes over what is in q.
func (w *walker) enter(q format.Path) error {
	e, made, found, err := w.claim(q)
	if err != nil {
		return err
	}
	if !found {
		return w.enterUnknown(q)
	}
	_, name := q.Split()
	d, err := w.openDir(w.stack.top().dir, name, made)
	if err != nil {
		w.passOver(q)
		return w.failed(q, err)
	}
	if made || w.o.Overwrite && w.sel.names(q) {
		own := *e.Entry // not to hold on to its whole hunk
		d.entry = &own
		d.makeUsable()
	}
	w.stack.push(d)
	if made {
		return nil
	}
	return w.prune(w.ctx, d)
}

// claim takes q from the pending directories on top of the stack. Those ahead of it have nothing in them.
func (w *walker) claim(q format.Path) (e archive.Located, made, found bool, err error) {
	top := w.stack.top()
	for {
		ordinal, made, ok := top.pending.first()
		if !ok {
			return e, false, false, nil
		}
		e, err := w.band.At(w.ctx, ordinal)
		switch {
		case err != nil:
			err = w.unreadable(w.ctx, err)
		case e.Path == q:
			top.pending.drop()
			return e, made, true, nil
		case format.Compare(e.Path, q) > 0:
			return e, false, false, nil
		default:
			err = w.finishEmpty(e, made)
		}
		if err != nil {
			return e, false, false, err
		}
		top.pending.drop()
	}
}

// finishEmpty lets a worker finish a directory that the band has nothing in.
func (w *walker) finishEmpty(e archive.Located, made bool) error {
	if !made && !(w.sel.names(e.Path) && (w.o.Overwrite || w.o.Delete)) {
		return nil
	}
	_, name := e.Path.Split()
	return w.add(item{dir: w.stack.top().dir, entry: e.Entry, name: name, made: made})
}

// enterUnknown enters a directory that was not made on the way: because it could not be, which an alarm has told; because
// the band has something else there; or because its entry is lost.
func (w *walker) enterUnknown(q format.Path) error {
	e, err := w.band.Lookup(w.ctx, q)
	switch {
	case w.ctx.Err() != nil:
		return context.Cause(w.ctx)
	case err == nil && e.Kind == format.Directory:
		w.passOver(q)
		return nil
	case err == nil:
		w.passOver(q)
		return w.corrupt(q, "there are entries below it, and it is no directory")
	}
	err = w.raise(alarm.Alarm{
		Area: alarm.Band, Condition: alarm.Missing, Filename: string(q), Message: "the directory's own entry; it gets mode 0700", Err: err,
	})
	if err != nil {
		return err
	}
	top := w.stack.top()
	_, name := q.Split()
	made, err := w.mkdir(top.dir, name, &format.Entry{Path: q, Kind: format.Directory, Mode: 0o700})
	var d *dir
	if err == nil || errors.Is(err, unix.EEXIST) {
		d, err = w.openDir(top.dir, name, made && err == nil)
	}
	if err != nil {
		w.passOver(q)
		return w.failed(q, err)
	}
	w.stack.push(d)
	return nil
}

// leave finishes the directories that are pending on top of the stack, and takes it down.
func (w *walker) leave() error {
	for {
		top := w.stack.top()
		ordinal, made, ok := top.pending.first()
		if !ok {
			break
		}
		e, err := w.band.At(w.ctx, ordinal)
		if err == nil {
			err = w.finishEmpty(e, made)
		} else {
			err = w.unreadable(w.ctx, err)
		}
		if err != nil {
			return err
		}
		top.pending.drop()
	}
	d := w.stack.pop(w.top)
	if n := len(w.stack.levels); n > 0 && !w.o.DryRun && w.stack.top().fd < 0 {
		if err := w.failed(w.stack.top().path, callFailed("open directory again", unix.ENOENT)); err != nil {
			return err
		}
		w.stack.top().pending = pending{}
		w.passOver(w.stack.top().path)
	}
	return d.release()
}
