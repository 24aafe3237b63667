// Package storage says what an archive needs of the place that holds its objects: whole objects, written once, read by
// range, listed by prefix. It stands on nothing; file and memory below it implement it, storagetest holds them to it.
package storage

import (
	"context"
	"iter"
)

// Info describes one stored object.
type Info struct {
	Name      string // slash-separated, relative to the archive
	SizeBytes int64
}

// Depth says how far a listing goes.
type Depth int

const (
	// Deep lists every object whose name starts with the prefix.
	Deep Depth = iota
	// Shallow lists only those without a further '/' behind the prefix.
	Shallow
)

// Storage holds the objects of one archive. Names satisfy ValidName; any other name is an error of KindInvalid.
// There are no folders: where there is an object a/b, there is none called a unless it was created, which a storage may
// refuse, as it may refuse a/b/c; empty folders that a storage may have are unseen.
// All methods are safe for concurrent use, return promptly with ctx.Err() in their chain once ctx is done, and
// return *Error for everything else that fails.
type Storage interface {
	// Create stores the concatenation of parts under name.
	//
	// Atomic: nobody ever sees part of an object under its name, whatever crashes.
	// Exclusive: of several creates of one name at most one succeeds; the others get KindExists, and what was stored stays.
	// Durable: once Create has returned nil or KindExists the object and its name outlast a crash of the machine.
	// After an error other than KindExists the object may or may not exist, whole.
	// Parts are not modified, nor kept after Create returns.
	Create(ctx context.Context, name string, parts ...[]byte) error

	// Read returns up to maxBytes bytes of the object from offset on, fewer only where the object ends; none at or past its
	// end. It allocates no more than what it returns. A missing object is KindNotFound, a negative range KindInvalid.
	Read(ctx context.Context, name string, offset int64, maxBytes int) ([]byte, error)

	// List yields the objects whose names start with prefix, which may be any string, in byte order of their names. It is not
	// atomic: an object created or deleted meanwhile may be seen or not. Nothing found is no error. After yielding an error
	// it ends. Other methods may be called between two objects.
	List(ctx context.Context, prefix string, depth Depth) iter.Seq2[Info, error]

	// Stat describes one object. A missing object is KindNotFound.
	Stat(ctx context.Context, name string) (Info, error)

	// Delete removes one object, durably and atomically. A missing object is KindNotFound. Of several deletes of one object at
	// once, more than one may succeed.
	Delete(ctx context.Context, name string) error
}

// Settler is what a storage offers beyond Storage where an object may be seen before it is durable: while it is created, and when
// whoever created it was killed ahead of the end.
type Settler interface {
	// Settle makes the objects whose names start with prefix outlast a crash of the machine, all that could be seen when it was
	// called.
	Settle(ctx context.Context, prefix string) error
}

// Settle is Settler.Settle where st has that. Elsewhere whatever can be seen is durable.
func Settle(ctx context.Context, st Storage, prefix string) error {
	if s, ok := st.(Settler); ok {
		return s.Settle(ctx, prefix)
	}
	return nil
}
