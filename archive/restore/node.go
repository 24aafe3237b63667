package restore

import (
	"golang.org/x/sys/unix"

	"dura/archive/format"
)

// node restores what is neither a file nor a directory. Its name comes last, as a file's does.
func (w *worker) node(it *item) (id fileID, err error) {
	var name string
	err = w.underTempName(func(temp string) error {
		name = temp
		return w.makeNode(it, temp)
	})
	if err != nil {
		return id, callFailed("create", err)
	}
	if id, err = w.dressNode(it, name); err == nil {
		err = w.settleName(it.dir, name, it.name, w.mayReplace(it))
	}
	if err != nil {
		_ = unix.Unlinkat(it.dir.fd, name, 0)
		return id, err
	}
	w.restored(it.entry, 0)
	return id, nil
}

func (w *worker) makeNode(it *item, name string) error {
	e := it.entry
	const perm = 0o600
	switch e.Kind {
	case format.Symlink:
		return unix.Symlinkat(e.Target, it.dir.fd, name)
	case format.FIFO:
		return makeNode(it.dir.fd, name, unix.S_IFIFO|perm, 0, 0)
	case format.Socket:
		return makeNode(it.dir.fd, name, unix.S_IFSOCK|perm, 0, 0)
	case format.CharDevice:
		return makeNode(it.dir.fd, name, unix.S_IFCHR|perm, e.Rdev.Major, e.Rdev.Minor)
	case format.BlockDevice:
		return makeNode(it.dir.fd, name, unix.S_IFBLK|perm, e.Rdev.Major, e.Rdev.Minor)
	}
	return unix.ENOTSUP
}

func (w *worker) dressNode(it *item, name string) (fileID, error) {
	s := subject{fd: -1, dir: it.dir.fd, name: name, path: it.entry.Path}
	if err := lstat(s.dir, name, &s.stat); err != nil {
		return fileID{}, callFailed("stat", err)
	}
	if it.dir.inherits && it.entry.Kind != format.Symlink {
		if err := s.removeXAttr("system.posix_acl_access"); err == nil {
			s.stat.Mode &^= 0o077
		}
	}
	return idOf(&s.stat), w.dress(&s, it.entry)
}
