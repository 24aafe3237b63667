package archive

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"dura/archive/alarm"
	"dura/archive/format"
	"dura/archive/seal"
	"dura/archive/storage"
)

// openLost opens an archive whose DURA-ARCHIVE is missing or damaged, as damage says: by a repaired copy, or by what the heads of its
// bands say. Without any of these the error is damage. That it is encrypted, and its id, the archive's key says.
func openLost(ctx context.Context, st storage.Storage, o Options, damage error) (*Archive, error) {
	if head, ok, err := repairedArchiveHead(ctx, st); ok || err != nil {
		if err != nil {
			return nil, err
		}
		return openUnlocked(ctx, st, head, o)
	}
	known, from, err := headOfKey(ctx, st, o.Also)
	if err != nil {
		return nil, err
	}
	if from == "" {
		known.Settings = format.DefaultSettings()
	}
	a, err := openUnlocked(ctx, st, known, o)
	if err != nil {
		return nil, err
	}
	head, of, err := a.headOfBands(ctx)
	if err == nil && of == "" {
		head, of, err = headOfOthers(ctx, o.Also, known.KeyFingerprint)
	}
	if err == nil && of != "" && head.Sealed() && a.keys == nil { // and nothing here is left that says so
		a.Close()
		if a, err = openUnlocked(ctx, st, head, o); err != nil {
			return nil, err
		}
	}
	if err == nil && of == "" && !errors.Is(damage, errSettings) {
		head, of, err = a.headOfNothing(ctx)
	}
	if err == nil && of != "" {
		a.head, from = head, of
	}
	if err == nil && from == "" {
		err = damage
	}
	if err == nil {
		err = a.tellLost(damage, from)
	}
	if err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

// tellLost raises the alarm for a DURA-ARCHIVE whose content was taken from elsewhere.
func (a *Archive) tellLost(damage error, from string) error {
	if a.alarms == nil {
		return nil
	}
	lost := AlarmOf(damage)
	lost.Area, lost.Filename = alarm.Archive, format.ArchiveName
	lost.Message = "what it said was taken from " + from
	return a.alarms.Raise(lost)
}

// headOfKey is what keys/ tells of DURA-ARCHIVE, settings aside, and the name of what tells it: of an archive that is not encrypted nothing.
// Where it is encrypted, and its public key is lost, too, only another archive of the same bands can tell.
func headOfKey(ctx context.Context, st storage.Storage, others []Other) (head format.ArchiveHead, from string, err error) {
	armored, err := readText(ctx, st, format.PublicKeyName)
	if err == nil {
		var key *seal.PublicKey
		if key, err = seal.ParsePublic(armored); err == nil {
			head.ID, head.Created, err = key.Archive()
			head.KeyFingerprint = key.Fingerprint()
		}
	}
	if err == nil {
		return head, format.PublicKeyName, nil
	}
	damage := objectError(opOpen, "", format.PublicKeyName, err)
	if !mendable(damage) {
		return head, "", damage
	}
	is, err := hasKeys(ctx, st)
	if err != nil || !is {
		return head, "", err
	}
	if head, from, err := headOfOthers(ctx, others, ""); err != nil || head.Sealed() {
		return head, from, err
	}
	return head, "", &Error{Op: opOpen, Object: format.PublicKeyName, Kind: kindOf(damage), Err: errKeyLost}
}

var errKeyLost = errors.New("DURA-ARCHIVE is lost, and so is the archive's public key: put one of them back from a copy")

// hasKeys reports whether there is anything in keys/, which archives that are encrypted have.
func hasKeys(ctx context.Context, st storage.Storage) (bool, error) {
	for _, err := range storage.Names(ctx, st, format.KeysPrefix, storage.Shallow) {
		return err == nil, objectError(opOpen, "", format.KeysPrefix, err)
	}
	return false, nil
}

// openPartly opens an archive whose DURA-ARCHIVE lacks settings, which the heads of bands may have.
func openPartly(ctx context.Context, st storage.Storage, head format.ArchiveHead, o Options) (*Archive, error) {
	damage := &Error{Op: opOpen, Object: format.ArchiveName, Kind: KindCorrupt, Err: errSettings}
	a, err := openLost(ctx, st, o, damage)
	if err == error(damage) { // and not an alarm that ends the run
		return openUnlocked(ctx, st, head, o) // reading needs no settings
	}
	return a, err
}

var errSettings = &format.CorruptError{What: "archive head", Reason: "settings are missing"}

// headOfBands is DURA-ARCHIVE as the latest head that can be read has it, and the name of that. The time is when the first band was begun, or
// the archive's key was made, which says the id, too.
func (a *Archive) headOfBands(ctx context.Context) (head format.ArchiveHead, from string, err error) {
	bands, err := a.Bands(ctx)
	if err != nil {
		return head, "", err
	}
	for _, s := range slices.Backward(bands) {
		of, _, err := a.BandHead(ctx, s.ID)
		if err != nil {
			if ctx.Err() != nil || storage.Is(err, storage.KindUnavailable) {
				return head, "", err
			}
			continue
		}
		head = format.ArchiveHead{ID: of.Archive, Created: bands[0].ID.Time(), Settings: of.Settings}
		if a.head.Sealed() {
			head = a.head
			head.Settings = of.Settings
		}
		if _, err := format.DecodeArchiveHead(format.EncodeArchiveHead(head)); err == nil {
			return head, format.HeadName(s.ID), nil
		}
	}
	return head, "", nil
}

// headOfOthers is DURA-ARCHIVE of another archive of the same bands, with the same key if that is known.
func headOfOthers(ctx context.Context, others []Other, fingerprint string) (head format.ArchiveHead, from string, err error) {
	for _, o := range others {
		text, err := readText(ctx, o.Storage, format.ArchiveName)
		if err == nil {
			if head, err = format.DecodeArchiveHead(text); err == nil && (fingerprint == "" || head.KeyFingerprint == fingerprint) {
				return head, o.Name, nil
			}
		}
		if ctx.Err() != nil {
			return head, "", context.Cause(ctx)
		}
	}
	return format.ArchiveHead{}, "", nil
}

// repairedArchiveHead is the last repaired copy of DURA-ARCHIVE.
func repairedArchiveHead(ctx context.Context, st storage.Storage) (head format.ArchiveHead, ok bool, err error) {
	for info, err := range st.List(ctx, format.RepairedArchivePrefix, storage.Deep) {
		if err != nil {
			return head, ok, objectError(opOpen, "", format.RepairedArchivePrefix, err)
		}
		if !strings.HasSuffix(info.Name, "/dura-archive") {
			continue
		}
		text, err := readText(ctx, st, info.Name)
		if err == nil {
			var h format.ArchiveHead
			if h, err = format.DecodeArchiveHead(text); err == nil {
				head, ok = h, true
			}
		}
		if ctx.Err() != nil {
			return head, false, context.Cause(ctx)
		}
	}
	return head, ok, nil
}

// headOfNothing is DURA-ARCHIVE of an archive of which no head is left. Its settings are the defaults. Its id is made of that of its first band, so
// that it is the same whenever it is asked for; where the archive is encrypted its key has said the id, and whoever can't open heads does
// not know that there is none. Where there is no band with anything more than its name, there is no DURA-ARCHIVE either.
func (a *Archive) headOfNothing(ctx context.Context) (head format.ArchiveHead, from string, err error) {
	bands, err := a.Bands(ctx)
	if err != nil || !slices.ContainsFunc(bands, func(s BandState) bool { return s.Complete && !s.Deleted }) {
		return head, "", err
	}
	if a.head.Sealed() {
		if a.head.Settings.AreWhole() || !a.keys.Unlocked() {
			return head, "", nil
		}
		head = a.head
		head.Settings = format.DefaultSettings()
		return head, format.PublicKeyName, nil
	}
	for name, err := range storage.Names(ctx, a.storage, format.BandsPrefix, storage.Deep) {
		if err != nil || strings.HasSuffix(name, format.SealedSuffix) {
			return head, "", objectError(opOpen, "", format.BandsPrefix, err)
		}
	}
	sum := format.SumBytes([]byte("dura archive " + string(bands[0].ID)))
	head = format.ArchiveHead{ID: hex.EncodeToString(sum[:16]), Created: bands[0].ID.Time(), Settings: format.DefaultSettings()}
	return head, "the names of bands", nil
}
