package main

import (
	"context"
	"io"
	"path"
	"strings"

	"github.com/spf13/cobra"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/format"
	"dura/archive/seal"
	"dura/archive/storage"
	"dura/archive/storage/cloud"
	"dura/archive/storage/cloud/store"
	"dura/archive/storage/file"
)

// place is a storage that holds something open.
type place interface {
	storage.Storage
	io.Closer
}

// openPlace opens the storage that ARCHIVE names.
func (a *app) openPlace(ctx context.Context, word string) (place, error) {
	return a.at(word, func(directory string) (place, error) { return file.Open(directory, file.Options{}) },
		func(p cloud.Place) (*store.Storage, error) { return store.Open(ctx, p, store.Options{}) })
}

// createPlace opens the storage that ARCHIVE names for a new archive.
func (a *app) createPlace(ctx context.Context, word string) (place, error) {
	return a.at(word, func(directory string) (place, error) { return file.Create(directory, file.Options{}) },
		func(p cloud.Place) (*store.Storage, error) { return store.Create(ctx, p, store.Options{}) })
}

// at does what is to be done with the place that word names, in a directory or in an object store.
func (a *app) at(
	word string, local func(directory string) (place, error), remote func(cloud.Place) (*store.Storage, error),
) (place, error) {
	if cloud.IsPlace(word) {
		p, err := cloud.Parse(word)
		if err != nil {
			return nil, usage(msgStoreURL, shown(word), reasonOf(err))
		}
		s, err := remote(p)
		if err != nil {
			return nil, err
		}
		return a.patient(s), nil
	}
	directory, err := localDirectory(word)
	if err != nil {
		return nil, err
	}
	return local(directory)
}

// localDirectory is the directory that ARCHIVE names. Other places are refused.
func localDirectory(place string) (string, error) {
	scheme, rest, found := strings.Cut(place, "://")
	switch {
	case found && scheme == "file":
		return "", usage(msgFileScheme, shown(rest))
	case found && isScheme(scheme):
		return "", usage(msgOtherScheme, shown(place))
	case strings.HasPrefix(place, "@"):
		return "", usage(msgNamedArchive, shown(place), shown(place))
	}
	return place, nil
}

func isScheme(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789+.-") == ""
}

// open opens the archive. Close must be called once it is no longer used.
func (a *app) open(ctx context.Context, place string) (ar *archive.Archive, closeArchive func(), err error) {
	return a.openRaising(ctx, place, a.alarms)
}

// openRaising is open with another place for what the archive itself finds.
func (a *app) openRaising(ctx context.Context, place string, alarms alarm.Raiser) (ar *archive.Archive, closeArchive func(), err error) {
	a.place = place
	st, err := a.openPlace(ctx, place)
	if err != nil {
		return nil, nil, err
	}
	others, closeOthers, err := a.openOthers(ctx, a.also)
	if err != nil {
		st.Close()
		return nil, nil, err
	}
	ar, closeKeys, err := a.openWithKeys(ctx, st, archive.Options{Alarms: alarms, Also: others})
	if err != nil {
		st.Close()
		closeOthers()
		return nil, nil, err
	}
	return ar, func() {
		ar.Close()
		closeKeys()
		st.Close()
		closeOthers()
	}, nil
}

// openWithKeys opens an archive, with its keys if it is encrypted. One that is not must not be in the place of one that is.
func (a *app) openWithKeys(ctx context.Context, st storage.Storage, o archive.Options) (ar *archive.Archive, closeKeys func(), err error) {
	closeKeys = func() {}
	var known *seal.Keys
	o.Unlock = func(ctx context.Context, st storage.Storage, head format.ArchiveHead) (keys *seal.Keys, err error) {
		a.sealed = true
		if known != nil && known.Public().SameKey(head.KeyFingerprint) { // an archive that is damaged may ask twice
			return known, nil
		}
		keys, close, err := a.keys(ctx, st, head)
		if err == nil {
			known, closeKeys = keys, close
		}
		return keys, err
	}
	if ar, err = archive.Open(ctx, st, o); err != nil {
		closeKeys()
		return nil, nil, err
	}
	if a.sealed {
		return ar, closeKeys, nil
	}
	head := ar.Head()
	if err = a.unlocker().Check(&head, absolute(a.place), a.raiser()); err != nil {
		ar.Close()
	}
	return ar, closeKeys, err
}

// alsoFlag adds --also.
func (a *app) alsoFlag(c *cobra.Command) {
	c.Flags().StringArrayVar(&a.also, "also", nil, "take what is damaged and can't be rebuilt from the same bands of the archive `OTHER`")
}

// openOthers opens the archives that damaged objects are taken from.
func (a *app) openOthers(ctx context.Context, words []string) (others []archive.Other, closeAll func(), err error) {
	var open []io.Closer
	closeAll = func() {
		for _, c := range open {
			c.Close()
		}
	}
	for _, word := range words {
		st, err := a.openPlace(ctx, word)
		if err != nil {
			closeAll()
			return nil, nil, err
		}
		open = append(open, st)
		others = append(others, archive.Other{Name: word, Storage: st})
	}
	return others, closeAll, nil
}

// openBand opens the archive and the band of it that --band names.
func (a *app) openBand(ctx context.Context, place string) (*archive.Archive, *archive.Band, func(), error) {
	ar, closeArchive, err := a.open(ctx, place)
	if err != nil {
		return nil, nil, nil, err
	}
	state, err := ar.FindBand(ctx, a.spec)
	if err == nil {
		var b *archive.Band
		if b, err = ar.OpenBand(ctx, state); err == nil {
			return ar, b, closeArchive, nil
		}
	}
	closeArchive()
	return nil, nil, nil, err
}

// bandPath is the path in a band that a word of the command line means: cleaned, and without the leading slash.
func bandPath(word string) format.Path {
	return format.Path(strings.TrimPrefix(path.Clean("/"+word), "/"))
}

func bandPaths(words []string) []format.Path {
	var paths []format.Path
	for _, word := range words {
		paths = append(paths, bandPath(word))
	}
	return paths
}
