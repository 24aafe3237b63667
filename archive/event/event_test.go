package event

import (
	"slices"
	"testing"

	"dura/archive/alarm"
)

func TestNilSinkTakesEverything(t *testing.T) {
	for _, e := range []Event{Progress{}, EntryDone{}, Raised{}, Done{}} {
		Sink(nil).Send(e)
	}
}

func TestSinkGetsWhatWasSentInOrder(t *testing.T) {
	sent := []Event{
		Progress{Path: "a"},
		EntryDone{Path: "a", ContentBytes: 7},
		Raised{Alarm: alarm.Alarm{Filename: "b"}, Action: alarm.Continue},
		Done{Band: "2026-11-23-101500-4f2a9c", Totals: Totals{Files: 1, Alarms: 1}},
	}
	var got []Event
	sink := Sink(func(e Event) { got = append(got, e) })
	for _, e := range sent {
		sink.Send(e)
	}
	if !slices.Equal(got, sent) {
		t.Errorf("got %v, want %v", got, sent)
	}
}
