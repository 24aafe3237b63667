package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"dura/archive/storage"
)

var errOrder = errors.New("the store doesn't list names in the order of their bytes, which Dura depends on")

// List implements storage.Storage.
func (s *Storage) List(ctx context.Context, prefix string, depth storage.Depth) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(storage.Info{}, fmt.Errorf("%s %s: %w", storage.OpList, prefix, err))
			return
		}
		if !beginsNames(prefix) {
			return
		}
		for info, err := range s.keys(ctx, prefix, depth) {
			if err != nil {
				yield(storage.Info{}, s.failure(ctx, storage.OpList, prefix, err))
				return
			}
			if storage.ValidName(info.Name) && !yield(info, nil) {
				return
			}
		}
	}
}

// keys lists what begins with prefix, whether an object can have such a name or not.
func (s *Storage) keys(ctx context.Context, prefix string, depth storage.Depth) iter.Seq2[storage.Info, error] {
	delimiter := ""
	if depth == storage.Shallow {
		delimiter = "/"
	}
	return func(yield func(storage.Info, error) bool) {
		last := ""
		for o, err := range s.bucket.list(ctx, s.key(prefix), delimiter) {
			if err == nil && last != "" && o.key <= last {
				err = errOrder
			}
			if err != nil {
				yield(storage.Info{}, err)
				return
			}
			last = o.key
			if !yield(storage.Info{Name: strings.TrimPrefix(o.key, s.place.Prefix), SizeBytes: o.sizeBytes}, nil) {
				return
			}
		}
	}
}

// beginsNames reports whether the names of objects may begin with prefix. What can't has no place in a request: stores and
// drivers differ in what they make of it.
func beginsNames(prefix string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyz" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ" + "0123456789" + "._-/"
	return len(prefix) <= storage.MaxNameBytes && strings.Trim(prefix, letters) == "" && !strings.HasPrefix(prefix, "/") &&
		!strings.Contains(prefix, "//") && !strings.HasPrefix(prefix, ".") && !strings.Contains(prefix, "/.")
}

// Occupant is the name of something in the place that no object can have, or "", as archive.Create wants to know. What begins
// with a dot doesn't count.
func (s *Storage) Occupant(ctx context.Context) (string, error) {
	for info, err := range s.keys(ctx, "", storage.Deep) {
		if err != nil {
			return "", s.failure(ctx, storage.OpList, "", err)
		}
		if !storage.ValidName(info.Name) && info.Name != "" && !strings.HasPrefix(info.Name, ".") {
			return info.Name, nil
		}
	}
	return "", nil
}
