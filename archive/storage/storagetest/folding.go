package storagetest

import (
	"context"
	"strings"
	"sync"

	"dura/archive/storage"
)

// Folding takes names that differ in case alone for the same, as file systems do on some machines. So it finds objects under
// names that storage.ValidName refuses.
type Folding struct {
	storage.Storage
	mu    sync.Mutex
	names map[string]string // in lower case -> as last created
}

// NewFolding makes a storage that keeps in inner, which must be empty, what is created through it.
func NewFolding(inner storage.Storage) *Folding {
	return &Folding{Storage: inner, names: make(map[string]string)}
}

// Create implements storage.Storage.
func (f *Folding) Create(ctx context.Context, name string, parts ...[]byte) error {
	err := f.Storage.Create(ctx, f.known(name), parts...)
	if err == nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.names[strings.ToLower(name)] = name
	}
	return err
}

// Read implements storage.Storage.
func (f *Folding) Read(ctx context.Context, name string, offset int64, maxBytes int) ([]byte, error) {
	return f.Storage.Read(ctx, f.known(name), offset, maxBytes)
}

// Stat implements storage.Storage.
func (f *Folding) Stat(ctx context.Context, name string) (storage.Info, error) {
	return f.Storage.Stat(ctx, f.known(name))
}

// Delete implements storage.Storage.
func (f *Folding) Delete(ctx context.Context, name string) error {
	return f.Storage.Delete(ctx, f.known(name))
}

// known returns the name under which an object of this name was created.
func (f *Folding) known(name string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if first, known := f.names[strings.ToLower(name)]; known {
		return first
	}
	return name
}
