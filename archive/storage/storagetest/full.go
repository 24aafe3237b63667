package storagetest

import (
	"context"
	"sync"

	"dura/archive/storage"
)

// Full has room for so many bytes of objects and no more.
type Full struct {
	storage.Storage
	mu        sync.Mutex
	freeBytes int64
}

// NewFull makes a storage that does what inner does, but a create that finds less than its size left fails with KindFull and
// stores nothing. A delete makes room.
func NewFull(inner storage.Storage, capacityBytes int64) *Full {
	return &Full{Storage: inner, freeBytes: capacityBytes}
}

// Grow adds room for so many bytes.
func (f *Full) Grow(bytes int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.freeBytes += bytes
}

// Create implements storage.Storage.
func (f *Full) Create(ctx context.Context, name string, parts ...[]byte) error {
	size := sizeOf(parts)
	if !f.reserve(size) {
		return f.refuse(ctx, name)
	}
	err := f.Storage.Create(ctx, name, parts...)
	if err != nil {
		f.Grow(size)
	}
	return err
}

// Delete implements storage.Storage.
func (f *Full) Delete(ctx context.Context, name string) error {
	info, err := f.Stat(ctx, name)
	if err != nil {
		return f.Storage.Delete(ctx, name) // fails as it should
	}
	if err := f.Storage.Delete(ctx, name); err != nil {
		return err
	}
	f.Grow(info.SizeBytes)
	return nil
}

// refuse returns the error of a create for which there is no room.
func (f *Full) refuse(ctx context.Context, name string) error {
	if err := storage.Check(ctx, storage.OpCreate, name); err != nil {
		return err
	}
	kind := storage.KindFull
	if _, err := f.Stat(ctx, name); err == nil {
		kind = storage.KindExists
	}
	return &storage.Error{Op: storage.OpCreate, Object: name, Kind: kind, Err: errMade}
}

func (f *Full) reserve(bytes int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.freeBytes < bytes {
		return false
	}
	f.freeBytes -= bytes
	return true
}
