package verify

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/event"
	"dura/archive/format"
)

// open opens a band, checks its ends, and notes what they refer to. A band that can't be opened is nil.
func (r *run) open(ctx context.Context, s archive.BandState) (*archive.Band, error) {
	r.count(func(res *Result, _ *event.Totals) { res.Bands++ })
	if err := r.state(s); err != nil {
		return nil, err
	}
	b, err := r.archive.OpenBand(ctx, s)
	if err != nil {
		return nil, r.index(ctx, err)
	}
	if n := len(b.Damage()); n > 0 { // raised by the archive
		r.count(func(res *Result, _ *event.Totals) { res.Damaged += int64(n) })
		r.indexDamage = true
	}
	if err := r.ends(ctx, b, s); err != nil {
		return nil, err
	}
	if t := b.Tail(); r.o.Depth == Files && r.o.Sample.isAll() {
		r.expect(b.Entries(), t.Totals.ContentBytes)
	} else {
		r.expect(b.Entries(), 0)
	}
	for _, f := range b.Fences() {
		if _, err := r.refer(f.Band, objectID{format.FenceObject, f.Number}, want{sizeBytes: f.StoredBytes, sum: f.SHA256, hashed: true}); err != nil {
			return nil, err
		}
	}
	return b, nil
}

var (
	errNoHead = errors.New("the band has no head")
	errNoSums = errors.New("without it sha256sum can't check the band")
)

// state judges what the listing of bands says of one.
func (r *run) state(s archive.BandState) error {
	if s.Complete && !s.HasSums {
		return r.object(alarm.Band, alarm.Missing, format.SumsName(s.ID), errNoSums)
	}
	return nil
}

// ends checks the head, and notes it, the tail, the sums and the alarms.
func (r *run) ends(ctx context.Context, b *archive.Band, s archive.BandState) error {
	refs := map[format.ObjectKind]want{}
	head := want{sizeBytes: unknownSize}
	if b.Complete() {
		t := b.Tail()
		head.sum = t.HeadSHA256
		r.ownBlocks[b.ID()] = t.Totals.Blocks
		if err := r.tail(b.ID(), b.TailName()); err != nil {
			return err
		}
		if !t.AlarmsSHA256.IsZero() {
			refs[format.AlarmsObject] = want{sizeBytes: t.AlarmsStoredBytes, sum: t.AlarmsSHA256}
		}
	}
	if s.HasHead || b.Complete() {
		refs[format.HeadObject] = head
	}
	if s.HasSums {
		refs[format.SumsObject] = want{sizeBytes: unknownSize, hashed: true, summed: true}
	}
	for kind, w := range refs {
		if _, err := r.refer(b.ID(), objectID{kind, 0}, w); err != nil {
			return err
		}
	}
	if !s.HasHead {
		return r.object(alarm.Band, alarm.Missing, format.HeadName(b.ID()), errNoHead)
	}
	_, err := b.Head(ctx)
	return r.found(ctx, err)
}

// tail notes the tail that counts.
func (r *run) tail(band format.BandID, name string) error {
	_, kind, number, _ := format.ParseObjectName(name)
	_, err := r.refer(band, objectID{kind, number}, want{sizeBytes: unknownSize})
	return err
}

// hunks checks the hunks of a band in parallel, and notes what they refer to; with Files it checks the content of that.
func (r *run) hunks(ctx context.Context, b *archive.Band) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	files, wait := r.fileWorkers(ctx, cancel)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(r.o.Workers)
	err := r.eachHunk(gctx, b, func(ref format.HunkRef, next format.Path) {
		g.Go(func() error { return r.hunk(gctx, b, ref, next, files) })
	})
	hunkErr := g.Wait()
	return cmp.Or(wait(), hunkErr, err)
}

// eachHunk calls do for each hunk that no band before had, with the path where the next one begins.
func (r *run) eachHunk(ctx context.Context, b *archive.Band, do func(ref format.HunkRef, next format.Path)) error {
	var last *format.HunkRef
	for ref, err := range b.Hunks(ctx) {
		if err != nil {
			if err := r.index(ctx, err); err != nil {
				return err
			}
			continue
		}
		if last != nil {
			do(*last, ref.FirstPath)
		}
		last = nil
		first, err := r.refer(ref.Band, objectID{format.HunkObject, ref.Number}, want{sizeBytes: ref.StoredBytes, sum: ref.SHA256, hashed: true})
		if err != nil {
			return err
		}
		if first {
			last = &ref
		} else {
			r.count(func(_ *Result, done *event.Totals) { done.Entries += ref.Entries })
		}
	}
	if last != nil {
		do(*last, format.Root)
	}
	return nil
}

// hunk checks one hunk and what its entries refer to.
func (r *run) hunk(ctx context.Context, b *archive.Band, ref format.HunkRef, next format.Path, files chan<- *format.Entry) error {
	entries, err := r.archive.Hunk(ctx, ref)
	if err != nil {
		return r.index(ctx, err)
	}
	if last := entries[len(entries)-1].Path; next != format.Root && format.Compare(last, next) >= 0 {
		cause := fmt.Errorf("it ends at %q, and the next one begins at %q", last, next)
		return r.object(alarm.Band, alarm.Corrupt, format.HunkName(ref.Band, ref.Number), cause)
	}
	r.count(func(res *Result, done *event.Totals) {
		res.Entries += ref.Entries
		done.Entries += ref.Entries
		res.Bytes += ref.StoredBytes
	})
	for i := range entries {
		if err := r.entry(ctx, b, &entries[i], files); err != nil {
			return err
		}
	}
	r.progress(string(ref.FirstPath))
	return nil
}

// entry notes what an entry refers to, and hands it on.
func (r *run) entry(ctx context.Context, b *archive.Band, e *format.Entry, files chan<- *format.Entry) error {
	if e.Kind != format.File {
		return nil
	}
	if e.AsInParent {
		resolved, err := b.Lookup(ctx, e.Path)
		if err != nil {
			return r.found(ctx, err)
		}
		if e = resolved.Entry; e.AsInParent { // raised by the archive
			r.count(func(res *Result, _ *event.Totals) { res.Damaged++ })
			return nil
		}
	}
	if err := r.spans(e.Spans); err != nil {
		return err
	}
	for i := range e.SpanLists {
		if err := r.spanList(ctx, e.SpanLists[i]); err != nil {
			return err
		}
	}
	if files == nil || !r.o.Sample.Has(string(e.Path)) {
		return nil
	}
	select {
	case files <- e:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *run) spanList(ctx context.Context, l format.SpanListRef) error {
	first, err := r.refer(l.Band, objectID{format.SpansObject, l.Number}, want{sizeBytes: l.StoredBytes, sum: l.SHA256, hashed: true})
	if err != nil || !first {
		return err
	}
	spans, err := r.archive.Spans(ctx, l)
	if err != nil {
		return r.index(ctx, err)
	}
	r.count(func(res *Result, _ *event.Totals) { res.Bytes += l.StoredBytes })
	return r.spans(spans)
}

func (r *run) spans(spans []format.Span) error {
	for b := range format.BlocksOf(spans) {
		if _, err := r.refer(b.Band, objectID{format.BlockObject, b.Number}, want{sizeBytes: b.StoredBytes, sum: b.SHA256}); err != nil {
			return err
		}
	}
	return nil
}
