package mounting

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"dura/fs"
)

// mountType is the type of our mounts as the list of mounts has it.
const mountType = "fuse." + fs.Type

// checkMountpoint says what speaks against mounting there.
func (s *settings) checkMountpoint(h Host) error {
	dir := shown(s.mountpoint)
	info, err := os.Stat(s.mountpoint)
	switch {
	case err != nil:
		return s.mountpointError(h, err)
	case !info.IsDir():
		return failure("mountpoint", msgNotADirectory, dir)
	}
	if !s.nonEmpty {
		if err := s.checkEmpty(h); err != nil {
			return err
		}
	}
	if h.UID != 0 && unix.Access(s.mountpoint, unix.W_OK) != nil {
		return failure("mountpoint", msgMountpointNotOurs, dir)
	}
	return nil
}

func (s *settings) mountpointError(h Host, err error) error {
	dir := shown(s.mountpoint)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return failure("mountpoint", msgNoMountpoint, dir, shellQuoted(s.mountpoint))
	case errors.Is(err, syscall.ENOTCONN):
		return failure("mountpoint", msgDeadMount, dir, unmountCommand(h), shellQuoted(s.mountpoint))
	case errors.Is(err, os.ErrPermission):
		return failure("mountpoint", msgMountpointDenied, dir)
	case errors.Is(err, syscall.ENOTDIR):
		return failure("mountpoint", msgNotADirectory, dir)
	}
	return failure("mountpoint", msgMountpointOther, dir, bareReason(err))
}

func (s *settings) checkEmpty(h Host) error {
	f, err := os.Open(s.mountpoint)
	if err != nil {
		return s.mountpointError(h, err)
	}
	defer f.Close()
	_, err = f.Readdirnames(1)
	m, ok := fs.MountOn(s.mountpoint)
	switch {
	case err != nil && err != io.EOF:
		return s.mountpointError(h, err)
	case ok && m.Type == mountType:
		return failure("mountpoint", msgAlreadyMounted, shown(s.mountpoint), shown(m.Source), unmountCommand(h), shellQuoted(s.mountpoint))
	case err == nil:
		return failure("mountpoint", msgNotEmpty, shown(s.mountpoint))
	}
	return nil
}

// isWithin reports whether path is the directory dir or below it, whatever links lead to either.
func isWithin(path, dir string) bool {
	top, err := os.Stat(dir)
	if err != nil {
		return false
	}
	path, err = filepath.EvalSymlinks(path)
	if err != nil {
		return false
	}
	for {
		if info, err := os.Stat(path); err == nil && os.SameFile(info, top) {
			return true
		}
		parent := filepath.Dir(path)
		if parent == path {
			return false
		}
		path = parent
	}
}

// unmountCommand is how this user takes away a mount.
func unmountCommand(h Host) string {
	if h.UID == 0 {
		return "umount"
	}
	return "fusermount3 -u"
}
