package file

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"io"

	"dura/archive/storage"

	"golang.org/x/sys/unix"
)

// maxNames is how many names are tried for a temporary file. One will do if they are random.
const maxNames = 100

// writeTemporary writes parts to a new file at the top of the archive, down to the disk, and returns its name.
func (s *Storage) writeTemporary(ctx context.Context, parts [][]byte) (string, error) {
	name, fd, err := s.makeTemporary()
	if err != nil {
		return "", err
	}
	_ = lock(fd) // for Sweep; where there are no locks, age has to do
	err = writeParts(ctx, fd, parts)
	if err == nil {
		err = flush(fd)
	}
	// Some file systems tell of a write that failed only now.
	if closeErr := unix.Close(fd); err == nil && closeErr != unix.EINTR {
		err = closeErr
	}
	if err != nil {
		s.removeTemporary(name)
		return "", s.failed("write", name, err)
	}
	return name, nil
}

func (s *Storage) makeTemporary() (name string, fd int, err error) {
	const flags = unix.O_WRONLY | unix.O_CREAT | unix.O_EXCL | unix.O_NOFOLLOW | unix.O_CLOEXEC
	for range maxNames {
		name, err = s.temporaryName()
		if err != nil {
			return "", -1, err
		}
		fd, err = retry(func() (int, error) { return unix.Openat(s.top, name, flags, fileMode) })
		if err != unix.EEXIST {
			return name, fd, s.failed("create", name, err)
		}
	}
	return "", -1, s.failed("create", name, noName)
}

func (s *Storage) temporaryName() (string, error) {
	random := s.random
	if random == nil {
		random = rand.Reader
	}
	var bits [8]byte
	if _, err := io.ReadFull(random, bits[:]); err != nil {
		return "", err
	}
	return storage.TemporaryPrefix + hex.EncodeToString(bits[:]), nil
}

// removeTemporary does its best: what it can't remove, Sweep will.
func (s *Storage) removeTemporary(name string) { _ = unix.Unlinkat(s.top, name, 0) }

// writeParts writes parts one behind the other. Where the system knows how, the disk is set to work on each piece as soon as
// it is written.
func writeParts(ctx context.Context, fd int, parts [][]byte) error {
	var started, offset int64
	for _, part := range parts {
		for len(part) > 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			n, err := retry(func() (int, error) { return unix.Write(fd, part[:min(len(part), pieceBytes)]) })
			if err != nil {
				return err
			}
			if n == 0 {
				return io.ErrShortWrite
			}
			part = part[n:]
			offset += int64(n)
			if offset-started >= pieceBytes {
				startWriting(fd, started, offset-started)
				started = offset
			}
		}
	}
	return nil
}
