// Package archive reads archives: it opens an archive and its bands, finds entries in their indexes, and gives the content
// of files. Every reader goes through it, and every byte it hands out has been checked against a hash. It stands on
// archive/format for the bytes, archive/storage for the place, and cache for what is kept in memory.
package archive

import (
	"context"
	"errors"
	"runtime"
	"sync"

	"dura/archive/alarm"
	"dura/archive/format"
	"dura/archive/seal"
	"dura/archive/storage"
	"dura/cache"
	"dura/cache/disk"
)

// Options say how an archive is read. The zero value is ready for use.
type Options struct {
	CacheBytes     int64        // of decompressed frames kept in memory; 0: 32 MiB
	HunkCacheBytes int64        // of decoded hunks, fences and span lists kept in memory; 0: 16 MiB
	Alarms         alarm.Raiser // for damage that is passed over; nil: silence
	Also           []Other      // what is damaged is taken from these, too
	Decoders       int          // decompressions at a time; 0: one a processor
	Disk           *disk.Cache  // for frames and index objects as they are stored; nil: none. It stays open

	// Unlock gives the keys of an archive that is encrypted, once DURA-ARCHIVE is read; its storage has the objects below keys/. Nil: nothing
	// in one can be opened.
	Unlock func(ctx context.Context, st storage.Storage, head format.ArchiveHead) (*seal.Keys, error)
}

const (
	defaultCacheBytes     = 32 << 20
	defaultHunkCacheBytes = 16 << 20

	spareBytes = 8 << 20 // of memory kept for use again
)

// Archive is an open archive. It is safe for concurrent use. Its memory is what its caches are given, and what is under way.
type Archive struct {
	storage storage.Storage
	place   storage.Storage // the same as it was given
	keys    *seal.Keys      // nil: it is not encrypted
	head    format.ArchiveHead
	alarms  alarm.Raiser
	decoder *format.Decoder
	frames  *cache.Cache[frameKey, *rawFrame]
	index   *cache.Cache[indexKey, indexObject]
	spare   buffers
	disk    *disk.Cache // or nil
	mender  *mender

	badTails sync.Map // names of tails of rebuilt indexes that an alarm has told of
}

// Open reads DURA-ARCHIVE. Where that is lost or damaged, an alarm says so, and the heads of the bands say what it said. Where there is
// none, and no band, the error is of KindNotAnArchive.
func Open(ctx context.Context, st storage.Storage, o Options) (*Archive, error) {
	text, err := readText(ctx, st, format.ArchiveName)
	if err == nil {
		var head format.ArchiveHead
		if head, err = format.DecodeArchiveHead(text); err == nil {
			return openByHead(ctx, st, head, o)
		}
	}
	damage := objectError(opOpen, "", format.ArchiveName, err)
	if storage.Is(err, storage.KindNotFound) {
		damage = &Error{Op: opOpen, Object: format.ArchiveName, Kind: KindNotAnArchive, Err: err}
	} else if !mendable(damage) {
		return nil, damage
	}
	return openLost(ctx, st, o, damage)
}

// openByHead opens an archive whose DURA-ARCHIVE can be read.
func openByHead(ctx context.Context, st storage.Storage, head format.ArchiveHead, o Options) (*Archive, error) {
	if !head.Settings.AreWhole() { // a name of a field may have become another one
		return openPartly(ctx, st, head, o)
	}
	return openUnlocked(ctx, st, head, o)
}

func openUnlocked(ctx context.Context, st storage.Storage, head format.ArchiveHead, o Options) (*Archive, error) {
	keys, err := unlock(ctx, st, head, o)
	if err != nil {
		return nil, err
	}
	return newArchive(st, keys, head, o)
}

// unlock gets the keys of an archive, if it is encrypted.
func unlock(ctx context.Context, st storage.Storage, head format.ArchiveHead, o Options) (*seal.Keys, error) {
	if !head.Sealed() {
		return nil, nil
	}
	if o.Unlock == nil {
		return seal.NewKeys(seal.KeysOptions{}), nil
	}
	keys, err := o.Unlock(ctx, st, head)
	if err == nil && keys.Public() != nil && !keys.Public().SameKey(head.KeyFingerprint) {
		err = &Error{Op: opOpen, Object: format.PublicKeyName, Kind: KindMismatch, Err: errOtherArchiveKey}
	}
	return keys, err
}

var errOtherArchiveKey = errors.New("it is not the key that DURA-ARCHIVE names")

func newArchive(place storage.Storage, keys *seal.Keys, head format.ArchiveHead, o Options) (*Archive, error) {
	st := place
	if keys != nil {
		st = named{place}
	}
	setDefault(&o.CacheBytes, defaultCacheBytes)
	setDefault(&o.HunkCacheBytes, defaultHunkCacheBytes)
	if o.Decoders <= 0 {
		o.Decoders = runtime.GOMAXPROCS(0)
	}
	decoder, err := format.NewDecoder(o.Decoders)
	if err != nil {
		return nil, err
	}
	a := &Archive{
		storage: st, place: place, keys: keys, head: head, alarms: o.Alarms, decoder: decoder,
		frames: cache.New[frameKey](cache.Options[*rawFrame]{
			MaxBytes: o.CacheBytes, Size: (*rawFrame).memoryBytes, Hold: (*rawFrame).hold, Drop: (*rawFrame).drop,
		}),
		index: cache.New[indexKey](cache.Options[indexObject]{MaxBytes: o.HunkCacheBytes, Size: indexObject.memoryBytes}),
		spare: buffers{maxBytes: spareBytes},
		disk:  o.Disk,
	}
	a.mender, err = newMender(a, o.Also)
	return a, err
}

func setDefault(v *int64, d int64) {
	if *v == 0 {
		*v = d
	}
}

// Close ends the fetches that are under way. What is not cached can't be read any more. The storage stays open.
func (a *Archive) Close() {
	a.frames.Close()
	a.index.Close()
}

// Head is DURA-ARCHIVE.
func (a *Archive) Head() format.ArchiveHead { return a.head }

// Storage holds the archive's objects. Names are without format.SealedSuffix in an encrypted archive as well.
func (a *Archive) Storage() storage.Storage { return a.storage }

// Place is the storage that the archive was opened in.
func (a *Archive) Place() storage.Storage { return a.place }

// CacheStats says what the caches of frames and of index objects hold, and did.
func (a *Archive) CacheStats() (frames, index cache.Stats) { return a.frames.Stats(), a.index.Stats() }

// raise tells of damage that is passed over. An error ends the run.
func (a *Archive) raise(err error) error {
	if a.alarms == nil {
		return nil
	}
	return a.alarms.Raise(AlarmOf(err))
}
