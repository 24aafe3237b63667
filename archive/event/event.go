// Package event is what long operations report while they run: values for programs and user interfaces to follow, with no
// text for people. It stands on alarm alone.
package event

import "dura/archive/alarm"

// Event is one of the types of this package.
type Event interface{ event() }

// Totals counts what an operation has done so far.
type Totals struct {
	Entries      int64 // paths of any kind
	Files        int64 // regular files
	ContentBytes int64 // bytes of their content, holes not counted
	StoredBytes  int64 // bytes written to storage
	Objects      int64 // objects written to storage
	Alarms       int64

	New, Changed, Unchanged int64 // of Entries: what a backup found of them in the parent
}

// Progress is reported now and then. Expected is zero where nothing is known of what lies ahead.
type Progress struct {
	Done     Totals
	Expected Totals
	Path     string // what is at hand
}

// EntryDone is reported once an entry has been stored, restored or verified.
type EntryDone struct {
	Path         string
	ContentBytes int64
}

// Raised is reported for every alarm that is not suppressed.
type Raised struct {
	Alarm  alarm.Alarm
	Action alarm.Action
}

// Done is reported once, last.
type Done struct {
	Band   string
	Totals Totals
}

func (Progress) event()  {}
func (EntryDone) event() {}
func (Raised) event()    {}
func (Done) event()      {}

// Sink takes events. It is called from several goroutines at once and must not block for long.
type Sink func(Event)

// Send passes e on; a nil Sink takes everything in silence.
func (s Sink) Send(e Event) {
	if s != nil {
		s(e)
	}
}
