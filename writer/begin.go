package writer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"time"

	"dura/archive"
	"dura/archive/format"
	"dura/archive/seal"
	"dura/archive/storage"
	"dura/writer/plan"
)

// beginning is what a run sets out from.
type beginning struct {
	bands    []archive.BandState // that there were
	band     format.BandID
	head     []byte            // as stored
	stored   bool              // it is in storage already
	parent   *archive.Band     // nil: there is none, or it can't be read
	parentID format.BandID     // "": there is none
	since    time.Time         // when the parent was begun
	progress *archive.Progress // of an earlier run; nil: the band is new
}

// begin decides whether to go on with an incomplete band or to make a new one, and finds its parent: the latest complete band of the
// same host and sources, unless the options name another.
func begin(ctx context.Context, a *archive.Archive, o Options) (*beginning, error) {
	bands, err := a.Bands(ctx)
	if err != nil {
		return nil, err
	}
	b := &beginning{bands: bands, parentID: o.Parent}
	for _, s := range slices.Backward(bands) {
		if s.Deleted || !s.HasHead || !a.CanOpen(s.ID) {
			continue
		}
		if s.Complete && b.parentID != "" {
			break
		}
		head, text, err := a.BandHead(ctx, s.ID)
		if err := passing(ctx, err); err != nil {
			return nil, err
		}
		if locked := (*seal.LockedError)(nil); errors.As(err, &locked) { // not what this machine has stored there
			if err := o.Alarms.Raise(archive.AlarmOf(err)); err != nil {
				return nil, err
			}
		}
		if err != nil || !o.sameSource(&head) {
			continue // who is damaged here is told of by verify
		}
		if s.Complete {
			b.parentID = s.ID
			break
		}
		if o.Fresh || !o.continues(&head) {
			continue
		}
		ok, err := b.goOn(ctx, a, &head, text)
		if err != nil {
			return nil, err
		}
		if ok {
			return b, b.openParent(ctx, a, o)
		}
	}
	if err := b.newBand(a, o, bands); err != nil {
		return nil, err
	}
	return b, b.openParent(ctx, a, o)
}

// sameSource reports whether a band was made of what is backed up now.
func (o *Options) sameSource(h *format.Head) bool {
	return h.Host == validText(o.Host) && slices.Equal(h.Sources, o.Sources)
}

// continues reports whether a band with this head can be gone on with. Sources with relative names may be others by now.
func (o *Options) continues(h *format.Head) bool {
	return h.Settings == o.Settings && slices.Equal(h.Exclusions, o.Exclusions) && (o.Parent == "" || o.Parent == h.Parent) &&
		!slices.ContainsFunc(h.Sources, func(s string) bool { return !filepath.IsAbs(s) })
}

// passing is err if it says nothing of what is stored: it is that of the context, or of a storage that can't be had now. What was
// passed over for it would be stored again.
func passing(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case storage.Is(err, storage.KindUnavailable):
		return err
	}
	return nil
}

// goOn takes up an incomplete band, unless that can't be done. What was listed of it may not be durable yet, and is to be built on.
func (b *beginning) goOn(ctx context.Context, a *archive.Archive, h *format.Head, text []byte) (bool, error) {
	progress, err := a.OpenProgress(ctx, h.Band)
	if err != nil {
		return false, passing(ctx, err)
	}
	if err := storage.Settle(ctx, a.Storage(), format.BandsPrefix+string(h.Band)); err != nil {
		return false, err
	}
	b.band, b.head, b.stored, b.parentID, b.progress = h.Band, text, true, h.Parent, progress
	return true, nil
}

// newBand makes up an id behind that of every band there is, even if the clock was set back: ids are how bands are ordered.
func (b *beginning) newBand(a *archive.Archive, o Options, bands []archive.BandState) error {
	var random [3]byte
	if _, err := io.ReadFull(o.Random, random[:]); err != nil {
		return fmt.Errorf("random bytes for the band's id: %w", err)
	}
	now := o.Now().UTC()
	named := now
	if len(bands) > 0 {
		if next := bands[len(bands)-1].ID.Time().Add(time.Second); named.Before(next) {
			named = next
		}
	}
	b.band = format.NewBandID(named, random)
	text := format.EncodeHead(format.Head{
		Archive: a.Head().ID, Band: b.band, Started: now, Host: validText(o.Host), Program: validText(o.Program),
		Sources: o.Sources, Parent: b.parentID, Settings: o.Settings, Exclusions: o.Exclusions,
	})
	var err error
	b.head, err = sealed(a, format.HeadName(b.band), text)
	return err
}

// openParent opens the parent. One that can't be opened is an alarm, and everything is read.
func (b *beginning) openParent(ctx context.Context, a *archive.Archive, o Options) error {
	if b.parentID == "" {
		return nil
	}
	state := archive.BandState{ID: b.parentID, HasHead: true, Complete: true}
	for _, s := range b.bands {
		if s.ID == b.parentID {
			state.Rebuilt = s.Rebuilt
		}
	}
	parent, err := a.OpenBand(ctx, state)
	var head format.Head
	if err == nil {
		head, err = parent.Head(ctx)
	}
	if err == nil {
		b.parent, b.since = parent, head.Started
		return nil
	}
	if err := passing(ctx, err); err != nil {
		return err
	}
	b.since = b.parentID.Time()
	return o.Alarms.Raise(archive.AlarmOf(err))
}

// trust is what is proof of a file being unchanged: nothing that changed after the parent was begun, or so shortly before that the
// clock of its file system may not tell.
func (b *beginning) trust(o Options) plan.Trust {
	const coarsest = 2 * time.Second
	t := o.Trust
	t.Before = format.TimeOf(b.since.Add(-coarsest))
	return t
}
