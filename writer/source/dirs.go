package source

import (
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"dura/archive/format"
)

// dirs holds the directories of a walk, some of them open: those used last. A directory that was closed is opened again by
// way of those above it, when it is needed.
type dirs struct {
	maxOpen int

	mu   sync.Mutex
	open int
	used dir // a ring of the open ones, used last first
}

func newDirs(maxOpen int) *dirs {
	s := &dirs{maxOpen: maxOpen}
	s.used.prev, s.used.next = &s.used, &s.used
	return s
}

// dir is one directory. It lives as long as somebody holds it: the walk, a handle, a directory below it.
type dir struct {
	dirs   *dirs
	root   *root
	parent *dir   // nil: it is the root's
	name   string // in the parent
	path   format.Path
	id     fileID

	holders atomic.Int32

	// Guarded by dirs.mu:
	fd         int // -1: not open
	pins       int // while there are any it is not closed
	prev, next *dir
}

// fileID tells files from each other.
type fileID struct{ dev, ino uint64 }

func idOf(st *unix.Stat_t) fileID { return fileID{uint64(st.Dev), uint64(st.Ino)} }

// descend opens the directory called name in parent, which is pinned at parentFD; the result is pinned and held once. With
// no parent it is the one that r names.
func (s *dirs) descend(r *root, parent *dir, parentFD int, name string) (*dir, error) {
	fd, id, err := s.openAt(parentFD, name)
	if err != nil {
		return nil, err
	}
	d := &dir{dirs: s, root: r, parent: parent, name: name, path: r.path, id: id, fd: -1}
	if parent != nil {
		d.path = parent.path.Join(name)
		parent.hold()
	}
	d.hold()
	s.install(d, fd)
	return d, nil
}

// openAt opens the directory called name in that at dirFD.
func (s *dirs) openAt(dirFD int, name string) (fd int, id fileID, err error) {
	const flags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	fd, err = openNoAtime(dirFD, name, flags)
	if err == unix.EMFILE || err == unix.ENFILE {
		s.closeDownTo(0)
		fd, err = openNoAtime(dirFD, name, flags)
	}
	if err != nil {
		return -1, fileID{}, failed("openat", err)
	}
	var st unix.Stat_t
	if err := fstat(fd, &st); err != nil {
		unix.Close(fd)
		return -1, fileID{}, err
	}
	return fd, idOf(&st), nil
}

// install makes fd that of d, pinned, unless d was opened meanwhile. It returns the one that counts.
func (s *dirs) install(d *dir, fd int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	d.pins++
	if d.fd >= 0 {
		unix.Close(fd)
		return d.fd
	}
	d.fd = fd
	s.open++
	s.touch(d)
	s.closeUnpinned(s.maxOpen)
	return fd
}

// touch makes d the one used last.
func (s *dirs) touch(d *dir) {
	d.unlink()
	d.prev, d.next = &s.used, s.used.next
	d.prev.next, d.next.prev = d, d
}

func (d *dir) unlink() {
	if d.next != nil {
		d.prev.next, d.next.prev = d.next, d.prev
		d.prev, d.next = nil, nil
	}
}

func (s *dirs) closeDownTo(open int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closeUnpinned(open)
}

// closeUnpinned closes directories, the least recently used first, until so many are open.
func (s *dirs) closeUnpinned(open int) {
	for d := s.used.prev; d != &s.used && s.open > open; {
		before := d.prev
		if d.pins == 0 {
			d.close()
		}
		d = before
	}
}

func (d *dir) close() {
	unix.Close(d.fd)
	d.fd = -1
	d.dirs.open--
	d.unlink()
}

// pin returns d's file descriptor, which stays open until unpin. A nil dir is the working directory.
func (d *dir) pin() (int, error) {
	if d == nil {
		return unix.AT_FDCWD, nil
	}
	if fd, ok := d.pinOpen(); ok {
		return fd, nil
	}
	return d.reopen()
}

func (d *dir) pinOpen() (fd int, ok bool) {
	d.dirs.mu.Lock()
	defer d.dirs.mu.Unlock()
	if d.fd < 0 {
		return -1, false
	}
	d.pins++
	d.dirs.touch(d)
	return d.fd, true
}

func (d *dir) unpin() {
	if d == nil {
		return
	}
	d.dirs.mu.Lock()
	defer d.dirs.mu.Unlock()
	d.pins--
	if d.dirs.open > d.dirs.maxOpen {
		d.dirs.closeUnpinned(d.dirs.maxOpen)
	}
}

// pinFrom is pin by way of a directory in it, which saves going down all the way from the root after a deep subtree.
func (d *dir) pinFrom(child *dir) (int, error) {
	if fd, ok := d.pinOpenFrom(child); ok {
		return fd, nil
	}
	return d.reopen()
}

// pinOpenFrom is pinFrom where d is open, or child is.
func (d *dir) pinOpenFrom(child *dir) (fd int, ok bool) {
	if fd, ok := d.pinOpen(); ok {
		return fd, true
	}
	childFD, ok := child.pinOpen()
	if !ok {
		return -1, false
	}
	defer child.unpin()
	fd, err := d.openAgain(childFD, "..")
	return fd, err == nil
}

// reopen goes down to d from the nearest directory above it that is open.
func (d *dir) reopen() (int, error) {
	var way []*dir
	at, fd, open := d, unix.AT_FDCWD, false
	for ; at != nil; at = at.parent {
		if fd, open = at.pinOpen(); open {
			break
		}
		way = append(way, at)
	}
	if at == nil {
		fd = unix.AT_FDCWD
	}
	for _, below := range slices.Backward(way) {
		name := below.name
		next, err := below.openAgain(fd, name)
		at.unpin()
		if err != nil {
			return -1, err
		}
		at, fd = below, next
	}
	return fd, nil
}

// openAgain opens d by a name in the directory at dirFD, and pins it, if it is still the same.
func (d *dir) openAgain(dirFD int, name string) (int, error) {
	fd, id, err := d.dirs.openAt(dirFD, name)
	if err != nil {
		return -1, err
	}
	if id != d.id {
		unix.Close(fd)
		return -1, ErrChanged
	}
	return d.dirs.install(d, fd), nil
}

func (d *dir) hold() {
	if d != nil {
		d.holders.Add(1)
	}
}

// drop undoes a hold. With the last of them the directory is closed.
func (d *dir) drop() {
	for d != nil && d.holders.Add(-1) == 0 {
		d.dirs.mu.Lock()
		if d.fd >= 0 {
			d.close()
		}
		d.dirs.mu.Unlock()
		d = d.parent
	}
}
