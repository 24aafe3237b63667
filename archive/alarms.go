package archive

import (
	"context"

	"dura/archive/format"
)

// Alarms reads the alarms that were raised while the band was made, and how many more there were. They are kept once a band is
// complete: of any other there are none.
func (b *Band) Alarms(ctx context.Context) (alarms []format.StoredAlarm, dropped int64, err error) {
	if b.tail.AlarmsSHA256.IsZero() {
		return nil, 0, nil
	}
	name := format.AlarmsName(b.id)
	if b.tail.AlarmsStoredBytes > format.MaxIndexBytes {
		return nil, 0, contradiction(b.id, name, "it has %d bytes, and %d are the most", b.tail.AlarmsStoredBytes, format.MaxIndexBytes)
	}
	type kept struct {
		alarms  []format.StoredAlarm
		dropped int64
	}
	all, err := mended(ctx, b.archive, name, func(from source) (kept, error) {
		raw, err := b.readAlarms(ctx, from, name)
		var k kept
		if err == nil {
			k.alarms, k.dropped, err = format.DecodeAlarms(raw)
		}
		return k, objectError(opRead, b.id, name, err)
	})
	return all.alarms, all.dropped, err
}

func (b *Band) readAlarms(ctx context.Context, from source, name string) ([]byte, error) {
	stored, err := readExactly(ctx, from, name, 0, b.tail.AlarmsStoredBytes)
	if err == nil && format.SumBytes(stored) != b.tail.AlarmsSHA256 {
		err = &format.MismatchError{What: "object"}
	}
	if err != nil {
		return nil, err
	}
	frame, err := b.archive.Opened(name, stored)
	if err != nil {
		return nil, err
	}
	return b.archive.decoder.Decode("alarms", frame, format.MaxIndexBytes)
}
