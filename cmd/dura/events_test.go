package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dura/archive/alarm"
	"dura/archive/event"
)

// someEvents have every field, with values that are hard to write.
func someEvents(e *events) error {
	totals := event.Totals{Entries: 1, Files: 2, ContentBytes: 3, StoredBytes: 4, Objects: 5, Alarms: 6}
	e.write("began", fields{{"command", "backup"}, {"version", `"1"`}}, true)
	e.send(event.EntryDone{Path: "a \xff\n\"b\"\\", ContentBytes: 1 << 62})
	e.send(event.Progress{Done: totals, Expected: totals})
	e.send(event.Raised{Alarm: alarm.Alarm{Area: alarm.Source, Condition: alarm.Denied, Filename: "\x1b[31m", Message: "é{}"}, Action: alarm.Abort})
	return e.end(ending{status: 1, alarms: 7, done: event.Done{Band: "b", Totals: totals}, failure: &jsonError{"aborted", "stopped: <&>"}})
}

func eventsIn(format string, to *bytes.Buffer) *events {
	clock := time.Date(2026, 11, 23, 10, 15, 0, 0, time.UTC)
	return &events{now: func() time.Time { return clock }, format: eventFormats[format], w: bufio.NewWriter(to), close: func() error { return nil }}
}

func TestEventsAreWrittenInEachFormat(t *testing.T) {
	for format, want := range map[string]string{
		"text": `2026-11-23T10:15:00Z began command=backup version="\"1\""
2026-11-23T10:15:00Z entry_done path="a \xff\n\"b\"\\" content_bytes=4611686018427387904
2026-11-23T10:15:00Z progress done.entries=1 done.files=2 done.content_bytes=3 done.stored_bytes=4 done.objects=5 expected.entries=1 expected.files=2 expected.content_bytes=3 expected.stored_bytes=4 expected.objects=5 path=.
2026-11-23T10:15:00Z alarm area=source condition=denied filename="\x1b[31m" message=é{} action=abort
2026-11-23T10:15:00Z done status=1 alarms=7 band=b totals.entries=1 totals.files=2 totals.content_bytes=3 totals.stored_bytes=4 totals.objects=5 error.kind=aborted error.message="stopped: <&>"
`,
		"json": `{"time":"2026-11-23T10:15:00Z","began":{"command":"backup","version":"\"1\""}}
{"time":"2026-11-23T10:15:00Z","entry_done":{"path":"a ` + "\uFFFD" + `\n\"b\"\\","path_base64":"YSD/CiJiIlw=","content_bytes":4611686018427387904}}
{"time":"2026-11-23T10:15:00Z","progress":{"done":{"entries":1,"files":2,"content_bytes":3,"stored_bytes":4,"objects":5},"expected":{"entries":1,"files":2,"content_bytes":3,"stored_bytes":4,"objects":5},"path":"."}}
{"time":"2026-11-23T10:15:00Z","alarm":{"area":"source","condition":"denied","filename":"\u001b[31m","message":"é{}","action":"abort"}}
{"time":"2026-11-23T10:15:00Z","done":{"status":1,"alarms":7,"band":"b","totals":{"entries":1,"files":2,"content_bytes":3,"stored_bytes":4,"objects":5},"error":{"kind":"aborted","message":"stopped: <&>"}}}
`,
		"textproto": `time: "2026-11-23T10:15:00Z" began {command: "backup" version: "\"1\""}
time: "2026-11-23T10:15:00Z" entry_done {path: "a \377\012\"b\"\\" content_bytes: 4611686018427387904}
time: "2026-11-23T10:15:00Z" progress {done {entries: 1 files: 2 content_bytes: 3 stored_bytes: 4 objects: 5} expected {entries: 1 files: 2 content_bytes: 3 stored_bytes: 4 objects: 5} path: "."}
time: "2026-11-23T10:15:00Z" alarm {area: "source" condition: "denied" filename: "\033[31m" message: "\303\251{}" action: "abort"}
time: "2026-11-23T10:15:00Z" done {status: 1 alarms: 7 band: "b" totals {entries: 1 files: 2 content_bytes: 3 stored_bytes: 4 objects: 5} error {kind: "aborted" message: "stopped: <&>"}}
`,
	} {
		var out bytes.Buffer
		if err := someEvents(eventsIn(format, &out)); err != nil || out.String() != want {
			t.Errorf("%s: %v\n%s\nwant\n%s", format, err, out.String(), want)
		}
		if format != "json" {
			continue
		}
		for line := range strings.Lines(out.String()) {
			if !json.Valid([]byte(line)) {
				t.Errorf("no JSON: %s", line)
			}
		}
	}
}

// Every event in textproto must be one of the schema's, with nothing in it that the schema doesn't have.
func TestEventsAreOfTheirSchema(t *testing.T) {
	protoc, err := exec.LookPath("protoc")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "events.proto"), []byte(eventsSchema), 0o644); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := someEvents(eventsIn("textproto", &out)); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		c := exec.Command(protoc, "--encode=dura.events.Event", "events.proto")
		c.Dir, c.Stdin = dir, strings.NewReader(line)
		if said, err := c.CombinedOutput(); err != nil {
			t.Errorf("%s%v: %s", line, err, said)
		}
	}
}

func TestProgressIsHeldBackAndNotLost(t *testing.T) {
	var out bytes.Buffer
	e := eventsIn("text", &out)
	at := time.Date(2026, 11, 23, 10, 15, 0, 0, time.UTC)
	e.now = func() time.Time { return at }
	for i := range 1000 { // ten seconds
		e.send(event.Progress{Done: event.Totals{Entries: int64(i)}})
		at = at.Add(10 * time.Millisecond)
	}
	if err := e.end(ending{}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if n := len(lines); n < 95 || n > 110 || !strings.Contains(lines[n-2], "done.entries=999") {
		t.Errorf("%d lines, the last of progress: %s", n, lines[n-2])
	}
}

func TestEventsThatCanNotBeWrittenAreAFailure(t *testing.T) {
	e := eventsIn("json", nil)
	e.w = bufio.NewWriter(writerFunc(func([]byte) (int, error) { return 0, errors.New("the reader is gone") }))
	if err := someEvents(e); err == nil || err.Error() != "the reader is gone" {
		t.Error(err)
	}
}

func TestAFloodOfAlarmsIsShownInPart(t *testing.T) {
	for verbose, want := range map[bool]int{false: maxShownAlarms + 1 + 1, true: 1000 + 1} {
		var out bytes.Buffer
		a := &app{console: &console{w: &out}, verbose: verbose}
		for i := range 1000 {
			a.tellAlarm(alarm.Alarm{Area: alarm.Restore, Condition: alarm.Denied, Filename: fmt.Sprint(i)}, alarm.Continue)
		}
		a.tellAlarm(alarm.Alarm{Area: alarm.Restore, Condition: alarm.Exists, Filename: "one of another kind"}, alarm.Continue)
		if lines := strings.Count(out.String(), "\n"); lines != want || !strings.HasSuffix(out.String(), "one of another kind\n") {
			t.Errorf("%d lines, not %d: %s", lines, want, out.String())
		}
		const more = "dura: more alarms restore/denied are counted and not shown; -v shows all, --log-file keeps them\n"
		if strings.Contains(out.String(), more) == verbose {
			t.Error(out.String())
		}
	}
}
