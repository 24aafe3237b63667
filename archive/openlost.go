package archive

import (
	"context"
	"slices"
	"strings"

	"dura/archive/alarm"
	"dura/archive/format"
	"dura/archive/storage"
)

// openLost opens an archive whose DURA-ARCHIVE is missing or damaged, as damage says: by a repaired copy, or by what the heads of its
// bands say. Without any of these the error is damage.
func openLost(ctx context.Context, st storage.Storage, o Options, damage error) (*Archive, error) {
	if head, ok, err := repairedArchiveHead(ctx, st); ok || err != nil {
		if err != nil {
			return nil, err
		}
		return newArchive(st, head, o)
	}
	a, err := newArchive(st, format.ArchiveHead{Settings: format.DefaultSettings()}, o)
	if err != nil {
		return nil, err
	}
	head, from, err := a.headOfBands(ctx)
	if err == nil && from == "" {
		head, from, err = headOfOthers(ctx, o.Also)
	}
	if err != nil || from == "" {
		a.Close()
		if err == nil {
			err = damage
		}
		return nil, err
	}
	a.head = head
	if o.Alarms == nil {
		return a, nil
	}
	lost := AlarmOf(damage)
	lost.Area, lost.Filename = alarm.Archive, format.ArchiveName
	lost.Message = "what it said was taken from " + from
	if err := o.Alarms.Raise(lost); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

// openPartly opens an archive whose DURA-ARCHIVE lacks settings, which the heads of bands may have.
func openPartly(ctx context.Context, st storage.Storage, head format.ArchiveHead, o Options) (*Archive, error) {
	damage := &Error{Op: opOpen, Object: format.ArchiveName, Kind: KindCorrupt, Err: errSettings}
	a, err := openLost(ctx, st, o, damage)
	if err == error(damage) { // and not an alarm that ends the run
		return newArchive(st, head, o) // reading needs no settings
	}
	return a, err
}

var errSettings = &format.CorruptError{What: "archive head", Reason: "settings are missing"}

// headOfBands is DURA-ARCHIVE as the latest head that can be read has it, and the name of that. The time is when the first band was begun.
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
		if _, err := format.DecodeArchiveHead(format.EncodeArchiveHead(head)); err == nil {
			return head, format.HeadName(s.ID), nil
		}
	}
	return head, "", nil
}

// headOfOthers is DURA-ARCHIVE of another archive of the same bands.
func headOfOthers(ctx context.Context, others []Other) (head format.ArchiveHead, from string, err error) {
	for _, o := range others {
		text, err := readText(ctx, o.Storage, format.ArchiveName)
		if err == nil {
			if head, err = format.DecodeArchiveHead(text); err == nil {
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
