package file

import (
	"context"
	"os"
	"strings"
	"time"

	"dura/archive/storage"

	"golang.org/x/sys/unix"
)

// Sweep removes the temporary files that crashed processes left behind: those last written to a day before now, and those that
// nobody has locked and that were last written to before idle. It returns how many. It reads the archive's own directory,
// nothing below.
//
// Age is a safe sign, even with several machines, as nothing is lost where it errs: the create whose file is removed fails with
// KindUnavailable, or has been over for long. Locks are seen by the processes of one machine, and of several where the file system
// carries them over.
func (s *Storage) Sweep(ctx context.Context, now time.Time) (removed int, err error) {
	fd, err := s.openFolder("", false)
	if err != nil {
		return 0, failure(storage.OpList, "", err)
	}
	dir := os.NewFile(uintptr(fd), s.directory)
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return 0, failure(storage.OpList, "", err)
	}
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return removed, failure(storage.OpDelete, name, err)
		}
		if !strings.HasPrefix(name, storage.TemporaryPrefix) {
			continue
		}
		gone, err := sweepOne(fd, name, now)
		if err != nil {
			return removed, failure(storage.OpDelete, name, s.failed("unlink", name, err))
		}
		if gone {
			removed++
		}
	}
	return removed, nil
}

const (
	longAgo = 24 * time.Hour
	idle    = 2 * time.Second // one that is whole is not locked for the moment until it has its name
)

// sweepOne removes a temporary file if nobody writes it any more. While it does so it holds the lock.
func sweepOne(top int, name string, now time.Time) (gone bool, err error) {
	st, err := inspect(top, name)
	if err != nil {
		return false, nil
	}
	age := now.Sub(time.Unix(st.Mtim.Unix()))
	if age <= longAgo {
		if age <= idle {
			return false, nil
		}
		file, err := retry(func() (int, error) {
			return unix.Openat(top, name, unix.O_RDWR|unix.O_NONBLOCK|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		})
		if err != nil {
			return false, nil
		}
		defer unix.Close(file)
		if lock(file) != nil {
			return false, nil
		}
	}
	if err := unix.Unlinkat(top, name, 0); err != nil && err != unix.ENOENT {
		return false, err
	}
	return true, nil
}

// lock locks a temporary file for who writes it, or fails at once.
func lock(fd int) error {
	return retry0(func() error { return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) })
}
