// Package file keeps an archive in a local directory, one file for each object. It stands on storage and on the calls
// that Linux, macOS and FreeBSD have in common.
//
// An object is written to a temporary file at the top of the directory, flushed to the disk, moved to its name by a
// call that fails where the name is taken, and its directory is flushed. So a crash leaves a whole object under its name,
// or none, and perhaps a temporary file, which no listing shows and Sweep removes.
//
// Files are made for their owner alone, with mode 0600, in directories of mode 0700, whatever the umask: an archive holds the
// contents of files that only their owner could read. They are not made read-only, which some network file systems
// take to mean that they can be neither moved nor deleted.
//
// Below the archive's own directory no symbolic link is followed; that directory may be one.
package file

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"

	"dura/archive/storage"

	"golang.org/x/sys/unix"
)

const (
	fileMode   = 0o600
	folderMode = 0o700
)

// Options are the settings of a Storage. The zero value is ready for use.
type Options struct {
	// Random names temporary files; crypto/rand if nil. It must be safe for concurrent use.
	Random io.Reader
}

// Storage is an archive's directory. Open and Create make one.
type Storage struct {
	directory string // absolute
	top       int    // directory, held open so that nothing is written elsewhere should it be unmounted
	random    io.Reader
	folders   folders
	flushes   sync.WaitGroup // what Close waits for
}

// Open opens the directory of an archive that is there already. Errors are of KindNotFound, KindDenied, KindInvalid where
// it is not a directory, or KindIO.
func Open(directory string, opts Options) (*Storage, error) {
	s, err := open(directory, opts)
	if err != nil {
		return nil, failure(storage.OpOpen, directory, err)
	}
	return s, nil
}

// Create opens the directory for a new archive, made if need be, with its parents. It is durable when Create returns.
// Errors are those of Open, KindFull and KindReadOnly.
func Create(directory string, opts Options) (*Storage, error) {
	if err := makeDirectory(directory); err != nil {
		return nil, failure(storage.OpCreate, directory, err)
	}
	s, err := open(directory, opts)
	if err != nil {
		return nil, failure(storage.OpCreate, directory, err)
	}
	return s, nil
}

// Close frees what the storage holds open. Nothing may be called on the storage from then on.
func (s *Storage) Close() error {
	s.flushes.Wait()
	return unix.Close(s.top)
}

func open(directory string, opts Options) (*Storage, error) {
	absolute, err := filepath.Abs(directory)
	if err != nil {
		return nil, err
	}
	const flags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC
	top, err := retry(func() (int, error) { return unix.Open(absolute, flags, 0) })
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: absolute, Err: err}
	}
	return &Storage{directory: absolute, top: top, random: opts.Random}, nil
}

// makeDirectory makes directory and whichever of its parents are missing, and flushes them to the disk.
func makeDirectory(directory string) error {
	parent := filepath.Dir(directory)
	err := os.Mkdir(directory, folderMode)
	if errors.Is(err, os.ErrNotExist) && parent != directory {
		if err := makeDirectory(parent); err != nil {
			return err
		}
		err = os.Mkdir(directory, folderMode)
	}
	if errors.Is(err, os.ErrExist) {
		return nil // perhaps not a directory, which opening it will tell
	}
	if err != nil {
		return err
	}
	if err := flushDirectory(directory); err != nil {
		return err
	}
	return flushDirectory(parent)
}

func flushDirectory(directory string) error {
	f, err := os.Open(directory)
	if err != nil {
		return err
	}
	defer f.Close()
	return flush(int(f.Fd()))
}

// path is where an object or a folder is, for messages.
func (s *Storage) path(name string) string { return filepath.Join(s.directory, name) }

var (
	_ storage.Storage    = (*Storage)(nil)
	_ storage.NameLister = (*Storage)(nil)
	_ storage.IntoReader = (*Storage)(nil)
)
