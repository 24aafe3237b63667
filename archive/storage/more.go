package storage

import (
	"context"
	"iter"
)

// NameLister is what a storage may be where names alone cost less than names with sizes.
type NameLister interface {
	// Names yields what List would, without the sizes.
	Names(ctx context.Context, prefix string, depth Depth) iter.Seq2[string, error]
}

// Names lists names in the way that costs s least.
func Names(ctx context.Context, s Storage, prefix string, depth Depth) iter.Seq2[string, error] {
	if n, ok := s.(NameLister); ok {
		return n.Names(ctx, prefix, depth)
	}
	return func(yield func(string, error) bool) {
		for info, err := range s.List(ctx, prefix, depth) {
			if !yield(info.Name, err) {
				return
			}
		}
	}
}

// IntoReader is what a storage may be where it can read into memory that is there already.
type IntoReader interface {
	// ReadInto is Read into buf, as far as it goes, and says how much was read. After an error buf must be left alone: a read
	// that was given up may still write there.
	ReadInto(ctx context.Context, name string, offset int64, buf []byte) (int, error)
}

// ReadInto reads into memory that is there already, in the way that costs s least.
func ReadInto(ctx context.Context, s Storage, name string, offset int64, buf []byte) (int, error) {
	if r, ok := s.(IntoReader); ok {
		return r.ReadInto(ctx, name, offset, buf)
	}
	got, err := s.Read(ctx, name, offset, len(buf))
	return copy(buf, got), err
}
