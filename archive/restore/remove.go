package restore

import (
	"errors"
	"strconv"

	"golang.org/x/sys/unix"
)

// treeRemover removes one directory with all below it, in whatever depth, and nothing on other file systems.
type treeRemover struct {
	device uint64
	spared func(dev, ino uint64) bool
	top    int // the directory itself
	prefix string
	moved  int
}

// errSpared is why a directory with the archive in it is not removed.
var errSpared = errors.New("this archive is in it")

// maxRemoveDepth bounds the directories held open. Those further down are moved up first.
const maxRemoveDepth = 64

// tree removes the directory called name in at.
func (t *treeRemover) tree(at int, name string, depth int) error {
	fd, err := openat(at, name, openDirFlags, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if depth == 0 {
		t.top = fd
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if uint64(st.Dev) != t.device {
		return unix.EXDEV
	}
	if t.spared(uint64(st.Dev), uint64(st.Ino)) {
		return errSpared
	}
	for {
		removed, err := t.content(fd, depth)
		if err != nil {
			return err
		}
		// Names may be passed over by a listing while others go, and some may have been moved here from below.
		err = unix.Unlinkat(at, name, unix.AT_REMOVEDIR)
		if err != unix.ENOTEMPTY && err != unix.EEXIST || !removed {
			return err
		}
	}
}

func (t *treeRemover) content(fd, depth int) (removed bool, err error) {
	err = readNames(fd, func(name string) error {
		err := unix.Unlinkat(fd, name, 0)
		if maybeDir(err) {
			err = t.below(fd, name, depth)
		}
		removed = removed || err == nil
		return err
	})
	return removed, err
}

func (t *treeRemover) below(fd int, name string, depth int) error {
	if depth < maxRemoveDepth {
		return t.tree(fd, name, depth+1)
	}
	t.moved++
	return unix.Renameat(fd, name, t.top, t.prefix+strconv.Itoa(t.moved))
}
