package restore

import (
	"errors"

	"golang.org/x/sys/unix"

	"dura/archive/alarm"
	"dura/archive/format"
)

// follow makes an entry a further name of what its group's leader has become. Where that can't be, it is restored by itself.
func (w *worker) follow(it *item) error {
	at, id, lead, err := w.links.await(w.ctx, it.entry)
	if err != nil {
		return err
	}
	defer w.links.seen(it.entry)
	if lead {
		return w.restoreOne(it)
	}
	if err := w.inTheWay(it); err != nil {
		return err
	}
	if err = w.link(it, at, id); err == nil {
		w.restored(it.entry, 0)
		return nil
	}
	if isFatal(err) || errors.Is(err, unix.EEXIST) || errors.Is(err, unix.ENAMETOOLONG) {
		return err
	}
	// Two files of the same content are better than one.
	if err := w.raise(alarm.Alarm{
		Area: alarm.Restore, Condition: conditionOf(err), Filename: w.local(it.entry.Path),
		Message: "it becomes a file of its own, and no link to " + string(at), Err: err,
	}); err != nil {
		return err
	}
	_, err = w.make(it)
	return err
}

// link makes it a name of the file at at, which must be id.
func (w *worker) link(it *item, at format.Path, id fileID) error {
	if w.o.DryRun {
		return nil
	}
	dir, name := at.Split()
	from := it.dir.fd
	if dir != it.dir.path {
		fd, err := w.leaders.open(w.top.fd, dir)
		if err != nil {
			return callFailed("open the directory of the file to link to", err)
		}
		from = fd
	}
	var st unix.Stat_t
	if err := lstat(from, name, &st); err != nil {
		return callFailed("stat the file to link to", err)
	}
	if idOf(&st) != id {
		return callFailed("link", unix.ENOENT) // somebody has put something else there
	}
	err := unix.Linkat(from, name, it.dir.fd, it.name, 0)
	if err == unix.EEXIST && w.mayReplace(it) {
		return w.linkOver(it, from, name)
	}
	return callFailed("link", err)
}

func (w *worker) linkOver(it *item, from int, name string) error {
	var temp string
	err := w.underTempName(func(free string) error {
		temp = free
		return unix.Linkat(from, name, it.dir.fd, free, 0)
	})
	if err != nil {
		return callFailed("link", err)
	}
	if err = w.settleName(it.dir, temp, it.name, true); err != nil {
		_ = unix.Unlinkat(it.dir.fd, temp, 0)
	}
	return err
}

// opened is the directory a worker looked into last.
type opened struct {
	path format.Path
	fd   int // -1: none
}

// open opens the directory at path below top, unless it is open already.
func (o *opened) open(top int, path format.Path) (int, error) {
	if o.fd >= 0 && o.path == path {
		return o.fd, nil
	}
	o.close()
	fd, err := openDown(top, string(path))
	if err != nil {
		return -1, err
	}
	o.path, o.fd = path, fd
	return fd, nil
}

func (o *opened) close() {
	if o.fd >= 0 {
		unix.Close(o.fd)
		o.fd = -1
	}
}
