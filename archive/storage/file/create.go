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
// It waits for the disk twice, for the file and for its folder, and others who create at the same time share the waiting. On a
// disk that takes 20 ms to commit, a create of 16 KiB takes 43 ms alone, 21 ms if there are 4 at a time, and 6 ms if there
// are 16; on one that takes 0.3 ms, 0.3 ms if there are 4. Objects of 16 MiB, 2 at a time, were stored there at 1.1 GB/s on a
// busy machine, and at 0.8 GB/s without starting to write early. fdatasync and unnamed files (O_TMPFILE) measured no better.
func (s *Storage) Create(ctx context.Context, name string, parts ...[]byte) error {
	if err := storage.Check(ctx, storage.OpCreate, name); err != nil {
		return err
	}
	// The move finds this too, but only after the writing.
	before := s.folders.era()
	if _, err := s.Stat(ctx, name); err == nil {
		return s.taken(ctx, name, before)
	}
	temporary, err := s.writeTemporary(ctx, parts)
	if err != nil {
		return failure(storage.OpCreate, name, err)
	}
	era, err := s.publish(temporary, name)
	if err != nil {
		s.removeTemporary(temporary)
		if errors.Is(err, unix.EEXIST) {
			return s.taken(ctx, name, era)
		}
		return failure(storage.OpCreate, name, err)
	}
	folder, _ := split(name)
	if err := s.settle(ctx, folder, era); err != nil {
		return failure(storage.OpCreate, name, err)
	}
	return nil
}

// taken returns the error of a create that found the name taken, once the object that has it is durable. Whoever gave it that
// name may not have lived to see to it.
func (s *Storage) taken(ctx context.Context, name string, era int) error {
	folder, _ := split(name)
	if err := s.settle(ctx, folder, era); err != nil {
		return failure(storage.OpCreate, name, err)
	}
	return failure(storage.OpCreate, name, s.failed("rename", name, unix.EEXIST))
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
