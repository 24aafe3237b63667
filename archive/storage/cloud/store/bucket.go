package store

import (
	"context"
	"errors"
	"io"
	"iter"

	"gocloud.dev/blob"
)

// bucket is what a store's library is asked for. Keys are whole, and errors are the library's own.
type bucket interface {
	// read answers with what the object has from offset on, up to maxBytes, and with the size of that.
	read(ctx context.Context, key string, offset, maxBytes int64) (content io.ReadCloser, contentBytes int64, err error)
	attributes(ctx context.Context, key string) (attributes, error)
	// upload stores an object with a mark, unless there is one of that name.
	upload(ctx context.Context, key, mark string, content io.Reader, contentBytes int64) error
	remove(ctx context.Context, key string) error
	// list lists the keys that begin with prefix; with a delimiter only those that don't have it behind the prefix.
	list(ctx context.Context, prefix, delimiter string) iter.Seq2[listed, error]
	close() error
}

type attributes struct {
	sizeBytes int64
	mark      string // of the upload that made the object
}

type listed struct {
	key       string
	sizeBytes int64
}

// blobBucket is a bucket behind gocloud.dev/blob.
type blobBucket struct {
	*blob.Bucket
	// uploadBytes is the buffer to ask for, for an object of that size.
	uploadBytes func(objectBytes int64) int
}

func (b blobBucket) read(ctx context.Context, key string, offset, maxBytes int64) (io.ReadCloser, int64, error) {
	r, err := b.NewRangeReader(ctx, key, offset, maxBytes, nil)
	if err != nil {
		return nil, 0, err
	}
	return r, max(0, min(maxBytes, r.Size()-offset)), nil
}

func (b blobBucket) attributes(ctx context.Context, key string) (attributes, error) {
	a, err := b.Attributes(ctx, key)
	if err != nil {
		return attributes{}, err
	}
	return attributes{a.Size, a.Metadata[markKey]}, nil
}

// upload is Bucket.Upload without a hash, since every other way panics in Azure's driver where the upload fails.
func (b blobBucket) upload(ctx context.Context, key, mark string, content io.Reader, contentBytes int64) error {
	return b.Upload(ctx, key, content, &blob.WriterOptions{
		ContentType: contentType, IfNotExist: true, Metadata: map[string]string{markKey: mark}, BufferSize: b.uploadBytes(contentBytes),
	})
}

func (b blobBucket) remove(ctx context.Context, key string) error { return b.Delete(ctx, key) }

func (b blobBucket) list(ctx context.Context, prefix, delimiter string) iter.Seq2[listed, error] {
	return func(yield func(listed, error) bool) {
		for listing := b.List(&blob.ListOptions{Prefix: prefix, Delimiter: delimiter}); ; {
			o, err := listing.Next(ctx)
			switch {
			case errors.Is(err, io.EOF):
				return
			case err != nil:
				yield(listed{}, err)
				return
			case !o.IsDir && !yield(listed{o.Key, o.Size}, nil):
				return
			}
		}
	}
}

func (b blobBucket) close() error { return b.Close() }
