package writer

import (
	"context"

	"dura/archive"
	"dura/archive/format"
)

// sealed is what is stored of the object called name: a message, where the archive is encrypted.
func sealed(a *archive.Archive, name string, object []byte) ([]byte, error) {
	keys := a.Keys()
	if keys == nil {
		return object, nil
	}
	stored, _, err := keys.Seal(name, object)
	return stored, err
}

// sealBlock is what is stored of a block, and what then refers to it.
func (p *pipeline) sealBlock(parts [][]byte, ref format.Block) ([][]byte, format.Block, error) {
	keys := p.archive.Keys()
	if keys == nil {
		return parts, ref, nil
	}
	stored, key, err := keys.Seal(ref.Name(), parts...)
	ref.StoredBytes, ref.SHA256, ref.Seal = int64(len(stored)), format.SumBytes(stored), key
	return [][]byte{stored}, ref, err
}

// storeSealed seals and stores an object, and gives its size and hash as it is stored.
func (p *pipeline) storeSealed(ctx context.Context, name string, object []byte) (bytes int64, sum format.Hash, err error) {
	stored, err := sealed(p.archive, name, object)
	if err != nil {
		return 0, format.Hash{}, err
	}
	sum = format.SumBytes(stored)
	return int64(len(stored)), sum, p.store.protected(ctx, name, sum, stored)
}

// chunker cuts content as the archive says.
func (p *pipeline) chunker() *format.Chunker {
	keys := p.archive.Keys()
	if keys == nil {
		return format.NewChunker(p.o.Settings, nil)
	}
	key := keys.ChunkerKey()
	return format.NewChunker(p.o.Settings, key[:])
}
