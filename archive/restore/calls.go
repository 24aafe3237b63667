package restore

import "golang.org/x/sys/unix"

// openat is the call, begun anew where a signal interrupts it.
func openat(dir int, name string, flags int, perm uint32) (int, error) {
	for {
		fd, err := unix.Openat(dir, name, flags, perm)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

// openDirFlags open a directory, and nothing through a symbolic link.
const openDirFlags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC

// writeAll writes data at offset.
func writeAll(fd int, data []byte, offset int64) error {
	for len(data) > 0 {
		n, err := unix.Pwrite(fd, data, offset)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		data, offset = data[n:], offset+int64(n)
	}
	return nil
}

// renameNew renames where nothing is in the way; otherwise it fails with EEXIST.
func renameNew(dir int, from, to string) error {
	err := renameExclusive(dir, from, to)
	if err != unix.EINVAL && err != unix.ENOSYS && err != unix.ENOTSUP {
		return err
	}
	// This file system can't; a link can't be made over something either.
	if err := unix.Linkat(dir, from, dir, to, 0); err == nil {
		return unix.Unlinkat(dir, from, 0)
	} else if err == unix.EEXIST {
		return err
	}
	var st unix.Stat_t
	if err := lstat(dir, to, &st); err != unix.ENOENT {
		return unix.EEXIST
	}
	return unix.Renameat(dir, from, dir, to)
}

func lstat(dir int, name string, st *unix.Stat_t) error {
	return unix.Fstatat(dir, name, st, unix.AT_SYMLINK_NOFOLLOW)
}

func isDir(st *unix.Stat_t) bool { return uint32(st.Mode)&unix.S_IFMT == unix.S_IFDIR }

func permOf(st *unix.Stat_t) uint32 { return uint32(st.Mode) & 0o7777 }

// fileID names a file on this machine.
type fileID struct{ dev, ino uint64 }

func idOf(st *unix.Stat_t) fileID { return fileID{uint64(st.Dev), uint64(st.Ino)} }

// readNames gives each the names in an open directory, from its beginning and in no order, until that returns an error.
func readNames(fd int, each func(name string) error) error {
	if _, err := unix.Seek(fd, 0, 0); err != nil {
		return err
	}
	buf := make([]byte, 32<<10)
	for {
		n, err := unix.ReadDirent(fd, buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return err
		}
		var names []string
		_, _, names = unix.ParseDirent(buf[:n], -1, nil)
		for _, name := range names {
			if err := each(name); err != nil {
				return err
			}
		}
	}
}
