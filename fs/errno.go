package fs

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"dura/archive"
	"dura/archive/format"
	"dura/archive/storage"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// errnos says what each kind of error is to a program that uses the mount.
var errnos = map[archive.Kind]syscall.Errno{
	archive.KindIO:            syscall.EIO,
	archive.KindNotFound:      syscall.ENOENT,
	archive.KindMissing:       syscall.EIO, // never ENOENT: what can't be read is not what isn't there
	archive.KindNotAnArchive:  syscall.EIO,
	archive.KindTooNew:        syscall.EOPNOTSUPP,
	archive.KindCorrupt:       syscall.EIO,
	archive.KindMismatch:      syscall.EIO,
	archive.KindDenied:        syscall.EACCES,
	archive.KindAmbiguous:     syscall.EIO,
	archive.KindExists:        syscall.EIO,
	archive.KindDeleted:       syscall.ESTALE,
	archive.KindNotADirectory: syscall.ENOTDIR,
	archive.KindNotAFile:      syscall.EINVAL,
}

// errnoOf is what a program is told of err.
func errnoOf(err error) syscall.Errno {
	var (
		errno  syscall.Errno
		stored *archive.Error
	)
	switch {
	case err == nil:
		return 0
	case errors.As(err, &stored):
		if errno, ok := errnos[stored.Kind]; ok {
			return errno
		}
	case errors.Is(err, context.Canceled):
		return syscall.EINTR
	case errors.As(err, &errno) && errno != 0:
		return errno
	}
	return syscall.EIO
}

// answer answers a request with err, and raises an alarm if err is nothing that an archive in good health would give.
func (f *FileSystem) answer(r *request, err error) fuse.Status {
	if archive.Is(err, archive.KindMissing) && f.isGone(r) {
		err = &archive.Error{Op: "read", Band: r.about.band, Kind: archive.KindDeleted}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("no answer from the archive in %v", r.timeout)
	}
	errno := errnoOf(err)
	switch errno {
	case syscall.EIO, syscall.EACCES, syscall.EOPNOTSUPP:
		f.alarms.raise(err, r.about)
	case syscall.ESTALE:
		if archive.Is(err, archive.KindDeleted) {
			f.alarms.raise(err, subject{band: r.about.band})
		}
	}
	return fuse.Status(errno)
}

// isGone reports whether the band of a request was deleted meanwhile: that explains what is missing of it. Where even the mark of that
// is gone, it may be back later: perhaps only a disk is missing.
func (f *FileSystem) isGone(r *request) bool {
	id := r.about.band
	if id == "" {
		return false
	}
	st := f.archive.Storage()
	if _, err := st.Stat(r, format.DeletedName(id)); err == nil {
		f.bands.giveUp(id)
		return true
	}
	_, head := st.Stat(r, format.HeadName(id))
	_, whole := st.Stat(r, format.ArchiveName)
	return storage.Is(head, storage.KindNotFound) && whole == nil
}
