package file

import (
	"context"

	"dura/archive/storage"

	"golang.org/x/sys/unix"
)

// Delete implements storage.Storage. It removes folders that are left empty, too.
func (s *Storage) Delete(ctx context.Context, name string) error {
	if err := storage.Check(ctx, storage.OpDelete, name); err != nil {
		return err
	}
	folder, base := split(name)
	if err := s.unlink(name, folder, base); err != nil {
		return failure(storage.OpDelete, name, err)
	}
	if err := s.flushFolder(ctx, folder); err != nil {
		return failure(storage.OpDelete, name, err)
	}
	if above, removed := s.removeEmpty(folder); removed {
		// Nobody would miss this, but where there is no journal a crash may leave the name of a folder that is no more.
		if err := s.flushFolder(ctx, above); err != nil {
			return failure(storage.OpDelete, name, err)
		}
	}
	return nil
}

func (s *Storage) unlink(name, folder, base string) error {
	dir, err := s.openFolder(folder, false)
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	if _, err := inspect(dir, base); err != nil {
		return s.failed("stat", name, err)
	}
	return s.failed("unlink", name, retry0(func() error { return unix.Unlinkat(dir, base, 0) }))
}

// removeEmpty removes a folder if it is empty, then the one above, and so on. It returns the one that it leaves, and whether
// it removed any. Nobody sees empty folders, so that it need not succeed.
func (s *Storage) removeEmpty(folder string) (left string, removed bool) {
	for folder != "" {
		above, base := split(folder)
		dir, err := s.openFolder(above, false)
		if err != nil {
			break
		}
		s.folders.forget(folder)
		err = retry0(func() error { return unix.Unlinkat(dir, base, unix.AT_REMOVEDIR) })
		unix.Close(dir)
		if err != nil {
			break
		}
		folder, removed = above, true
	}
	return folder, removed
}
