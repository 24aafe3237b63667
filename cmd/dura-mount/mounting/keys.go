package mounting

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/format"
	"dura/archive/seal"
	"dura/archive/storage"
	"dura/archive/storage/bounded"
	"dura/archive/storage/cloud"
	"dura/cmd/dura/state"
	"dura/cmd/dura/unlock"
)

// keyFD is where a server in the background reads the archive's secret key. Whoever waits for it has the terminal, if there is one, and so
// opens the archive in its stead.
const keyFD = 4

const maxKeyBytes = 1 << 20

func (s *settings) unlocker(h Host) *unlock.Host {
	return &unlock.Host{
		Getenv: h.Getenv, Random: rand.Reader, Now: h.Now, Shown: shown(s.archive), StateDir: state.Dir(h.Getenv), Ask: h.Ask,
	}
}

// secret opens the archive's secret key here.
func (s *settings) secret(ctx context.Context, h Host, st storage.Storage, head format.ArchiveHead, alarms alarm.Raiser) (*seal.SecretKey, error) {
	s.asking.Store(true)
	defer s.asking.Store(false)
	if s.askParent != nil {
		return s.askParent(ctx)
	}
	return s.unlocker(h).ReadSecret(ctx, st, head, s.place(), alarms)
}

// keys gives the keys of an archive that is encrypted. An archive that is damaged may ask twice; the user is asked once.
func (s *settings) keys(h Host, alarms alarm.Raiser) func(context.Context, storage.Storage, format.ArchiveHead) (*seal.Keys, error) {
	var secret *seal.SecretKey
	return func(ctx context.Context, st storage.Storage, head format.ArchiveHead) (keys *seal.Keys, err error) {
		if secret == nil || !secret.SameKey(head.KeyFingerprint) {
			if secret, err = s.secret(ctx, h, st, head, alarms); err != nil {
				return nil, err
			}
		}
		return unlock.Reading(secret), nil
	}
}

// checkKnown raises an alarm where an archive that is not encrypted is in the place of one that is.
func (s *settings) checkKnown(h Host, a *archive.Archive, alarms alarm.Raiser) error {
	head := a.Head()
	if head.Sealed() {
		return nil
	}
	return s.unlocker(h).Check(&head, s.place(), alarms)
}

func (s *settings) place() string {
	if path, err := filepath.Abs(s.archive); err == nil && !cloud.IsPlace(s.archive) {
		return path
	}
	return s.archive
}

// fromParent asks whoever waits for the archive's secret key.
func fromParent(pipe *os.File) func(context.Context) (*seal.SecretKey, error) {
	key := os.NewFile(keyFD, "key")
	return func(ctx context.Context) (*seal.SecretKey, error) {
		defer key.Close()
		send(pipe, message{Locked: true})
		stop := context.AfterFunc(ctx, func() { key.SetReadDeadline(time.Now()) })
		defer stop()
		armored, err := io.ReadAll(io.LimitReader(key, maxKeyBytes))
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err == nil && len(armored) == 0:
			err = failure("locked", msgNoKeyCame, shown(os.Args[0]))
		}
		if err != nil {
			return nil, err
		}
		return seal.ParseSecret(armored)
	}
}

// answer opens the archive for a server in the background, and writes its secret key to the pipe.
func (s *settings) answer(ctx context.Context, h Host, alarms *alarms, pipe io.WriteCloser) error {
	defer pipe.Close()
	inner, err := h.openPlace(ctx, s.archive)
	if err != nil {
		return s.explained(err)
	}
	defer inner.Close()
	others, closeOthers, err := s.openOthers(ctx, h)
	if err != nil {
		return s.explained(err)
	}
	defer closeOthers()
	st := bounded.New(inner, bounded.Options{Timeout: s.storageTimeout()})
	var secret *seal.SecretKey
	a, err := archive.Open(ctx, st, archive.Options{
		Also: others,
		Unlock: func(ctx context.Context, st storage.Storage, head format.ArchiveHead) (*seal.Keys, error) {
			if secret, err = s.secret(ctx, h, st, head, alarms); err != nil {
				return nil, err
			}
			return unlock.Reading(secret), nil
		},
	})
	if err != nil {
		return s.explained(err)
	}
	a.Close()
	if secret == nil {
		return s.explained(errors.New("the archive is not what it was a moment ago"))
	}
	armored, err := secret.SecretArmored()
	if err == nil {
		_, err = pipe.Write(armored)
	}
	if err != nil {
		return failure("system", msgBackgroundStart, err)
	}
	return nil
}
