package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"dura/archive/storage"
)

const (
	// beyondObjects is a size that no store takes: an offset there needs no request that it might misread.
	beyondObjects = 1 << 50

	// firstReadBytes is what is allocated on the word of the store, which says how long an object is.
	firstReadBytes = 16 << 20
)

// Read implements storage.Storage.
func (s *Storage) Read(ctx context.Context, name string, offset int64, maxBytes int) ([]byte, error) {
	if err := storage.CheckRead(ctx, name, offset, maxBytes); err != nil {
		return nil, err
	}
	if maxBytes == 0 || offset >= beyondObjects {
		_, err := s.size(ctx, storage.OpRead, name)
		return nil, err
	}
	content, err := s.read(ctx, name, offset, min(int64(maxBytes), beyondObjects))
	switch {
	case err == nil:
		return content, nil
	case answerOf(err).status == http.StatusRequestedRangeNotSatisfiable: // at or past the end
		return nil, nil
	}
	return nil, s.failure(ctx, storage.OpRead, name, err)
}

func (s *Storage) read(ctx context.Context, name string, offset, maxBytes int64) ([]byte, error) {
	r, wantBytes, err := s.bucket.read(ctx, s.key(name), offset, maxBytes)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	content := make([]byte, min(wantBytes, firstReadBytes))
	read, err := io.ReadFull(r, content)
	for err == nil && int64(read) < wantBytes {
		content = append(content, make([]byte, min(int64(read), wantBytes-int64(read)))...)
		var n int
		n, err = io.ReadFull(r, content[read:])
		read += n
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("%d bytes came of %d: %w", read, wantBytes, io.ErrUnexpectedEOF)
	}
	return content[:read], err
}

// Stat implements storage.Storage.
func (s *Storage) Stat(ctx context.Context, name string) (storage.Info, error) {
	if err := storage.Check(ctx, storage.OpStat, name); err != nil {
		return storage.Info{}, err
	}
	sizeBytes, err := s.size(ctx, storage.OpStat, name)
	if err != nil {
		return storage.Info{}, err
	}
	return storage.Info{Name: name, SizeBytes: sizeBytes}, nil
}

func (s *Storage) size(ctx context.Context, op, name string) (int64, error) {
	found, err := s.bucket.attributes(ctx, s.key(name))
	if err != nil {
		return 0, s.failure(ctx, op, name, err)
	}
	return found.sizeBytes, nil
}

// Delete implements storage.Storage. Of several deletes of one object at once, more than one may succeed.
func (s *Storage) Delete(ctx context.Context, name string) error {
	if err := storage.Check(ctx, storage.OpDelete, name); err != nil {
		return err
	}
	if err := s.bucket.remove(ctx, s.key(name)); err != nil {
		return s.failure(ctx, storage.OpDelete, name, err)
	}
	return nil
}
