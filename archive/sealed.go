package archive

import (
	"context"

	"dura/archive/format"
	"dura/archive/seal"
)

// Keys seal and open the objects of an encrypted archive; nil: it is not encrypted.
func (a *Archive) Keys() *seal.Keys { return a.keys }

// CanOpen reports whether there is a key for what is in a band.
func (a *Archive) CanOpen(id format.BandID) bool { return a.keys == nil || a.keys.CanOpen(id) }

// Opened is what the object called name holds, given what is stored of it.
func (a *Archive) Opened(name string, stored []byte) ([]byte, error) {
	if a.keys == nil {
		return stored, nil
	}
	return a.keys.Open(name, stored)
}

// readOpened reads a text object of a band from a source, as far as one may go, and opens it.
func (a *Archive) readOpened(ctx context.Context, from source, name string) (text, stored []byte, err error) {
	stored, err = readText(ctx, from, name)
	if err == nil {
		text, err = a.Opened(name, stored)
	}
	return text, stored, err
}

// readBlock reads what lies in a block from offset on, before encryption, as far as it goes; spare is as in readStored. What it gives is
// not checked.
func (a *Archive) readBlock(ctx context.Context, b *format.Block, offset, bytes int64) (content, spare []byte, err error) {
	name := b.Name()
	if a.keys == nil {
		return a.readStored(ctx, name, offset, bytes)
	}
	key, r, err := a.sealedRange(ctx, a.storage, b, offset, bytes)
	if err != nil {
		return nil, nil, err
	}
	stored, spare, err := a.readStored(ctx, name, r.Offset, r.Bytes)
	if err == nil {
		content, err = seal.OpenRange(key, name, offset, stored)
	}
	a.spare.put(spare)
	return content, nil, err
}

// sealedRange is where in a message a range of a block is, and the key to that.
func (a *Archive) sealedRange(ctx context.Context, from source, b *format.Block, offset, bytes int64) (format.SealKey, format.Extent, error) {
	known := *b
	err := a.findKey(ctx, from, &known)
	if err == nil {
		err = seal.CheckRange(known.Seal, b.Name(), b.StoredBytes)
	}
	if err != nil {
		return format.SealKey{}, format.Extent{}, err
	}
	return known.Seal, seal.StoredRange(known.Seal, b.Name(), offset, bytes), nil
}

// readBlockExactly reads a range of a block, before encryption, that must be there in full, from a source.
func (a *Archive) readBlockExactly(ctx context.Context, from source, b *format.Block, offset, bytes int64) ([]byte, error) {
	if a.keys == nil {
		return readExactly(ctx, from, b.Name(), offset, bytes)
	}
	key, r, err := a.sealedRange(ctx, from, b, offset, bytes)
	if err != nil {
		return nil, err
	}
	stored, err := from.Read(ctx, b.Name(), r.Offset, int(r.Bytes))
	if err != nil {
		return nil, err
	}
	got, err := seal.OpenRange(key, b.Name(), offset, stored)
	if err == nil && int64(len(got)) != bytes {
		err = &sizeError{int64(len(got)), bytes}
	}
	return got, err
}

// findKey completes b with what it takes to read parts of it, which the block itself says.
func (a *Archive) findKey(ctx context.Context, from source, b *format.Block) error {
	if a.keys == nil || !b.Seal.IsZero() {
		return nil
	}
	name := b.Name()
	start, err := from.Read(ctx, name, 0, seal.MaxHeaderBytes(name))
	if err == nil {
		b.Seal, err = a.keys.KeyOf(name, start)
	}
	if err == nil {
		err = seal.CheckRange(b.Seal, name, b.StoredBytes)
	}
	return err
}

// contentBytes is how large a block is before encryption, given its key.
func (a *Archive) contentBytes(b *format.Block) int64 {
	if a.keys == nil {
		return b.StoredBytes
	}
	return seal.ContentBytes(b.Seal, b.StoredBytes)
}
