// Package store keeps an archive in an object store: S3 and what speaks it, Google Cloud Storage, Azure Blob. It stands on
// storage, on gocloud.dev/blob with its drivers for S3 and Azure, and on Google's own client.
//
// An object is stored under its name behind the place's prefix, by an upload that fails where the name is taken
// (If-None-Match, or what the store has for it). Each upload carries a mark of its own, so that one which arrived, and whose
// answer was lost on its way back, is told from another writer's. Nothing is tried twice here, by the stores' own libraries
// neither: what is worth another try is of KindUnavailable. No request waits without end: not for a connection, and not for
// one on which nothing moves.
//
// Objects should stay below 16 MiB. Larger ones go to S3 in parts, which may be left behind there, and cost money, when the
// upload is cut off.
package store

import (
	"context"
	"crypto/rand"
	"io"
	"time"

	"dura/archive/storage"
	"dura/archive/storage/cloud"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Options are the settings of a Storage. The zero value is ready for use.
type Options struct {
	// Random marks uploads; crypto/rand if nil. It must be safe for concurrent use.
	Random io.Reader

	ConnectTimeout time.Duration // for a connection, the look-up of its name included; 0: 10 s
	StallTimeout   time.Duration // for a connection on which nothing moves; 0: 60 s
}

const (
	defaultConnectTimeout = 10 * time.Second
	defaultStallTimeout   = 60 * time.Second

	// credentialsTimeout is for finding credentials, which may lie on another machine.
	credentialsTimeout = 20 * time.Second
)

func (o Options) withDefaults() Options {
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.ConnectTimeout <= 0 {
		o.ConnectTimeout = defaultConnectTimeout
	}
	if o.StallTimeout <= 0 {
		o.StallTimeout = defaultStallTimeout
	}
	return o
}

// Storage is an archive's place in an object store. Open and Create make one.
type Storage struct {
	place  cloud.Place
	random io.Reader
	bucket bucket
	s3     *s3.Client // nil in other stores
}

// Open opens the place of an archive. It finds credentials, and asks the store for nothing else: whether there is a bucket,
// the first request tells. Errors are of KindDenied with a *cloud.CredentialsError where there are no credentials, and of KindInvalid
// where a parameter of the place can't be used.
func Open(ctx context.Context, p cloud.Place, o Options) (*Storage, error) {
	o = o.withDefaults()
	open, known := openers[p.Scheme]
	if !known {
		return nil, &storage.Error{Op: storage.OpOpen, Object: p.String(), Kind: storage.KindInvalid, Err: cloud.ErrScheme}
	}
	ctx, cancel := context.WithTimeout(ctx, credentialsTimeout)
	defer cancel()
	s := &Storage{place: p, random: o.Random}
	if err := open(ctx, s, o); err != nil {
		return nil, openFailure(p, err)
	}
	return s, nil
}

// openers sets the bucket of a storage, and what is special about its store, by scheme.
var openers = map[string]func(context.Context, *Storage, Options) error{"s3": openS3, "gs": openGCS, "azblob": openAzure}

// Create opens the place for a new archive, in a bucket that must be there. It makes sure that the store keeps to the
// condition that a name must not be taken: where it doesn't, the error is of KindInvalid with an *cloud.UnconditionalError.
func Create(ctx context.Context, p cloud.Place, o Options) (*Storage, error) {
	s, err := Open(ctx, p, o)
	if err != nil {
		return nil, err
	}
	if err := s.probe(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Close frees what the storage holds open. Nothing may be called on the storage from then on.
func (s *Storage) Close() error { return s.bucket.close() }

func (s *Storage) key(name string) string { return s.place.Prefix + name }

var _ storage.Storage = (*Storage)(nil)
