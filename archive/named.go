package archive

import (
	"context"
	"iter"
	"strings"

	"dura/archive/format"
	"dura/archive/storage"
)

// named is the storage of an encrypted archive, in which objects that are messages are called what they are called in any archive.
// Objects of these names that are no messages are not part of it.
type named struct{ storage.Storage }

func (n named) Create(ctx context.Context, name string, parts ...[]byte) error {
	return n.Storage.Create(ctx, format.StoredName(name, true), parts...)
}

func (n named) Read(ctx context.Context, name string, offset int64, maxBytes int) ([]byte, error) {
	return n.Storage.Read(ctx, format.StoredName(name, true), offset, maxBytes)
}

// ReadInto implements storage.IntoReader, whatever the storage inside can.
func (n named) ReadInto(ctx context.Context, name string, offset int64, buf []byte) (int, error) {
	return storage.ReadInto(ctx, n.Storage, format.StoredName(name, true), offset, buf)
}

func (n named) Stat(ctx context.Context, name string) (storage.Info, error) {
	info, err := n.Storage.Stat(ctx, format.StoredName(name, true))
	info.Name = name
	return info, err
}

func (n named) Delete(ctx context.Context, name string) error {
	return n.Storage.Delete(ctx, format.StoredName(name, true))
}

func (n named) List(ctx context.Context, prefix string, depth storage.Depth) iter.Seq2[storage.Info, error] {
	return tailsInOrder(func(yield func(storage.Info, error) bool) {
		for info, err := range n.Storage.List(ctx, prefix, depth) {
			if err == nil {
				name, ok := format.NameOf(info.Name, true)
				if !ok || !strings.HasPrefix(name, prefix) {
					continue
				}
				info.Name = name
			}
			if !yield(info, err) {
				return
			}
		}
	})
}

// tailsInOrder yields a listing in the order of its names, where names end in .gpg in storage: .tail-0.gpg is ahead of .tail.gpg there.
func tailsInOrder(listing iter.Seq2[storage.Info, error]) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		var rebuilt []storage.Info
		give := func() bool {
			for _, info := range rebuilt {
				if !yield(info, nil) {
					return false
				}
			}
			rebuilt = rebuilt[:0]
			return true
		}
		for info, err := range listing {
			_, kind, _, _ := format.ParseObjectName(info.Name)
			switch {
			case err == nil && kind == format.RebuiltTailObject:
				rebuilt = append(rebuilt, info)
				continue
			case err == nil && kind == format.TailObject && len(rebuilt) > 0 && strings.HasPrefix(rebuilt[0].Name, info.Name):
				if !yield(info, nil) || !give() {
					return
				}
				continue
			}
			if !give() || !yield(info, err) {
				return
			}
		}
		give()
	}
}

// Settle implements storage.Settler.
func (n named) Settle(ctx context.Context, prefix string) error {
	return storage.Settle(ctx, n.Storage, prefix)
}
