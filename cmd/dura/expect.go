package main

import (
	"context"
	"slices"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/event"
	"dura/writer/source"
)

// lastTotals is what the latest complete band of the same trees has, as what to expect of this one. It is for the eye alone: nothing
// is looked up where no progress is shown, and nothing is said of what can't be read.
func (a *app) lastTotals(ctx context.Context, ar *archive.Archive, host string, paths []string) event.Totals {
	if !a.isFollowed() {
		return event.Totals{}
	}
	state, err := ar.FindBand(ctx, "")
	if err != nil {
		return event.Totals{}
	}
	band, err := ar.OpenBand(ctx, state)
	if err != nil {
		return event.Totals{}
	}
	if head, err := band.Head(ctx); err != nil || head.Host != host || !slices.Equal(head.Sources, paths) {
		return event.Totals{}
	}
	return expectedOf(band, nil)
}

// countAhead counts the source while it is backed up, to tell how far that is. It is for the eye alone, as lastTotals is. The end that
// it returns ends both.
func (a *app) countAhead(ctx context.Context, paths []string, o source.Options, p *progress, end func()) func() {
	o.Alarms, o.Skipped = silent{}, nil
	src, err := source.Local(paths, o)
	if err != nil || !a.isFollowed() {
		return end
	}
	ctx, cancel := context.WithCancel(ctx)
	counted := make(chan struct{})
	go func() {
		defer close(counted)
		if all, err := count(ctx, src, nil); err == nil {
			p.expect(all)
		}
	}()
	return func() {
		cancel()
		<-counted
		end()
	}
}

// silent goes on whatever comes up.
type silent struct{}

func (silent) Raise(alarm.Alarm) error { return nil }
