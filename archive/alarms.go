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
	stored, err := b.archive.readExactly(ctx, name, 0, b.tail.AlarmsStoredBytes)
	if err == nil && format.SumBytes(stored) != b.tail.AlarmsSHA256 {
		err = &format.MismatchError{What: "object"}
	}
	var raw []byte
	if err == nil {
		raw, err = b.archive.decoder.Decode("alarms", stored, format.MaxIndexBytes)
	}
	if err == nil {
		alarms, dropped, err = format.DecodeAlarms(raw)
	}
	return alarms, dropped, objectError(opRead, b.id, name, err)
}
