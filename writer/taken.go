package writer

import (
	"fmt"

	"dura/archive/alarm"
	"dura/archive/format"
)

// takenError says that somebody else has written an object of the band that this run writes.
type takenError struct {
	band format.BandID
	err  error
}

func (e *takenError) Error() string {
	return fmt.Sprintf("another backup writes into band %s: %v", e.band, e.err)
}

func (e *takenError) Unwrap() error { return e.err }

// alarm tells that the run leaves the band to the other.
func (e *takenError) alarm() alarm.Alarm {
	return alarm.Alarm{
		Area: alarm.Band, Condition: alarm.Exists, Filename: string(e.band),
		Message: "another backup writes into this band; this one begins one of its own", Err: e.err,
	}
}
