package repair

import (
	"context"

	"dura/archive"
	"dura/archive/format"
)

// tellLost says which files of which bands can't be had any more. It reads the index again, if there are any.
func (r *run) tellLost(ctx context.Context, living []archive.BandState) error {
	if len(r.lost) == 0 {
		return nil
	}
	for _, s := range living {
		b, err := r.archive.OpenBand(ctx, s)
		if err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			r.tell(Lost{Band: s.ID, Run: true, Object: format.TailName(s.ID)})
			continue
		}
		if err := r.tellBand(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) tell(l Lost) {
	if l.Run {
		r.result.LostRuns++
	} else {
		r.result.LostFiles++
	}
	if r.o.Lost != nil {
		r.o.Lost(l)
	}
}

// tellBand goes through the index of a band. Where a hunk or a fence is lost, the run of paths that it held is.
func (r *run) tellBand(ctx context.Context, b *archive.Band) error {
	var open *Lost // a run whose end is not known yet
	var behind format.Path
	end := func(until format.Path) {
		if open != nil {
			open.Until = until
			r.tell(*open)
			open = nil
		}
	}
	begin := func(at format.Path, object string) {
		if open == nil {
			open = &Lost{Band: b.ID(), Path: at, Run: true, Object: object}
		}
	}
	for ref, err := range b.Hunks(ctx) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			begin(behind, archive.AlarmOf(err).Filename)
			continue
		}
		entries, err := r.archive.Hunk(ctx, ref)
		if err != nil {
			begin(ref.FirstPath, format.HunkName(ref.Band, ref.Number))
			continue
		}
		end(ref.FirstPath)
		for i := range entries {
			if object := r.lostOf(ctx, &entries[i]); object != "" {
				r.tell(Lost{Band: b.ID(), Path: entries[i].Path, Object: object})
			}
		}
		behind = entries[len(entries)-1].Path
	}
	end(format.Root)
	return ctx.Err()
}

// lostOf is a lost object that an entry's content needs; "" if there is none.
func (r *run) lostOf(ctx context.Context, e *format.Entry) string {
	for _, l := range e.SpanLists {
		name := format.SpansName(l.Band, l.Number)
		spans, err := r.archive.Spans(ctx, l)
		if err != nil || r.lost[name] {
			return name
		}
		if object := r.lostSpan(spans); object != "" {
			return object
		}
	}
	return r.lostSpan(e.Spans)
}

func (r *run) lostSpan(spans []format.Span) string {
	for b := range format.BlocksOf(spans) {
		if name := b.Name(); r.lost[name] {
			return name
		}
	}
	return ""
}
