package main

import (
	"context"
	"errors"
	"path/filepath"

	"dura/archive/alarm"
	"dura/archive/format"
	"dura/archive/seal"
	"dura/archive/storage"
	"dura/archive/storage/cloud"
	"dura/cmd/dura/unlock"
)

// access is what a command wants of an archive that is encrypted.
type access int

const (
	accessRead   access = iota // its secret key
	accessWrite                // its public key
	accessNames                // none
	accessStored               // its secret key, if that can be had without asking
	accessRepair               // its secret key, if that can be had
)

// unlocker is how this run comes by keys.
func (a *app) unlocker() *unlock.Host {
	h := &unlock.Host{Getenv: a.host.getenv, Random: a.host.random, Now: a.host.now, Shown: a.place, StateDir: a.stateDir(), CacheDir: a.cacheDir()}
	if ask := unlock.Terminal(a.host.stdin, a.host.stderr, a.console.ask, a.console.answered); !a.onlyEvents {
		h.Ask = ask
	}
	return h
}

// keys gives the keys of an archive that is encrypted, for what the command wants of it.
func (a *app) keys(ctx context.Context, st storage.Storage, head format.ArchiveHead) (keys *seal.Keys, close func(), err error) {
	h, place := a.unlocker(), absolute(a.place)
	close = func() {}
	switch a.access {
	case accessWrite:
		return h.Writer(ctx, st, head, place, a.raiser())
	case accessNames:
		keys, err = h.Locked(ctx, st, head, place, a.raiser())
	case accessStored:
		h.Ask = nil
		keys, err = h.Reader(ctx, st, head, place, a.raiser())
	case accessRepair:
		keys, close, err = h.Repairer(ctx, st, head, place, a.raiser())
	default:
		keys, err = h.Reader(ctx, st, head, place, a.raiser())
	}
	if locked := (*unlock.Error)(nil); errors.As(err, &locked) && (a.access == accessStored || a.access == accessRepair) {
		keys, err = h.Without(ctx, st, head, a.raiser())
	}
	return keys, close, err
}

// raiser takes alarms; of a command that has none nobody hears.
func (a *app) raiser() alarm.Raiser {
	switch {
	case a.opening != nil:
		return a.opening
	case a.alarms == nil:
		return silent{}
	}
	return a.alarms
}

// absolute is a place as every run of this machine names it.
func absolute(place string) string {
	if cloud.IsPlace(place) {
		return place
	}
	if path, err := filepath.Abs(place); err == nil {
		return path
	}
	return place
}
