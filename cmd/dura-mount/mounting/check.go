package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// sentenceError is an error that is told as it is.
type sentenceError struct{ sentence string }

func (e *sentenceError) Error() string { return e.sentence }

func sentence(format string, args ...any) error { return &sentenceError{sprintf(format, args...)} }

// checkMountpoint says what speaks against mounting there.
func (s *settings) checkMountpoint(h host) error {
	dir := shown(s.mountpoint)
	info, err := os.Stat(s.mountpoint)
	switch {
	case err != nil:
		return s.mountpointError(h, err)
	case !info.IsDir():
		return sentence(msgNotADirectory, dir)
	case isWithin(s.mountpoint, s.archive):
		return sentence(msgInsideArchive, dir)
	}
	if err := s.checkEmpty(h); err != nil {
		return err
	}
	if h.uid != 0 && unix.Access(s.mountpoint, unix.W_OK) != nil {
		return sentence(msgMountpointNotOurs, dir)
	}
	return nil
}

func (s *settings) mountpointError(h host, err error) error {
	dir := shown(s.mountpoint)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return sentence(msgNoMountpoint, dir, dir)
	case errors.Is(err, syscall.ENOTCONN):
		return sentence(msgDeadMount, dir, unmountCommand(h), dir)
	case errors.Is(err, os.ErrPermission):
		return sentence(msgMountpointDenied, dir)
	case errors.Is(err, syscall.ENOTDIR):
		return sentence(msgNotADirectory, dir)
	}
	return sentence(msgMountpointOther, dir, bareReason(err))
}

func (s *settings) checkEmpty(h host) error {
	if s.nonEmpty {
		return nil
	}
	f, err := os.Open(s.mountpoint)
	if err != nil {
		return s.mountpointError(h, err)
	}
	defer f.Close()
	switch _, err := f.Readdirnames(1); {
	case err == nil:
		return sentence(msgNotEmpty, shown(s.mountpoint))
	case err != io.EOF:
		return s.mountpointError(h, err)
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
func unmountCommand(h host) string {
	if h.uid == 0 {
		return "umount"
	}
	return "fusermount3 -u"
}
