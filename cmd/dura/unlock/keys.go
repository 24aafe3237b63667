package unlock

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/format"
	"dura/archive/seal"
	"dura/archive/seal/own"
	"dura/archive/storage"
)

// public reads an archive's public key, which must be the one that its head names.
func public(ctx context.Context, st storage.Storage, head *format.ArchiveHead) (*seal.PublicKey, error) {
	armored, err := st.Read(ctx, format.PublicKeyName, 0, maxSealedBytes)
	kind := archive.KindMissing
	if err != nil && !storage.Is(err, storage.KindNotFound) {
		return nil, err
	}
	var key *seal.PublicKey
	if err == nil {
		kind = archive.KindCorrupt
		key, err = seal.ParsePublic(armored)
	}
	if err == nil && !key.SameKey(head.KeyFingerprint) {
		kind = archive.KindMismatch
		err = &format.CorruptError{What: "key", Reason: "it is not the one that DURA-ARCHIVE names, " + head.KeyFingerprint}
	}
	if err != nil {
		return nil, &archive.Error{Op: "open the archive", Object: format.PublicKeyName, Kind: kind, Err: err}
	}
	return key, nil
}

// Reader gives the keys to read an archive.
func (h *Host) Reader(ctx context.Context, st storage.Storage, head format.ArchiveHead, place string, alarms alarm.Raiser) (*seal.Keys, error) {
	secret, err := h.ReadSecret(ctx, st, head, place, alarms)
	if err != nil {
		return nil, err
	}
	return Reading(secret), nil
}

// ReadSecret opens an archive's secret key, having compared the archive with what this machine knows.
func (h *Host) ReadSecret(
	ctx context.Context, st storage.Storage, head format.ArchiveHead, place string, alarms alarm.Raiser,
) (*seal.SecretKey, error) {
	if err := h.Check(&head, place, alarms); err != nil {
		return nil, err
	}
	secret, err := h.Secret(ctx, st, head.KeyFingerprint)
	if err != nil {
		return nil, err
	}
	_ = h.remember(&head, place, func(*known) {}) // who only reads may have nowhere to write
	return secret, nil
}

// Reading gives the keys to read an archive with.
func Reading(secret *seal.SecretKey) *seal.Keys {
	harden()
	return seal.NewKeys(seal.KeysOptions{Public: &secret.PublicKey, Secret: secret})
}

// Locked gives keys that open nothing, for what can be done without, having compared the archive with what this machine knows.
func (h *Host) Locked(ctx context.Context, st storage.Storage, head format.ArchiveHead, place string, alarms alarm.Raiser) (*seal.Keys, error) {
	if err := h.Check(&head, place, alarms); err != nil {
		return nil, err
	}
	return h.Without(ctx, st, head, alarms)
}

// Without gives keys that open nothing. That the public key is not what it should be is an alarm.
func (h *Host) Without(ctx context.Context, st storage.Storage, head format.ArchiveHead, alarms alarm.Raiser) (*seal.Keys, error) {
	key, err := public(ctx, st, &head)
	if damage := (*archive.Error)(nil); errors.As(err, &damage) {
		err = alarms.Raise(archive.AlarmOf(damage))
	}
	return seal.NewKeys(seal.KeysOptions{Public: key, Random: h.Random}), err
}

// Repairer gives the keys to read an archive and to store again what can be made anew. Of bands that this machine has keys of it keeps those of
// what is new there, so that it knows them as its own. Close ends their use.
func (h *Host) Repairer(
	ctx context.Context, st storage.Storage, head format.ArchiveHead, place string, alarms alarm.Raiser,
) (keys *seal.Keys, close func(), err error) {
	close = func() {}
	secret, err := h.ReadSecret(ctx, st, head, place, alarms)
	if err != nil {
		return nil, close, err
	}
	harden()
	o := seal.KeysOptions{Public: &secret.PublicKey, Secret: secret, Random: h.Random}
	if _, err := os.Stat(h.ownDir(&head)); h.CacheDir != "" && err == nil {
		mine, err := h.openOwn(&head, alarms)
		if err != nil {
			return nil, close, err
		}
		if mine != nil {
			o.Own, close = ofOwnBands{mine}, func() { mine.Close() }
		}
	}
	return seal.NewKeys(o), close, nil
}

// ofOwnBands keeps keys of bands that there are keys of: one key of a band says that this machine wrote it.
type ofOwnBands struct{ *own.Keys }

func (o ofOwnBands) Keep(name string, id seal.HeaderID, key format.SessionKey) error {
	if band, _, _, err := format.ParseObjectName(name); err != nil || !o.Has(band) {
		return err
	}
	return o.Keys.Keep(name, id, key)
}

// ownDir is where the session keys of what this machine wrote are.
func (h *Host) ownDir(head *format.ArchiveHead) string {
	return filepath.Join(h.CacheDir, head.ID, "sealed")
}

// Writer gives the keys to write to an archive: the public one, and those of what this machine wrote before. Where it has none of those, and
// bands are there, it tries to open the archive, and does without if it can't. Close ends their use.
func (h *Host) Writer(
	ctx context.Context, st storage.Storage, head format.ArchiveHead, place string, alarms alarm.Raiser,
) (keys *seal.Keys, close func(), err error) {
	harden()
	if err := h.Check(&head, place, alarms); err != nil {
		return nil, nil, err
	}
	key, err := public(ctx, st, &head)
	if damage := (*archive.Error)(nil); errors.As(err, &damage) {
		err = problem("key_damaged", err, msgPublicKey, format.PublicKeyName, h.Shown, damage.Err)
	}
	if err != nil {
		return nil, nil, err
	}
	o := seal.KeysOptions{Public: key, Random: h.Random}
	mine, err := h.openOwn(&head, alarms)
	if err != nil {
		return nil, nil, err
	}
	close = func() {}
	if mine != nil {
		o.Own, close = mine, func() { mine.Close() }
	}
	if o.Secret, o.Missing, err = h.secretToWrite(ctx, st, &head, mine, alarms); err == nil {
		o.Chunker, err = h.chunkerToWrite(&head, o.Secret, place, alarms)
	}
	if err != nil {
		close()
		return nil, nil, err
	}
	return seal.NewKeys(o), close, nil
}

// openOwn opens the session keys that this machine keeps; nil where there can be none.
func (h *Host) openOwn(head *format.ArchiveHead, alarms alarm.Raiser) (*own.Keys, error) {
	if h.CacheDir == "" {
		return nil, nil
	}
	dir := h.ownDir(head)
	told := func(err error) error {
		return alarms.Raise(alarm.Alarm{Area: alarm.Machine, Condition: alarm.IOError, Filename: dir, Err: err, Message: fmt.Sprintf(msgNotKept, err)})
	}
	mine, err := own.Open(dir, func(err error) { _ = told(err) })
	if err != nil {
		return nil, told(err)
	}
	return mine, nil
}

// secretToWrite opens the archive if this machine has no key of any of its bands, and can open it without more ado.
func (h *Host) secretToWrite(
	ctx context.Context, st storage.Storage, head *format.ArchiveHead, mine *own.Keys, alarms alarm.Raiser,
) (secret *seal.SecretKey, missing, err error) {
	bands, err := bandsIn(ctx, st)
	if err != nil {
		return nil, nil, err
	}
	if err := forgetGone(mine, bands, alarms); err != nil {
		return nil, nil, err
	}
	if len(bands) == 0 || mine != nil && slices.ContainsFunc(bands, mine.Has) {
		return nil, nil, nil
	}
	secret, missing = h.Secret(ctx, st, head.KeyFingerprint)
	if ctx.Err() != nil {
		return nil, nil, ctx.Err()
	}
	if k, _ := h.readKnown(head.ID); missing != nil && k.Wrote {
		err = alarms.Raise(alarm.Alarm{
			Area: alarm.Machine, Condition: alarm.Missing, Filename: h.CacheDir, Message: fmt.Sprintf(msgKeysLost, h.CacheDir),
		})
	}
	return secret, missing, err
}

// forgetGone tells of bands that this machine wrote and that are gone, without a trace of being given up, and forgets them.
func forgetGone(mine *own.Keys, bands []format.BandID, alarms alarm.Raiser) error {
	if mine == nil {
		return nil
	}
	written, err := mine.Bands()
	if err != nil {
		return nil // as if there were none
	}
	for _, band := range written {
		if slices.Contains(bands, band) {
			continue
		}
		err := alarms.Raise(alarm.Alarm{Area: alarm.Band, Condition: alarm.Missing, Filename: format.HeadName(band), Message: msgBandGone})
		if err != nil {
			return err
		}
		_ = mine.Forget(band) // what stays does no harm
	}
	return nil
}

// bandsIn are the bands that anything is left of.
func bandsIn(ctx context.Context, st storage.Storage) ([]format.BandID, error) {
	var bands []format.BandID
	for info, err := range st.List(ctx, format.BandsPrefix, storage.Shallow) {
		if err != nil {
			return nil, err
		}
		band, kind, _, err := format.ParseObjectName(strings.TrimSuffix(info.Name, format.SealedSuffix))
		if err == nil && kind != format.OtherObject && !slices.Contains(bands, band) {
			bands = append(bands, band)
		}
	}
	return bands, nil
}

// chunkerToWrite is what content is cut by, which is kept for the next time, as is that this machine writes to the archive.
func (h *Host) chunkerToWrite(head *format.ArchiveHead, secret *seal.SecretKey, place string, alarms alarm.Raiser) (key [32]byte, err error) {
	if secret != nil {
		key = secret.ChunkerKey()
	} else if key, err = h.chunkerKey(head.ID); err != nil {
		return key, err
	}
	err = h.remember(head, place, func(k *known) {
		k.Fingerprint, k.Chunker, k.Wrote = head.KeyFingerprint, hex.EncodeToString(key[:]), true // a change was told of, and accepted
	})
	if err != nil {
		err = alarms.Raise(alarm.Alarm{
			Area: alarm.Machine, Condition: alarm.IOError, Filename: h.knownFile(head.ID), Err: err, Message: fmt.Sprintf(msgNotKnown, err),
		})
	}
	return key, err
}

// Made remembers an archive that this machine has made.
func (h *Host) Made(head *format.ArchiveHead, secret *seal.SecretKey, place string) error {
	h.Forget(place)
	return h.remember(head, place, func(k *known) {
		key := secret.ChunkerKey()
		k.Chunker = hex.EncodeToString(key[:])
	})
}
