package restore

import (
	"golang.org/x/sys/unix"
)

// temp is a file on its way: without a name where the system can do that, else under a temporary one.
type temp struct {
	w    *worker
	dir  *dir
	fd   int
	name string // temporary; empty: it has none
	as   string // what it is to be called
	over bool   // it may replace something
}

func (w *worker) create(it *item, perm uint32) (*temp, error) {
	t := &temp{w: w, dir: it.dir, as: it.name, over: w.mayReplace(it)}
	var err error
	if w.unnamed {
		t.fd, err = createUnnamed(t.dir.fd, perm)
		if err == nil || !noUnnamed(err) {
			return t, callFailed("create", err)
		}
		// Another file system is mounted here.
	}
	const flags = unix.O_WRONLY | unix.O_CREAT | unix.O_EXCL | unix.O_NOFOLLOW | unix.O_CLOEXEC
	err = w.underTempName(func(name string) (err error) {
		t.name = name
		t.fd, err = openat(t.dir.fd, name, flags, perm)
		return err
	})
	return t, callFailed("create", err)
}

func noUnnamed(err error) bool {
	return err == unix.EOPNOTSUPP || err == unix.EISDIR || err == unix.EINVAL || err == unix.ENOSYS
}

// mayReplace: in a directory of our own, what is there is of the same band, and its names clash on this file system.
func (r *run) mayReplace(it *item) bool { return r.o.Overwrite && !it.dir.made }

// maxTempTries is how often a taken temporary name is put up with.
const maxTempTries = 100

// underTempName has make make something under a name that is free.
func (w *worker) underTempName(make func(name string) error) error {
	var err error
	for range maxTempTries {
		if err = make(w.tempName()); err != unix.EEXIST {
			break
		}
	}
	return err
}

// publish gives the file its name, when it is complete.
func (t *temp) publish() error {
	if t.name != "" {
		return t.rename()
	}
	err := t.nameAs(t.as)
	if err == unix.EEXIST && t.over {
		if err := t.w.underTempName(func(name string) error { t.name = name; return t.nameAs(name) }); err != nil {
			t.name = ""
			return callFailed("name", err)
		}
		return t.rename()
	}
	return callFailed("name", err)
}

// nameAs gives a file its first name.
func (t *temp) nameAs(name string) error {
	if !t.w.noDirect.Load() {
		err := nameFile(t.fd, t.dir.fd, name, true)
		if err != unix.ENOENT && err != unix.EPERM {
			return err
		}
		if err = nameFile(t.fd, t.dir.fd, name, false); err == nil {
			t.w.noDirect.Store(true)
		}
		return err
	}
	return nameFile(t.fd, t.dir.fd, name, false)
}

func (t *temp) rename() error {
	if err := t.w.settleName(t.dir, t.name, t.as, t.over); err != nil {
		return err
	}
	t.name = ""
	return nil
}

// settleName gives what has a temporary name its own.
func (r *run) settleName(d *dir, from, to string, over bool) error {
	if !over {
		return callFailed("rename", renameNew(d.fd, from, to))
	}
	if err := unix.Renameat(d.fd, from, d.fd, to); err != nil {
		return callFailed("rename", err)
	}
	// Where both were names of one file, the call has left both.
	if err := unix.Unlinkat(d.fd, from, 0); err != nil && err != unix.ENOENT {
		return callFailed("remove temporary name", err)
	}
	return nil
}

// discard closes the file. What has not been published is gone then.
func (t *temp) discard() {
	if t.name != "" {
		_ = unix.Unlinkat(t.dir.fd, t.name, 0) // it can't be told from a killed run's left-over, should this fail
	}
	unix.Close(t.fd)
}
