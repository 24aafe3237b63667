package restore

import (
	"sync/atomic"

	"golang.org/x/sys/unix"

	"dura/archive/format"
)

// dir is a directory of the destination that is open: for the walker, while it is on its way down, and for the batches with
// entries in it. Who gives it back last puts its metadata on it.
type dir struct {
	run   *run
	path  format.Path
	fd    int // -1: put aside by the walker; or in a dry run, of what isn't there
	users atomic.Int32

	entry    *format.Entry // whose metadata it gets; nil: it keeps what it has
	made     bool          // by this run, which alone put anything in it
	inherits bool          // what is made in it gets an ACL from it
	aside    bool          // closed by the walker, to be opened again
	stat     unix.Stat_t   // when it was opened; the mode until the end
}

// openDir opens the directory called name in parent; the caller is its first user.
func (r *run) openDir(parent *dir, name string, made bool) (*dir, error) {
	d := &dir{run: r, path: parent.path.Join(name), fd: -1, made: made}
	d.users.Store(1)
	if r.o.DryRun && (made || parent.fd < 0) {
		return d, nil
	}
	fd, err := openat(parent.fd, name, openDirFlags, 0)
	if err != nil {
		return nil, callFailed("open directory", err)
	}
	d.fd = fd
	if err := d.settle(parent.inherits); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return d, nil
}

// settle finds out what an open directory is like. inherited says that it may have an ACL from the one above.
func (d *dir) settle(inherited bool) error {
	if err := unix.Fstat(d.fd, &d.stat); err != nil {
		return callFailed("stat", err)
	}
	switch {
	case d.made && inherited:
		dropACLs(d.fd)
	case !d.made:
		d.inherits = hasDefaultACL(d.fd)
	}
	return nil
}

// makeUsable lets this user fill a directory that is to get other metadata at the end anyway.
func (d *dir) makeUsable() {
	const usable = 0o700
	if d.fd < 0 || d.run.o.DryRun || permOf(&d.stat)&usable == usable {
		return
	}
	if unix.Fchmod(d.fd, permOf(&d.stat)|usable) == nil {
		d.stat.Mode |= usable
	}
}

// use adds a user.
func (d *dir) use() { d.users.Add(1) }

// release takes a user away. With the last one the directory is finished and closed.
func (d *dir) release() error {
	if d.users.Add(-1) > 0 || d.fd < 0 {
		return nil
	}
	defer unix.Close(d.fd)
	if d.entry == nil || d.run.o.DryRun {
		return nil
	}
	s := subject{fd: d.fd, path: d.path, stat: d.stat, quiet: !d.run.sel.names(d.path)}
	if !d.made {
		if err := d.run.dropXAttrs(&s, d.entry); err != nil {
			return err
		}
	}
	return d.run.dress(&s, d.entry)
}
