package writer

import (
	"context"
	"math"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/format"
	"dura/writer/dedup"
)

// elsewhere finds content in other bands by the index of what the archive holds. The index gives hints: what it points to is
// read through the archive before it is believed.
type elsewhere struct {
	*pipeline
	ready bool // the index has been brought up to date
	bands map[format.BandID]map[uint64]format.HunkRef
	lists map[dedup.Place][]format.Span
}

const (
	// wholeBand is the number of a span list that no band has. Its being covered says that all of a band has been added.
	wholeBand = math.MaxUint64
	// Bounds of what is kept of bands and lists that were looked into.
	maxBandsKept = 32
	maxListsKept = 8
)

func newElsewhere(p *pipeline) *elsewhere {
	return &elsewhere{pipeline: p, bands: map[format.BandID]map[uint64]format.HunkRef{}, lists: map[dedup.Place][]format.Span{}}
}

// find is where another band has the content of p.
func (x *elsewhere) find(ctx context.Context, p piece) (format.Span, bool, error) {
	if x.o.Index == nil {
		return format.Span{}, false, nil
	}
	if !x.ready {
		x.ready = true
		if err := x.update(ctx); err != nil {
			return format.Span{}, false, err
		}
	}
	for place := range x.o.Index.Find(p.sum) {
		span, ok, err := x.at(ctx, place, p)
		if ok || err != nil {
			return span, ok, err
		}
	}
	return format.Span{}, false, nil
}

// at is the span at place, if that has the content of p and its block is there.
func (x *elsewhere) at(ctx context.Context, place dedup.Place, p piece) (format.Span, bool, error) {
	span, sum, err := x.spanAt(ctx, place)
	if err != nil || sum != p.sum || int(span.Bytes) != len(p.data) {
		return format.Span{}, false, lostOnly(err)
	}
	there, err := x.presence.spans(ctx, []format.Span{span})
	return span, there, err
}

// spanAt reads what place points to. The hash is zero where it points to nothing.
func (x *elsewhere) spanAt(ctx context.Context, place dedup.Place) (format.Span, format.Hash, error) {
	if place.List {
		spans, err := x.list(ctx, place)
		if err != nil || int(place.Span) >= len(spans) {
			return format.Span{}, format.Hash{}, err
		}
		return spans[place.Span], spans[place.Span].SHA256, nil
	}
	hunks, err := x.hunks(ctx, place.Band)
	if err != nil {
		return format.Span{}, format.Hash{}, err
	}
	ref, ok := hunks[place.Number]
	if !ok {
		return format.Span{}, format.Hash{}, nil
	}
	entries, err := x.archive.Hunk(ctx, ref)
	if err != nil || int(place.Entry) >= len(entries) || int(place.Span) >= len(entries[place.Entry].Spans) {
		return format.Span{}, format.Hash{}, err
	}
	e := &entries[place.Entry]
	span := e.Spans[place.Span]
	if len(e.Spans) == 1 && span.SHA256.IsZero() {
		return span, e.SHA256, nil
	}
	return span, span.SHA256, nil
}

// hunks has the references to a band's own hunks by number: of a complete band, or of the earlier part of this one.
func (x *elsewhere) hunks(ctx context.Context, id format.BandID) (map[uint64]format.HunkRef, error) {
	if hunks, ok := x.bands[id]; ok {
		return hunks, nil
	}
	if len(x.bands) == maxBandsKept {
		clear(x.bands)
	}
	band, err := x.open(ctx, id)
	if err != nil {
		return nil, err
	}
	hunks := map[uint64]format.HunkRef{}
	x.bands[id] = hunks
	if band == nil {
		return hunks, nil
	}
	for ref, err := range band.Hunks(ctx) {
		if err := lostOnly(err); err != nil {
			return nil, err
		}
		if ref.Band == id {
			hunks[ref.Number] = ref
		}
	}
	return hunks, nil
}

// open opens a band; nil where it is none that content can be taken from.
func (x *elsewhere) open(ctx context.Context, id format.BandID) (*archive.Band, error) {
	if id == x.pipeline.band {
		return x.earlier.band, nil
	}
	for _, s := range x.begun.bands {
		if s.ID != id || !s.Complete || s.Deleted {
			continue
		}
		band, err := x.archive.OpenBand(ctx, s)
		return band, lostOnly(err)
	}
	return nil, nil
}

func (x *elsewhere) list(ctx context.Context, place dedup.Place) ([]format.Span, error) {
	key := dedup.Place{Band: place.Band, List: true, Number: place.Number}
	if spans, ok := x.lists[key]; ok {
		return spans, nil
	}
	size, ok, err := x.presence.size(ctx, place.Band, format.SpansObject, place.Number)
	if !ok || err != nil {
		return nil, err
	}
	spans, err := x.archive.ReadSpanList(ctx, &format.SpanListRef{Band: place.Band, Number: place.Number, StoredBytes: size})
	if err != nil {
		return nil, err
	}
	if len(x.lists) == maxListsKept {
		clear(x.lists)
	}
	x.lists[key] = spans
	return spans, nil
}

// update adds to the index what it does not know yet of the archive's bands, and drops the bands that are gone.
func (x *elsewhere) update(ctx context.Context) error {
	living := map[format.BandID]bool{x.pipeline.band: true}
	for _, s := range x.begun.bands {
		living[s.ID] = !s.Deleted
	}
	x.o.Index.Forget(func(id format.BandID) bool { return living[id] })
	for _, s := range x.begun.bands {
		if !s.Complete || s.Deleted || !x.archive.CanOpen(s.ID) {
			continue
		}
		covered := x.o.Index.Covers(s.ID)
		if covered.Lists.Has(wholeBand) {
			continue
		}
		if err := x.addBand(ctx, s.ID, covered); err != nil {
			return err
		}
	}
	return x.tell(x.o.Index.Commit())
}

// addBand adds the hunks and span lists of a band that are not covered.
func (x *elsewhere) addBand(ctx context.Context, id format.BandID, covered dedup.Coverage) error {
	hunks, err := x.hunks(ctx, id)
	if err != nil {
		return err
	}
	for number, ref := range hunks {
		if covered.Hunks.Has(number) {
			continue
		}
		entries, err := x.archive.Hunk(ctx, ref)
		if err != nil {
			if err := lostOnly(err); err != nil {
				return err
			}
			continue
		}
		if err := x.addHunk(ctx, id, number, entries, covered); err != nil {
			return err
		}
	}
	return x.tell(x.o.Index.AddSpans(id, wholeBand, nil))
}

func (x *elsewhere) addHunk(ctx context.Context, id format.BandID, number uint64, entries []format.Entry, covered dedup.Coverage) error {
	for i := range entries {
		for _, l := range entries[i].SpanLists {
			if l.Band != id || covered.Lists.Has(l.Number) {
				continue
			}
			spans, err := x.archive.Spans(ctx, l)
			if err != nil {
				if err := lostOnly(err); err != nil {
					return err
				}
				continue
			}
			if err := x.tell(x.o.Index.AddSpans(id, l.Number, spans)); err != nil {
				return err
			}
		}
	}
	return x.tell(x.o.Index.AddHunk(id, number, entries))
}

// tell raises an alarm where the index can't be kept: then content is stored that the archive has.
func (p *pipeline) tell(err error) error {
	if err == nil {
		return nil
	}
	return p.o.Alarms.Raise(alarm.Alarm{
		Area: alarm.Source, Condition: alarm.IOError, Filename: "the index of what the archive holds", Err: err,
		Message: "content that the archive has may be stored again: " + err.Error(),
	})
}
