package retry

import (
	"bytes"
	"context"

	"dura/archive/storage"
)

// compareBytes is how much of an object is read at a time to compare it.
const compareBytes = 1 << 20

// Create implements storage.Storage. When the name is found taken by a second or later try, it may be the first that took it: if
// the object holds these parts, they have been stored. So two who store the same bytes under one name may both be told that they did.
func (s *Storage) Create(ctx context.Context, name string, parts ...[]byte) error {
	o := s.begin(storage.OpCreate, name)
	for {
		err := o.try(ctx, func(ctx context.Context) error { return s.inner.Create(ctx, name, parts...) })
		if o.failed == 0 || !storage.Is(err, storage.KindExists) {
			return err
		}
		same, look := s.holds(ctx, name, parts)
		switch {
		case storage.Is(look, storage.KindNotFound): // not to be seen yet, or deleted: create it again
			err = o.wait(ctx, look)
		case look != nil || same:
			return look
		}
		if err != nil {
			return o.ended(ctx, err)
		}
	}
}

// holds reports whether an object is the concatenation of parts.
func (s *Storage) holds(ctx context.Context, name string, parts [][]byte) (bool, error) {
	info, err := s.Stat(ctx, name)
	if err != nil {
		return false, err
	}
	left := info.SizeBytes
	for _, part := range parts {
		left -= int64(len(part))
	}
	if left != 0 {
		return false, nil
	}
	var at int64
	for _, part := range parts {
		for len(part) > 0 {
			want := part[:min(len(part), compareBytes)]
			got, err := s.Read(ctx, name, at, len(want))
			if err != nil || !bytes.Equal(got, want) {
				return false, err
			}
			at += int64(len(want))
			part = part[len(want):]
		}
	}
	return true, nil
}

// Read implements storage.Storage.
func (s *Storage) Read(ctx context.Context, name string, offset int64, maxBytes int) (got []byte, err error) {
	err = s.begin(storage.OpRead, name).try(ctx, func(ctx context.Context) (err error) {
		got, err = s.inner.Read(ctx, name, offset, maxBytes)
		return err
	})
	return got, err
}

// Stat implements storage.Storage.
func (s *Storage) Stat(ctx context.Context, name string) (info storage.Info, err error) {
	err = s.begin(storage.OpStat, name).try(ctx, func(ctx context.Context) (err error) {
		info, err = s.inner.Stat(ctx, name)
		return err
	})
	return info, err
}

// Delete implements storage.Storage. When a second or later try does not find the object, it is taken to be the first that deleted it.
func (s *Storage) Delete(ctx context.Context, name string) error {
	o := s.begin(storage.OpDelete, name)
	return o.try(ctx, func(ctx context.Context) error {
		err := s.inner.Delete(ctx, name)
		if o.failed > 0 && storage.Is(err, storage.KindNotFound) {
			return nil
		}
		return err
	})
}

// Settle implements storage.Settler.
func (s *Storage) Settle(ctx context.Context, prefix string) error {
	return s.begin(storage.OpSettle, prefix).try(ctx, func(ctx context.Context) error {
		return storage.Settle(ctx, s.inner, prefix)
	})
}
