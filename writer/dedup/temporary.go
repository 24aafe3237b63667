package dedup

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	temporarySuffix  = ".new"
	writeBufferBytes = 64 << 10
	readBufferBytes  = 256 << 10
	maxNames         = 100
)

// prepare makes dir if need be, and checks that files can be made in it.
func prepare(dir string) error {
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		if err = unix.Access(dir, unix.R_OK|unix.W_OK|unix.X_OK); err != nil {
			err = &os.PathError{Op: "access", Path: dir, Err: err}
		}
	}
	if err != nil {
		return fmt.Errorf("no deduplication index can be kept: %w", err)
	}
	return nil
}

// newTemporary makes a file for a segment in the making, locked so that nobody takes it for one that was left behind.
func newTemporary(dir string, random io.Reader) (*os.File, error) {
	for range maxNames {
		id, err := newID(random)
		if err != nil {
			return nil, err
		}
		path := filepath.Join(dir, id.String()+temporarySuffix)
		file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, os.ErrExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		// Where there are no locks nobody sweeps. Otherwise a sweep may have come in between.
		if unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB) != unix.EWOULDBLOCK {
			if _, err := os.Lstat(path); err == nil {
				return file, nil
			}
		}
		file.Close()
	}
	return nil, fmt.Errorf("%s: %d new files could not be made, each for being there already or removed at once", dir, maxNames)
}

func newID(random io.Reader) (id segmentID, err error) {
	if _, err = io.ReadFull(random, id[:]); err != nil {
		return id, fmt.Errorf("random bytes for a name: %w", err)
	}
	return id, nil
}

// sweep removes what others left behind who were killed. What it can't remove does no harm.
func sweep(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if hasName(e.Name(), temporarySuffix) && e.Type().IsRegular() {
			sweepFile(filepath.Join(dir, e.Name()))
		}
	}
}

func sweepFile(path string) {
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return
	}
	defer file.Close()
	if unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
		_ = os.Remove(path)
	}
}

// hasName reports whether name is an id with this suffix.
func hasName(name, suffix string) bool {
	id, ok := strings.CutSuffix(name, suffix)
	raw, err := hex.DecodeString(id)
	return ok && err == nil && len(raw) == len(segmentID{}) && hex.EncodeToString(raw) == id
}

// flushDirectory returns once the names in dir are on the disk, where the file system knows how.
func flushDirectory(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOTSUP) {
		return err
	}
	return nil
}
