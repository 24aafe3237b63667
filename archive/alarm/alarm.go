// Package alarm carries what is unexpected in the environment: structured alarms, and the rules that decide what each one
// does to the run. It holds no text for people beyond what could be stored nowhere else, and stands on nothing.
package alarm

import "fmt"

// Area is the part of the world an alarm is about.
type Area string

const (
	Source  Area = "source"
	Archive Area = "archive"
	Band    Area = "band"
	Block   Area = "block"
	Restore Area = "restore"
	Machine Area = "machine" // what the machine keeps for Dura
)

// Condition is what was found there.
type Condition string

const (
	Missing     Condition = "missing"
	IOError     Condition = "ioerror"
	Denied      Condition = "denied"      // the operating system refused
	Corrupt     Condition = "corrupt"     // it can't be decoded
	Mismatch    Condition = "mismatch"    // it is not what something else says it should be
	Exists      Condition = "exists"      // something stands where nothing should
	Unsupported Condition = "unsupported" // this system or file system can't hold it
)

// Alarm is one unexpected thing.
type Alarm struct {
	Area      Area
	Condition Condition
	Filename  string // the local file, the path in the band, or the object: whatever Area speaks of
	Message   string // only what the other fields can't say
	Err       error  // the cause, for errors.Is; not stored
}

func (a Alarm) String() string {
	s := fmt.Sprintf("%s/%s: %s", a.Area, a.Condition, a.Filename)
	if a.Message != "" {
		s += ": " + a.Message
	} else if a.Err != nil {
		s += ": " + a.Err.Error()
	}
	return s
}

// Action is what an alarm does to the run.
type Action int

const (
	Continue Action = iota // report it and go on
	Abort                  // end the run with an AbortError
	Ask                    // let the Asker decide; without one, as Continue
	Suppress               // go on and report it only to who debugs
)

func (a Action) String() string {
	switch a {
	case Continue:
		return "continue"
	case Abort:
		return "abort"
	case Ask:
		return "ask"
	case Suppress:
		return "suppress"
	}
	return fmt.Sprintf("Action(%d)", int(a))
}

// AbortError ends a run because of an alarm.
type AbortError struct{ Alarm Alarm }

func (e *AbortError) Error() string { return "aborted by alarm " + e.Alarm.String() }
func (e *AbortError) Unwrap() error { return e.Alarm.Err }

// Raiser takes alarms. Raise returns nil where the run is to go on, and an *AbortError where it is to end. It is safe for
// concurrent use.
type Raiser interface {
	Raise(Alarm) error
}
