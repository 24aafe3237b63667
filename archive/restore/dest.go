package restore

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// openDest opens the destination, which may be reached through symbolic links: they are the user's. Where there is nothing
// it makes a directory, and those that lead there.
func (r *run) openDest() (*dir, error) {
	d := &dir{run: r, fd: -1}
	d.users.Store(1)
	if r.dest == "" {
		return nil, &Error{Op: "open destination", Err: errors.New("it has no name")}
	}
	if !r.o.DryRun {
		if err := os.MkdirAll(filepath.Dir(r.dest), 0o777); err != nil {
			return nil, &Error{Op: "make the directories that lead to", Path: r.dest, Err: plain(err)}
		}
		err := unix.Mkdir(r.dest, 0o700)
		if err != nil && err != unix.EEXIST {
			return nil, &Error{Op: "make destination", Path: r.dest, Err: err}
		}
		d.made = err == nil
	}
	var err error
	const flags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC
	d.fd, err = openat(unix.AT_FDCWD, r.dest, flags, 0)
	if r.o.DryRun && err == unix.ENOENT {
		d.fd, d.made = -1, true
		return d, nil
	}
	if err == nil {
		err = d.settle(true)
	}
	if err == nil && !d.made {
		r.topEmpty, err = isEmpty(d.fd)
	}
	if err != nil {
		return nil, &Error{Op: "open destination", Path: r.dest, Err: err}
	}
	return d, nil
}

// plain is the cause without the name that goes with it.
func plain(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

var errFound = errors.New("found")

func isEmpty(dir int) (bool, error) {
	err := readNames(dir, func(string) error { return errFound })
	if err == errFound {
		return false, nil
	}
	return err == nil, err
}
