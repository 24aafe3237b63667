package compare

import (
	"context"

	"golang.org/x/sync/errgroup"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/format"
	"dura/archive/storage"
	"dura/archive/summaries"
)

// Kept compares bands of an archive with what the machine that wrote them has kept. One that is gone without having been given up, or that has
// another tail or a rebuilt index, is an alarm of area band. A damaged tail of which there is a repaired copy is the one that it was.
//
// An error means that the comparison ended early: by an alarm, the end of ctx, or since storage fails; or it is ErrNothingInCommon, where nothing
// was kept.
func Kept(ctx context.Context, a *archive.Archive, l summaries.List, o Options) (Result, error) {
	r := newRun([2]*archive.Archive{a}, o)
	states, err := a.Bands(ctx)
	if err != nil {
		return r.result, err
	}
	is := map[format.BandID]archive.BandState{}
	for _, s := range states {
		is[s.ID] = s
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(r.o.Workers)
	for _, kept := range l.Bands {
		if o.Only == "" || kept.Band == o.Only {
			g.Go(func() error {
				state, there := is[kept.Band]
				return r.kept(gctx, kept, state, there)
			})
		}
	}
	if err := g.Wait(); err != nil {
		return r.result, err
	}
	if r.result.Bands+r.result.GivenUp == 0 {
		return r.result, ErrNothingInCommon
	}
	return r.result, nil
}

// kept compares one band.
func (r *run) kept(ctx context.Context, kept summaries.Summary, state archive.BandState, there bool) error {
	if state.Deleted {
		r.count(func(res *Result) { res.GivenUp++ })
		return nil
	}
	r.count(func(res *Result) { res.Bands++ })
	if !there {
		return r.differ(alarm.Band, alarm.Missing, format.BandsPrefix+string(kept.Band),
			"this machine wrote the band, with %d entries and %d bytes of content, and nobody has given it up", kept.Totals.Entries, kept.Totals.ContentBytes)
	}
	name := format.TailName(kept.Band)
	if state.Rebuilt > 0 {
		if is, err := r.isRebuilt(ctx, kept, state); is || err != nil {
			return err
		}
	}
	tail, from, copied, err := r.archives[here].Whole(ctx, name, func(object []byte) bool { return format.SumBytes(object) == kept.TailSHA256 })
	switch {
	case err == nil && from == "" && copied == "":
		return nil
	case err == nil && copied != "":
		if same, err := r.isRepaired(ctx, kept, state, tail); same || err != nil {
			return err
		}
	case err != nil && (ctx.Err() != nil || storage.Is(err, storage.KindUnavailable)):
		return err
	}
	is, err := archive.IsThere(ctx, r.archives[here].Storage(), name)
	switch {
	case err != nil:
		return r.failed(ctx, here, name, err)
	case !is:
		return r.differ(alarm.Band, alarm.Missing, name, "this machine wrote it")
	}
	return r.differ(alarm.Band, alarm.Mismatch, name, "it is not the one that this machine wrote")
}

// isRebuilt tells of a band whose index was rebuilt, if that counts.
func (r *run) isRebuilt(ctx context.Context, kept summaries.Summary, state archive.BandState) (bool, error) {
	b, err := r.archives[here].OpenBand(ctx, state)
	if err != nil {
		return true, r.failed(ctx, here, format.BandsPrefix+string(kept.Band), err)
	}
	if b.TailName() == format.TailName(kept.Band) {
		return false, nil
	}
	return true, r.differ(alarm.Band, alarm.Mismatch, b.TailName(), "the index of the band was rebuilt since this machine wrote it: it has %d entries, and had %d",
		b.Tail().Totals.Entries, kept.Totals.Entries)
}

// isRepaired reports whether readers get the tail that was kept, which there is a repaired copy of.
func (r *run) isRepaired(ctx context.Context, kept summaries.Summary, state archive.BandState, tail []byte) (bool, error) {
	a, name := r.archives[here], format.TailName(kept.Band)
	if other, err := saysOther(ctx, a, name, tail); other || err != nil {
		return false, r.failed(ctx, here, name, err)
	}
	b, err := a.OpenBand(ctx, state)
	if err != nil {
		return false, r.failed(ctx, here, name, err)
	}
	return b.Tail().Totals == kept.Totals, nil
}
