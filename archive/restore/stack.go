package restore

import (
	"strings"

	"golang.org/x/sys/unix"
)

// stack is the way from the destination down to the directory at hand. On a deep way the upper ones are put aside, all but
// the destination, so that no more than so many are open.
type stack struct {
	levels  []level
	open    int // levels whose directory is open
	maxOpen int
	low     int // none below it is open, but the destination
}

// level is a directory on the way down, with those of its subdirectories that are made and still to be finished.
type level struct {
	*dir
	pending pending
}

func (s *stack) top() *level { return &s.levels[len(s.levels)-1] }

func (s *stack) push(d *dir) {
	s.levels = append(s.levels, level{dir: d})
	if d.fd < 0 {
		return
	}
	s.open++
	for i := max(1, s.low); i < len(s.levels)-2 && s.open > s.maxOpen; i++ {
		if s.levels[i].putAside() {
			s.open--
		}
		if s.levels[i].aside && i == s.low {
			s.low = i + 1
		}
	}
}

// pop takes the top away, for its directory to be released, and opens the one above it again if that was put aside.
// Where that fails, it stays closed: it isn't there any more.
func (s *stack) pop(dest *dir) *dir {
	d := s.top().dir
	s.levels = s.levels[:len(s.levels)-1]
	if d.fd >= 0 {
		s.open--
	}
	if n := len(s.levels); n > 0 && s.top().aside {
		s.low = min(s.low, n-1)
		if s.top().reopen(d, dest) == nil {
			s.open++
		}
	}
	return d
}

// putAside closes a directory that nobody but the walker uses, until reopen.
func (d *dir) putAside() bool {
	if d.fd < 0 || d.users.Load() > 1 {
		return false
	}
	unix.Close(d.fd)
	d.fd, d.aside = -1, true
	return true
}

// reopen opens a directory that was put aside, from one in it or from the destination down, and makes sure that it is the same.
func (d *dir) reopen(below, dest *dir) error {
	d.aside = false
	var fd int
	err := error(unix.EBADF)
	if below.fd >= 0 {
		fd, err = openSame(below.fd, "..", d)
	}
	if err != nil {
		fd, err = d.findAgain(dest)
	}
	if err == nil {
		d.fd = fd
	}
	return err
}

func (d *dir) findAgain(dest *dir) (int, error) {
	parent, last := d.path.Split()
	at, err := openDown(dest.fd, string(parent))
	if err != nil {
		return -1, err
	}
	defer unix.Close(at)
	return openSame(at, last, d)
}

// openSame opens a directory that must be d.
func openSame(at int, name string, d *dir) (int, error) {
	fd, err := openat(at, name, openDirFlags, 0)
	if err != nil {
		return -1, err
	}
	var now unix.Stat_t
	if err := unix.Fstat(fd, &now); err != nil || idOf(&now) != idOf(&d.stat) {
		unix.Close(fd)
		return -1, unix.ENOENT // it was moved away meanwhile
	}
	return fd, nil
}

// openDown opens the directory at path below the open directory at, one component at a time, and through no symbolic link.
func openDown(at int, path string) (int, error) {
	fd, err := openat(at, ".", searchFlags, 0)
	for more := path != ""; more && err == nil; {
		var name string
		name, path, more = strings.Cut(path, "/")
		var next int
		next, err = openat(fd, name, searchFlags, 0)
		unix.Close(fd)
		fd = next
	}
	if err != nil {
		return -1, err
	}
	return fd, nil
}
