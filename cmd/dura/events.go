package main

import (
	"bufio"
	_ "embed"
	"io"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"dura/archive/event"
)

//go:embed events.proto
var eventsSchema string

// events writes what happens, an event a line, for a program to follow. It is safe for concurrent use; a nil one takes
// everything in silence.
type events struct {
	now    func() time.Time
	format func(fields) string

	mu    sync.Mutex
	w     *bufio.Writer
	close func() error
	err   error
	at    time.Time       // of the last progress
	held  *event.Progress // what has come since
}

// progressEvery is how long it takes at least from one event of progress to the next.
const progressEvery = 100 * time.Millisecond

// startEvents begins the events that --events asks for. Where they go to standard error, nothing else does.
func (a *app) startEvents(command string) error {
	if a.eventsFormat == "none" {
		if a.eventsTo != "" {
			return usage(msgEventsTo)
		}
		return nil
	}
	format := eventFormats[a.eventsFormat]
	if format == nil {
		return usage(msgEventsFormat, shown(a.eventsFormat))
	}
	e := &events{now: a.host.now, format: format, close: func() error { return nil }}
	if a.eventsTo == "" {
		e.w = bufio.NewWriter(a.host.stderr)
		a.console.w, a.onlyEvents = io.Discard, true
	} else {
		file, err := os.OpenFile(a.eventsTo, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return usage(msgEventsFile, shown(a.eventsTo), reasonOf(err))
		}
		e.w, e.close = bufio.NewWriter(file), file.Close
	}
	a.events = e
	e.write("began", fields{{"command", command}, {"version", versionText()}}, true)
	return nil
}

// send is an event.Sink.
func (e *events) send(one event.Event) {
	if e == nil {
		return
	}
	switch one := one.(type) {
	case event.Progress:
		e.progress(one)
	case event.EntryDone:
		e.write("entry_done", fields{{"path", name(rooted(one.Path))}, {"content_bytes", one.ContentBytes}}, false)
	case event.Raised:
		e.write("alarm", fields{
			{"area", string(one.Alarm.Area)}, {"condition", string(one.Alarm.Condition)}, {"filename", name(one.Alarm.Filename)},
			{"message", alarmReason(one.Alarm)}, {"action", one.Action.String()},
		}, true)
	}
}

// progress holds back what comes too early.
func (e *events) progress(p event.Progress) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.now()
	if e.held = &p; !e.at.IsZero() && now.Sub(e.at) < progressEvery {
		return
	}
	e.at = now
	e.writeHeld()
}

func (e *events) writeHeld() {
	if e.held == nil {
		return
	}
	f := fields{{"done", totalsFields(e.held.Done)}}
	if e.held.Expected != (event.Totals{}) {
		f = append(f, field{"expected", totalsFields(e.held.Expected)})
	}
	e.held, f = nil, append(f, field{"path", name(rooted(e.held.Path))})
	e.put("progress", f, true)
}

func totalsFields(t event.Totals) fields {
	return fields{
		{"entries", t.Entries}, {"files", t.Files}, {"content_bytes", t.ContentBytes}, {"stored_bytes", t.StoredBytes}, {"objects", t.Objects},
	}
}

// end writes the last event. It returns what kept any from being written.
func (e *events) end(how ending) error {
	if e == nil {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.writeHeld()
	f := fields{{"status", int64(how.status)}, {"alarms", how.alarms}}
	if how.done != (event.Done{}) {
		if how.done.Band != "" {
			f = append(f, field{"band", how.done.Band})
		}
		f = append(f, field{"totals", totalsFields(how.done.Totals)})
	}
	if how.failure != nil {
		f = append(f, field{"error", fields{{"kind", how.failure.Kind}, {"message", how.failure.Message}}})
	}
	e.put("done", f, true)
	if err := e.close(); e.err == nil {
		e.err = err
	}
	return e.err
}

func (e *events) write(what string, f fields, now bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.put(what, f, now)
}

// put writes a line, for whoever follows to see it now or later.
func (e *events) put(what string, f fields, now bool) {
	if e.err != nil {
		return
	}
	line := e.format(fields{{"time", jsonTime(e.now())}, {what, f}})
	if _, e.err = e.w.WriteString(line + "\n"); e.err == nil && now {
		e.err = e.w.Flush()
	}
}

// eventsHelp is the help topic that tells of events.
func eventsHelp() *cobra.Command {
	return &cobra.Command{Use: "events", Short: "What --events writes, for programs that follow a run", Long: helpEvents + "\n" + eventsSchema}
}
