package compare

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"golang.org/x/sync/errgroup"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/format"
)

// Contents compares two archives of one source: of each host and sources that both have, the latest complete band of each, by the
// kinds of entries, the hashes of files and the targets of links, from the indexes alone. With o.Only it is that band, complete or not,
// and the complete one of the other archive that was begun nearest to it.
//
// Where size and time are the same and the content is not, an alarm of area band with the path says so: one of the two is wrong, or
// somebody set the time back. What has changed otherwise, and what only one has, is counted.
//
// An error means that the comparison ended early: by an alarm, the end of ctx, or since nothing can be listed; or it is ErrNothingInCommon.
func Contents(ctx context.Context, a, other *archive.Archive, o Options) (Result, error) {
	r := newRun([2]*archive.Archive{a, other}, o)
	pairs, err := r.pairs(ctx)
	if err != nil {
		return r.result, err
	}
	for _, p := range pairs {
		if err := r.pair(ctx, p); err != nil {
			return r.result, err
		}
	}
	if r.result.Bands == 0 {
		return r.result, ErrNothingInCommon
	}
	return r.result, nil
}

// pairs are the bands to compare.
func (r *run) pairs(ctx context.Context) ([][2]candidate, error) {
	var all [2][]candidate
	for s := range r.archives {
		var err error
		if all[s], err = r.candidates(ctx, side(s)); err != nil {
			return nil, err
		}
	}
	if r.o.Only == "" {
		return latest(all[here], all[there]), nil
	}
	if len(all[here]) == 0 {
		return nil, nil
	}
	found, ok := nearest(all[here][0], all[there])
	if !ok {
		return nil, nil
	}
	return [][2]candidate{{all[here][0], found}}, nil
}

// candidates are the bands of a side that may be compared, by time. One whose head can't be read is left out.
func (r *run) candidates(ctx context.Context, s side) ([]candidate, error) {
	states, err := r.archives[s].Bands(ctx)
	if err != nil {
		return nil, err
	}
	only := s == here && r.o.Only != ""
	states = slices.DeleteFunc(states, func(b archive.BandState) bool {
		return b.Deleted || only && b.ID != r.o.Only || !only && !b.Complete
	})
	found := make([]candidate, len(states))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(r.o.Workers)
	for i, state := range states {
		g.Go(func() error {
			head, _, err := r.archives[s].BandHead(gctx, state.ID)
			if err != nil {
				return r.failed(gctx, s, format.HeadName(state.ID), err)
			}
			found[i] = candidateOf(state, &head)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(found, func(c candidate) bool { return c.state.ID == "" }), nil
}

// pair compares the entries of two bands.
func (r *run) pair(ctx context.Context, p [2]candidate) error {
	var streams [2]iter.Seq2[archive.Located, error]
	for s, a := range r.archives {
		b, err := a.OpenBand(ctx, p[s].state)
		if err != nil {
			return r.failed(ctx, side(s), format.BandsPrefix+string(p[s].state.ID), err)
		}
		streams[s] = b.Subtree(ctx, format.Root)
	}
	at := Pair{p[here].state.ID, p[there].state.ID}
	r.count(func(res *Result) {
		res.Bands++
		res.Pairs = append(res.Pairs, at)
	})
	counted := 0
	for both, failed := range merged(streams, func(x, y *archive.Located) int { return format.Compare(x.Path, y.Path) }) {
		var err error
		if failed != nil {
			err = r.failed(ctx, failed.side, format.BandsPrefix+string(p[failed.side].state.ID), failed.err)
		} else {
			err = r.entries(ctx, at, both)
		}
		if err != nil {
			return err
		}
		if counted++; counted%reportEvery == 0 && either(both[here], both[there]) != nil {
			r.progress(string(either(both[here], both[there]).Path))
		}
	}
	return ctx.Err()
}

// reportEvery is how many entries are compared between reports of progress.
const reportEvery = 1024

// entries compares what both have of one path.
func (r *run) entries(ctx context.Context, at Pair, both [2]*archive.Located) error {
	h, t := both[here], both[there]
	switch {
	case h == nil:
		r.count(func(res *Result) { res.EntriesOnlyThere++ })
		return nil
	case t == nil:
		r.count(func(res *Result) { res.EntriesOnlyHere++ })
		return nil
	}
	found, err := r.verdict(ctx, [2]*format.Entry{h.Entry, t.Entry})
	if err != nil {
		return err
	}
	r.count(func(res *Result) {
		res.Entries++
		if h.Kind == format.File {
			res.Files++
		}
		switch found {
		case changed:
			res.Changed++
		case unknown:
			res.Unknown++
		}
	})
	if found != wrong {
		return nil
	}
	return r.differ(alarm.Band, alarm.Mismatch, string(h.Path), wrongReason(h.Entry, t.Entry), at.There, r.o.Other, at.Here)
}

// verdict judges two entries, by their span lists where that takes them.
func (r *run) verdict(ctx context.Context, both [2]*format.Entry) (verdict, error) {
	found := judge(both[here], both[there])
	if found != bySpread {
		return found, nil
	}
	same, failed := sameStretches(stretches(ctx, r.archives[here], both[here]), stretches(ctx, r.archives[there], both[there]))
	if failed != nil {
		return unknown, r.failed(ctx, failed.side, string(both[here].Path), failed.err)
	}
	return judgeSpread(both[here], both[there], same), nil
}

// wrongReason says what is wrong with two entries, with the other band, where that is, and the band here to be put in.
func wrongReason(x, y *format.Entry) string {
	what := cmp.Or(map[format.Kind]string{format.Symlink: "target"}[x.Kind], "content")
	reason := "it has the same size and time as in band %s of %s, and not the same " + what + " (band %s here)"
	if x.CTime != y.CTime {
		return reason + ": one of them is wrong, or it was changed and its time set back"
	}
	return reason + ": one of them is wrong"
}
