package writer

import (
	"context"
	"maps"
	"slices"

	"dura/archive/format"
	"dura/archive/storage"
)

// addEarlier adds to totals, and to the sums, what earlier runs have stored of the band.
func (p *pipeline) addEarlier(ctx context.Context, totals *format.Totals) error {
	if p.begun.progress == nil {
		return nil
	}
	own := map[string]bool{}
	for name := range p.store.sums {
		own[name] = true
	}
	p.store.sums[format.HeadName(p.band)] = format.SumBytes(p.begun.head)
	for _, f := range p.fences {
		p.addSum(f.Band, format.FenceName(f.Band, f.Number), f.SHA256)
	}
	for h, err := range p.begun.progress.Band.Index(ctx, format.Root) {
		if err != nil {
			return err
		}
		p.addSum(h.Ref.Band, format.HunkName(h.Ref.Band, h.Ref.Number), h.Ref.SHA256)
		for i := range h.Entries {
			if err := p.addEntry(ctx, &h.Entries[i], totals); err != nil {
				return err
			}
		}
	}
	sizes, err := p.storedSizes(ctx)
	if err != nil {
		return err
	}
	if err := p.reprotect(ctx, own, sizes); err != nil {
		return err
	}
	if err := p.addUnnamed(ctx, totals, sizes); err != nil {
		return err
	}
	return storage.Settle(ctx, p.archive.Storage(), format.BandsPrefix+string(p.band))
}

// storedSizes lists everything of the band, once: what another run that has met this one in it stores from now on is none of the band's. What
// the index names is asked for where a stale listing lacks it.
func (p *pipeline) storedSizes(ctx context.Context) (map[string]int64, error) {
	sizes := map[string]int64{}
	for info, err := range p.archive.Storage().List(ctx, format.BandsPrefix+string(p.band), storage.Deep) {
		if err != nil {
			return nil, err
		}
		sizes[info.Name] = info.SizeBytes
	}
	for name := range p.store.sums {
		if _, listed := sizes[name]; listed {
			continue
		}
		info, err := p.archive.Storage().Stat(ctx, name)
		switch {
		case err == nil:
			sizes[name] = info.SizeBytes
		case !storage.Is(err, storage.KindNotFound):
			return nil, err
		}
	}
	return sizes, nil
}

// addSum notes the hash of an object, if it is one of this band's.
func (p *pipeline) addSum(band format.BandID, name string, sum format.Hash) {
	if band == p.band {
		p.store.sums[name] = sum
	}
}

func (p *pipeline) addEntry(ctx context.Context, e *format.Entry, totals *format.Totals) error {
	totals.Entries++
	if e.Kind != format.File {
		return nil
	}
	totals.Files++
	if e.LinkTo == format.Root {
		for i := range e.Spans {
			totals.ContentBytes += int64(e.Spans[i].Bytes)
		}
		for _, l := range e.SpanLists {
			totals.ContentBytes += l.DataBytes
		}
	}
	p.addSpans(e.Spans)
	for _, l := range e.SpanLists {
		p.addSum(l.Band, format.SpansName(l.Band, l.Number), l.SHA256)
		if l.Band != p.band {
			continue
		}
		spans, err := p.archive.Spans(ctx, l)
		if err != nil {
			return err
		}
		p.addSpans(spans)
	}
	return nil
}

func (p *pipeline) addSpans(spans []format.Span) {
	for b := range format.BlocksOf(spans) {
		p.addSum(b.Band, b.Name(), b.SHA256)
	}
}

// addUnnamed reads what is in no hunk, so that its hash is known too: objects of runs that ended too soon to refer to them.
func (p *pipeline) addUnnamed(ctx context.Context, totals *format.Totals, sizes map[string]int64) error {
	totals.Blocks, totals.StoredBytes = 0, 0
	for _, name := range slices.Sorted(maps.Keys(sizes)) {
		_, kind, _, err := format.ParseObjectName(name)
		if err != nil {
			continue
		}
		if kind == format.BlockObject {
			totals.Blocks++
			totals.StoredBytes += sizes[name]
		}
		if err := p.learnSum(ctx, name, sizes[name]); err != nil {
			return err
		}
	}
	return nil
}

// learnSum reads an object whose hash nothing has told.
func (p *pipeline) learnSum(ctx context.Context, name string, sizeBytes int64) error {
	if _, known := p.store.sums[name]; known {
		return nil
	}
	_, kind, number, _ := format.ParseObjectName(name)
	if kind == format.BlockObject {
		sum, err := p.archive.SumBlock(ctx, &format.Block{Band: p.band, Number: number, StoredBytes: sizeBytes})
		if err != nil {
			return err
		}
		p.store.sums[name] = sum
		return nil
	}
	object, err := p.archive.Storage().Read(ctx, name, 0, int(sizeBytes))
	if err != nil {
		return err
	}
	p.store.sums[name] = format.SumBytes(object)
	return nil
}
