package file

import (
	"context"
	"os"
	"strings"
	"time"

	"dura/archive/storage"

	"golang.org/x/sys/unix"
)

// Sweep removes the temporary files that crashed processes left behind: those last written to before the given time. It
// returns how many. It reads the archive's own directory, nothing below.
//
// A day ago is a good time to give. Age is a safe sign, even with several machines, as nothing is lost where it errs: the
// create whose file is removed fails with KindUnavailable, or has been over for long.
func (s *Storage) Sweep(ctx context.Context, before time.Time) (removed int, err error) {
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
		st, err := inspect(fd, name)
		if err != nil || !time.Unix(st.Mtim.Unix()).Before(before) {
			continue
		}
		err = unix.Unlinkat(fd, name, 0)
		if err != nil && err != unix.ENOENT {
			return removed, failure(storage.OpDelete, name, s.failed("unlink", name, err))
		}
		removed++
	}
	return removed, nil
}
