package file

import (
	"context"
	"errors"
	"os"

	"dura/archive/storage"

	"golang.org/x/sys/unix"
)

// maxMoves is how often a folder is made anew that others keep removing.
const maxMoves = 100

// Create implements storage.Storage.
//
// What it costs, on a virtual disk that flushes in 0.3 ms, 4 at a time, against the same without any flush:
// TODO
func (s *Storage) Create(ctx context.Context, name string, parts ...[]byte) error {
	if err := storage.Check(ctx, storage.OpCreate, name); err != nil {
		return err
	}
	// The move finds this too, but only after the writing.
	if _, err := s.Stat(ctx, name); err == nil {
		return failure(storage.OpCreate, name, s.failed("stat", name, unix.EEXIST))
	}
	temporary, err := s.writeTemporary(ctx, parts)
	if err != nil {
		return failure(storage.OpCreate, name, err)
	}
	era, err := s.publish(temporary, name)
	if err != nil {
		s.removeTemporary(temporary)
		return failure(storage.OpCreate, name, err)
	}
	folder, _ := split(name)
	if err := s.settle(ctx, folder, era); err != nil {
		return failure(storage.OpCreate, name, err)
	}
	return nil
}

// publish gives a temporary file its name, in a folder that is made if need be. It returns the era in which that was.
func (s *Storage) publish(temporary, name string) (era int, err error) {
	folder, base := split(name)
	for range maxMoves {
		dir, err := s.openFolder(folder, true)
		era = s.folders.era()
		if err == nil {
			err = s.move(temporary, dir, base)
			unix.Close(dir)
			err = s.failed("rename", name, err)
		}
		// ENOENT: a delete has removed the folder in between, or someone the temporary file.
		if !errors.Is(err, unix.ENOENT) {
			return era, err
		}
		if _, err := inspect(s.top, temporary); err == unix.ENOENT {
			return era, &os.PathError{Op: "rename", Path: s.path(temporary), Err: swept}
		}
	}
	return era, s.failed("mkdir", folder, restless)
}
