// Package alarmtest has what tests of alarms need: one who takes them and keeps them. It stands on archive/alarm.
package alarmtest

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"dura/archive/alarm"
)

// Alarms is a Raiser that keeps what is raised, in its order.
type Alarms struct {
	Verdict func(alarm.Alarm) error // what Raise returns; nil: the run always goes on

	mu     sync.Mutex
	raised []alarm.Alarm
}

// Raise implements alarm.Raiser.
func (a *Alarms) Raise(one alarm.Alarm) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.raised = append(a.raised, one)
	if a.Verdict == nil {
		return nil
	}
	return a.Verdict(one)
}

// Ending gives every alarm the same verdict.
func Ending(err error) func(alarm.Alarm) error {
	return func(alarm.Alarm) error { return err }
}

// Aborting is a verdict that ends the run where is says so.
func Aborting(is func(alarm.Alarm) bool) func(alarm.Alarm) error {
	return func(one alarm.Alarm) error {
		if is(one) {
			return &alarm.AbortError{Alarm: one}
		}
		return nil
	}
}

// Raised is what was raised so far.
func (a *Alarms) Raised() []alarm.Alarm {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.raised)
}

// Take is what was raised since it was asked last.
func (a *Alarms) Take() []alarm.Alarm {
	a.mu.Lock()
	defer a.mu.Unlock()
	taken := a.raised
	a.raised = nil
	return taken
}

// Of is what was raised about one file name.
func (a *Alarms) Of(filename string) []alarm.Alarm {
	return slices.DeleteFunc(a.Raised(), func(one alarm.Alarm) bool { return one.Filename != filename })
}

// Sorted is what was raised, each alarm as "area/condition filename", sorted.
func (a *Alarms) Sorted() []string {
	lines := Lines(a.Raised(), "")
	slices.Sort(lines)
	return lines
}

func (a *Alarms) String() string { return fmt.Sprint(a.Raised()) }

// Lines are alarms as "area/condition filename", with dir taken off the front of each filename.
func Lines(alarms []alarm.Alarm, dir string) (lines []string) {
	for _, one := range alarms {
		lines = append(lines, fmt.Sprintf("%s/%s %s", one.Area, one.Condition, strings.TrimPrefix(one.Filename, dir)))
	}
	return lines
}
