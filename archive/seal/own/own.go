// Package own keeps, in files of this machine, the session keys of the objects that it wrote, so that it can read them without the
// archive's secret key. It stands on archive/seal. What is lost here costs time and space and nothing else.
package own

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"dura/archive/format"
	"dura/archive/seal"
)

// A file has the keys of one band: for each object the 16 bytes of its header's id and the 32 of its session key.
const (
	idBytes     = len(seal.HeaderID{})
	recordBytes = idBytes + len(format.SessionKey{})
)

// Keys are the session keys of one archive's objects. They are safe for concurrent use.
type Keys struct {
	dir    string
	failed func(error)

	mu    sync.Mutex
	known map[format.BandID]map[seal.HeaderID]format.SessionKey // of bands that were asked about
	files map[format.BandID]*os.File                            // of bands that are written; nil where that has failed
}

// Open opens the keys that are kept in dir, which is made if it isn't there. Failed is called when a key can't be kept.
func Open(dir string, failed func(error)) (*Keys, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return &Keys{
		dir: dir, failed: failed, known: map[format.BandID]map[seal.HeaderID]format.SessionKey{}, files: map[format.BandID]*os.File{},
	}, nil
}

// Close closes the files.
func (k *Keys) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	var errs []error
	for _, f := range k.files {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	clear(k.files)
	return errors.Join(errs...)
}

// Find implements seal.Own.
func (k *Keys) Find(name string, id seal.HeaderID) (format.SessionKey, bool) {
	band, _, _, err := format.ParseObjectName(name)
	if err != nil {
		return format.SessionKey{}, false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	key, ok := k.of(band)[id]
	return key, ok
}

// of has the keys of a band, read once.
func (k *Keys) of(band format.BandID) map[seal.HeaderID]format.SessionKey {
	known, ok := k.known[band]
	if ok {
		return known
	}
	known = map[seal.HeaderID]format.SessionKey{}
	records, _ := os.ReadFile(k.file(band)) // what can't be read is as good as not there
	for ; len(records) >= recordBytes; records = records[recordBytes:] {
		known[seal.HeaderID(records)] = format.SessionKey(records[idBytes:])
	}
	k.known[band] = known
	return known
}

func (k *Keys) file(band format.BandID) string { return filepath.Join(k.dir, string(band)) }

// Keep implements seal.Own. Where a key can't be kept, failed is told once for its band, and the error is nil.
func (k *Keys) Keep(name string, id seal.HeaderID, key format.SessionKey) error {
	band, _, _, err := format.ParseObjectName(name)
	if err != nil {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.of(band)[id] = key
	file, opened := k.files[band]
	if !opened {
		file, err = openToAppend(k.file(band))
		k.files[band] = file
	}
	if file != nil {
		_, err = file.Write(append(id[:], key[:]...))
	}
	if err != nil {
		if file != nil {
			file.Close()
		}
		k.files[band] = nil
		k.failed(err)
	}
	return nil
}

// openToAppend opens a file, without the part of a record that a crash may have left at its end.
func openToAppend(name string) (*os.File, error) {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && info.Size()%int64(recordBytes) != 0 {
		err = file.Truncate(info.Size() - info.Size()%int64(recordBytes))
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// Has reports whether there are keys of a band.
func (k *Keys) Has(band format.BandID) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.of(band)) > 0
}

// Bands are those that there are keys of.
func (k *Keys) Bands() ([]format.BandID, error) {
	entries, err := os.ReadDir(k.dir)
	var bands []format.BandID
	for _, e := range entries {
		if band, err := format.ParseBandID(e.Name()); err == nil {
			bands = append(bands, band)
		}
	}
	return bands, err
}

// Forget removes the keys of a band.
func (k *Keys) Forget(band format.BandID) error {
	err := os.Remove(k.file(band))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

var _ seal.Own = (*Keys)(nil)
