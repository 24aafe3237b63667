package repair

import (
	"context"
	"maps"
	"slices"

	"dura/archive/format"
	"dura/archive/repair/reindex"
)

// ends stores the tail of a rebuilt index, and the head ahead of it, if that is lost.
func (b *rebuilding) ends(ctx context.Context, l *lostIndex, fences []format.FenceRef, laid []reindex.Fence) error {
	id := l.state.ID
	t := l.band.Tail()
	t.Band, t.Fences, t.Totals.Entries = id, fences, 0
	entries := l.band.Tail().Totals.Entries
	for i := range fences {
		t.Totals.Entries += fences[i].Entries
	}
	if l.tail {
		entries = 0 // what it said is not known, or not believed
		if err := b.tailOf(ctx, id, &t); err != nil {
			return err
		}
	}
	if t.Totals.Entries != entries && !b.o.DryRun {
		if err := b.countFiles(ctx, laid, fences, &t.Totals); err != nil {
			return err
		}
	}
	var err error
	if l.head {
		t.HeadSHA256, err = b.head(ctx, id)
	} else if l.tail {
		var stored []byte
		_, stored, err = b.archive.BandHead(ctx, id)
		t.HeadSHA256 = format.SumBytes(stored)
	}
	if err != nil {
		return err
	}
	return b.storeTail(ctx, l, format.EncodeTail(t))
}

// storeTail stores a tail: under the name of the lost one, beside a damaged one, or behind the one that no longer counts.
func (b *rebuilding) storeTail(ctx context.Context, l *lostIndex, text []byte) error {
	id := l.state.ID
	if _, err := format.DecodeTail(id, text); err != nil {
		return err
	}
	lost := format.TailName(id)
	if l.band.Complete() || l.state.Rebuilt > 0 {
		return b.storeEnd(ctx, lost, format.RebuiltTailName(id, l.state.Rebuilt), "that of the rebuilt index, which counts from now on", text)
	}
	return b.storeEnd(ctx, lost, lost, "put together from fences and hunks", text)
}

// storeEnd stores the tail or head called name, in the place of the one called lost: as a repaired copy, if something else has its name.
func (b *rebuilding) storeEnd(ctx context.Context, lost, name, from string, text []byte) error {
	id, _, _, err := format.ParseObjectName(name)
	if err != nil {
		return err
	}
	sizes, err := b.list(ctx, id)
	if err != nil {
		return err
	}
	place := name
	if _, there := sizes[name]; there {
		if place, err = b.archive.NextRepaired(ctx, name); err != nil {
			return err
		}
	}
	stored, err := b.sealed(name, text)
	if err == nil {
		err = b.create(ctx, place, stored)
	}
	if err != nil {
		return err
	}
	b.replaced[name] = format.SumBytes(stored)
	b.made(Made{Object: lost, Stored: b.storedName(place), From: from})
	return nil
}

// tailOf fills in what a lost tail said, as far as that is known. The time when the band ended is not: it is that of its id.
func (b *rebuilding) tailOf(ctx context.Context, id format.BandID, t *format.Tail) error {
	*t = format.Tail{Band: id, Ended: id.Time(), Fences: t.Fences, Totals: format.Totals{Entries: t.Totals.Entries}}
	sizes, err := b.list(ctx, id)
	if err != nil {
		return err
	}
	said := b.sums[id]
	for name, size := range sizes {
		if _, kind, _, _ := format.ParseObjectName(name); kind != format.BlockObject {
			continue
		}
		if said != nil && said.whole {
			if _, own := said.lines[name]; !own {
				continue
			}
		}
		t.Totals.Blocks++
		t.Totals.StoredBytes += size
	}
	return b.alarmsOf(ctx, id, t)
}

// alarmsOf counts the alarms that were kept, if they can be had.
func (b *rebuilding) alarmsOf(ctx context.Context, id format.BandID, t *format.Tail) error {
	name := format.AlarmsName(id)
	var alarms []format.StoredAlarm
	stored, _, _, err := b.archive.Whole(ctx, name, func(object []byte) bool {
		decoder, err := format.NewDecoder(1)
		if err != nil {
			return false
		}
		frame, err := b.archive.Opened(name, object)
		if err != nil {
			return false
		}
		raw, err := decoder.Decode("alarms", frame, format.MaxIndexBytes)
		if err == nil {
			alarms, _, err = format.DecodeAlarms(raw)
		}
		want := b.wants[name].sum
		return err == nil && (want.IsZero() || want == format.SumBytes(object))
	})
	if err != nil {
		return ignoreDamage(ctx, err)
	}
	t.AlarmsSHA256, t.AlarmsStoredBytes = format.SumBytes(stored), int64(len(stored))
	counts := map[[2]string]int64{}
	for _, a := range alarms {
		counts[[2]string{a.Area, a.Condition}]++
	}
	for _, k := range slices.SortedFunc(maps.Keys(counts), func(x, y [2]string) int { return slices.Compare(x[:], y[:]) }) {
		t.AlarmCounts = append(t.AlarmCounts, format.AlarmCount{Area: k[0], Condition: k[1], Count: counts[k]})
	}
	return nil
}

// countFiles counts the files that the fences lead to, and their content.
func (b *rebuilding) countFiles(ctx context.Context, laid []reindex.Fence, fences []format.FenceRef, t *format.Totals) error {
	t.Files, t.ContentBytes = 0, 0
	for i := range laid {
		hunks := laid[i].Hunks
		if laid[i].Kept != nil {
			var err error
			if hunks, err = b.archive.Fence(ctx, fences[i]); err != nil {
				return err
			}
		}
		for _, ref := range hunks {
			entries, err := b.archive.Hunk(ctx, ref)
			if err != nil {
				return err
			}
			for j := range entries {
				countFile(&entries[j], t)
			}
		}
	}
	return nil
}

func countFile(e *format.Entry, t *format.Totals) {
	if e.Kind != format.File {
		return
	}
	t.Files++
	if e.LinkTo != format.Root {
		return
	}
	for i := range e.Spans {
		t.ContentBytes += int64(e.Spans[i].Bytes)
	}
	for i := range e.SpanLists {
		t.ContentBytes += e.SpanLists[i].DataBytes
	}
}

// head stores what is left of a lost head, and gives its hash.
func (b *rebuilding) head(ctx context.Context, id format.BandID) (format.Hash, error) {
	name := format.HeadName(id)
	own := b.archive.Head()
	own.Settings = own.Settings.WithDefaults(format.DefaultSettings())
	h := format.Head{Archive: own.ID, Band: id, Started: id.Time(), Program: "dura repair", Settings: own.Settings}
	from := "what DURA-ARCHIVE and the band's id tell"
	if left, err := b.archive.Storage().Read(ctx, name, 0, format.MaxTextBytes); err == nil {
		if left, err = b.archive.Opened(name, left); err == nil {
			if read, err := format.DecodeHead(id, left); err == nil {
				h, from = read, "what can be read of it"
				h.Settings = h.Settings.WithDefaults(own.Settings)
			}
		}
	}
	err := b.storeEnd(ctx, name, name, from, format.EncodeHead(h))
	return b.replaced[name], err
}
