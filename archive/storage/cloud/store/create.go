package store

import (
	"bytes"
	"context"
	"encoding/hex"
	"io"

	"dura/archive/storage"
)

const contentType = "application/octet-stream"

// markKey is the metadata that holds the mark of the upload that made an object.
const markKey = "duramark"

// Create implements storage.Storage.
func (s *Storage) Create(ctx context.Context, name string, parts ...[]byte) error {
	if err := storage.Check(ctx, storage.OpCreate, name); err != nil {
		return err
	}
	mark, err := s.newMark()
	if err != nil {
		return err
	}
	err = s.upload(ctx, s.key(name), mark, parts)
	if err == nil {
		return nil
	}
	err = s.failure(ctx, storage.OpCreate, name, err)
	if storage.Is(err, storage.KindExists) && s.isOurs(ctx, name, mark) {
		return nil
	}
	return err
}

func (s *Storage) newMark() (string, error) {
	var mark [12]byte
	_, err := io.ReadFull(s.random, mark[:])
	return hex.EncodeToString(mark[:]), err
}

// upload stores an object unless there is one.
func (s *Storage) upload(ctx context.Context, key, mark string, parts [][]byte) error {
	var objectBytes int64
	readers := make([]io.Reader, len(parts))
	for i, part := range parts {
		readers[i] = bytes.NewReader(part)
		objectBytes += int64(len(part))
	}
	return s.bucket.upload(ctx, key, mark, io.MultiReader(readers...), objectBytes)
}

// isOurs reports whether the object is what the upload with that mark stored: something between here and the store may have
// sent it twice. That another's object has equal content says nothing of who made it.
func (s *Storage) isOurs(ctx context.Context, name, mark string) bool {
	found, err := s.bucket.attributes(ctx, s.key(name))
	return err == nil && found.mark == mark
}
