package awkward

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Remove removes dir with all below it, however deep, long or closed its directories are. What isn't there is no error.
func Remove(dir string) error {
	if err := removeAt(unix.AT_FDCWD, dir); err != nil {
		return fmt.Errorf("remove the tree %q: %w", dir, err)
	}
	return nil
}

func removeAt(parent int, name string) error {
	var stat unix.Stat_t
	err := unix.Fstatat(parent, name, &stat, unix.AT_SYMLINK_NOFOLLOW)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return err
	}
	if stat.Mode&unix.S_IFMT != unix.S_IFDIR {
		return unix.Unlinkat(parent, name, 0)
	}
	if err := empty(parent, name); err != nil {
		return err
	}
	return unix.Unlinkat(parent, name, unix.AT_REMOVEDIR)
}

// empty removes what is in a directory, after giving its owner the right to.
func empty(parent int, name string) error {
	if err := unix.Fchmodat(parent, name, 0o700, 0); err != nil {
		return err
	}
	fd, err := unix.Openat(parent, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	names, err := readNames(fd)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := removeAt(fd, name); err != nil {
			return fmt.Errorf("%.40q: %w", name, err)
		}
	}
	return nil
}

func readNames(dir int) ([]string, error) {
	var names []string
	buf := make([]byte, 64<<10)
	for {
		n, err := unix.ReadDirent(dir, buf)
		if err != nil || n <= 0 {
			return names, err
		}
		_, _, names = unix.ParseDirent(buf[:n], -1, names)
	}
}
