package file

import "golang.org/x/sys/unix"

// move gives a temporary file its name in an open folder, unless that is taken, which is EEXIST.
func (s *Storage) move(temporary string, folder int, base string) error {
	err := retry0(func() error { return renameNew(s.top, temporary, folder, base) })
	if err == unix.EINVAL || err == unix.ENOSYS || err == unix.ENOTSUP || err == unix.EOPNOTSUPP {
		return s.link(temporary, folder, base)
	}
	return err
}

// link is move for file systems whose rename always overwrites. A crash midway leaves the object with its name, and a
// temporary name besides.
func (s *Storage) link(temporary string, folder int, base string) error {
	err := retry0(func() error { return unix.Linkat(s.top, temporary, folder, base, 0) })
	if err == unix.EEXIST && s.isLinkedTwice(temporary) {
		err = nil // over NFS, an answer that was lost and a request that was repeated
	}
	switch err {
	case nil:
		s.removeTemporary(temporary)
	case unix.EPERM, unix.ENOSYS, unix.ENOTSUP:
		return cannotMove
	}
	return err
}

func (s *Storage) isLinkedTwice(temporary string) bool {
	st, err := inspect(s.top, temporary)
	return err == nil && st.Nlink == 2
}
