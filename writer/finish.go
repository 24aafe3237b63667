package writer

import (
	"context"
	"maps"
	"slices"

	"dura/archive/alarm"
	"dura/archive/event"
	"dura/archive/format"
)

// finish stores what makes the band complete: the alarms, if there were any, the tail, and behind it the sums.
func (p *pipeline) finish(ctx context.Context) error {
	done := p.count.totals()
	tail := format.Tail{
		Band: p.band, Ended: p.o.Now().UTC(), HeadSHA256: format.SumBytes(p.begun.head), Fences: p.fences,
		Totals: format.Totals{Entries: done.Entries, Files: done.Files, ContentBytes: done.ContentBytes},
	}
	tail.Totals.Blocks, tail.Totals.StoredBytes = p.store.blockTotals()
	if err := p.addEarlier(ctx, &tail.Totals); err != nil {
		return err
	}
	p.bandTotals = tail.Totals
	if err := p.storeAlarms(ctx, &tail); err != nil {
		return err
	}
	stored, err := sealed(p.archive, format.TailName(p.band), format.EncodeTail(tail))
	if err != nil {
		return err
	}
	if err := p.storeTail(ctx, stored); err != nil {
		return err
	}
	var sums []byte
	for _, name := range slices.Sorted(maps.Keys(p.store.sums)) {
		sums = format.AppendSum(sums, format.StoredName(name, p.archive.Keys() != nil), p.store.sums[name])
	}
	if err := p.store.object(ctx, format.SumsName(p.band), sums); err != nil {
		return err
	}
	p.o.Events.Send(event.Done{Band: string(p.band), Totals: p.result().Totals})
	return nil
}

// storeTail stores the tail, and ahead of it the parity of all that is in no group yet, the tail's included.
func (p *pipeline) storeTail(ctx context.Context, stored []byte) error {
	name, sum := format.TailName(p.band), format.SumBytes(stored)
	if err := p.store.protection.add(ctx, name, sum, stored); err != nil {
		return err
	}
	if err := p.store.protection.closeAll(ctx); err != nil {
		return err
	}
	return p.store.summed(ctx, name, sum, stored)
}

// storeAlarms keeps in the band what alarms were raised while it was made.
func (p *pipeline) storeAlarms(ctx context.Context, tail *format.Tail) error {
	kept, dropped := p.o.Alarms.Kept()
	if len(kept) == 0 && dropped == 0 {
		return nil
	}
	for _, c := range p.o.Alarms.Counts() {
		if c.Raised == 0 {
			continue
		}
		tail.AlarmCounts = append(tail.AlarmCounts, format.AlarmCount{
			Area: string(c.Area), Condition: string(c.Condition), Count: c.Raised,
		})
	}
	stored := make([]format.StoredAlarm, len(kept))
	for i, a := range kept {
		stored[i] = format.StoredAlarm{
			Area: string(a.Area), Condition: string(a.Condition), Filename: a.Filename, Message: messageOf(a),
		}
	}
	raw, err := format.EncodeAlarms(stored, dropped)
	if err != nil {
		return err
	}
	enc, err := format.NewIndexEncoder()
	if err != nil {
		return err
	}
	tail.AlarmsStoredBytes, tail.AlarmsSHA256, err = p.storeSealed(ctx, format.AlarmsName(p.band), enc.Append(nil, raw))
	return err
}

// messageOf is what an alarm says beyond its fields.
func messageOf(a alarm.Alarm) string {
	if a.Message != "" || a.Err == nil {
		return a.Message
	}
	return a.Err.Error()
}
