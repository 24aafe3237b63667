package format

import (
	"strings"

	"dura/archive/format/pb"
)

// StoredAlarm is an alarm as a band keeps it.
type StoredAlarm struct{ Area, Condition, Filename, Message string }

// EncodeAlarms is alarms.zst before compression; dropped is how many more were raised.
func EncodeAlarms(alarms []StoredAlarm, dropped int64) ([]byte, error) {
	m := &pb.Alarms{Dropped: uint64(dropped)}
	for _, a := range alarms {
		m.Alarms = append(m.Alarms, &pb.Alarm{
			Area: a.Area, Condition: a.Condition, Filename: []byte(a.Filename), Message: strings.ToValidUTF8(a.Message, "\uFFFD"),
		})
	}
	return marshal(m)
}

// DecodeAlarms undoes EncodeAlarms.
func DecodeAlarms(raw []byte) (alarms []StoredAlarm, dropped int64, err error) {
	var m pb.Alarms
	if err := unmarshal("alarms", raw, &m); err != nil {
		return nil, 0, err
	}
	for _, a := range m.Alarms {
		alarms = append(alarms, StoredAlarm{a.Area, a.Condition, string(a.Filename), a.Message})
	}
	return alarms, clampInt64(m.Dropped), nil
}
