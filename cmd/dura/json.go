package main

import (
	"encoding/json"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"dura/archive/alarm"
	"dura/archive/event"
	"dura/archive/format"
)

// The types of this file, and those that hold them, are what --json writes. Field names are a promise to scripts: they may
// be added to, not changed. The about tags are what "dura help json" says of them.

// errorDocument is all that is written by a command that failed before it had anything to tell.
type errorDocument struct {
	Error *jsonError `json:"error,omitempty" about:"why the command failed; not there when it did not"`
}

type jsonError struct {
	Kind    string `json:"kind" about:"what kind of failure, a stable word"`
	Message string `json:"message" about:"the sentence that is on standard error"`
}

// jsonPath is a path of a band.
type jsonPath struct {
	Path       string `json:"path" about:"path in the band, what is not UTF-8 replaced by U+FFFD"`
	PathBase64 []byte `json:"path_base64,omitempty" about:"its bytes, where they are not UTF-8"`
}

func pathOf(p format.Path) jsonPath {
	text, exact := jsonText(string(p))
	return jsonPath{text, exact}
}

// jsonText is s as a JSON string can hold it, and its bytes where that is not all.
func jsonText(s string) (text string, exact []byte) {
	if utf8.ValidString(s) {
		return s, nil
	}
	return strings.ToValidUTF8(s, "\uFFFD"), []byte(s)
}

type jsonAlarm struct {
	Area           string `json:"area" about:"source, archive, band, block, restore, or machine: what this machine keeps for dura"`
	Condition      string `json:"condition" about:"missing, ioerror, denied, corrupt, mismatch, exists or unsupported"`
	Filename       string `json:"filename" about:"what it is about: a local file, a path in the band, or an object"`
	FilenameBase64 []byte `json:"filename_base64,omitempty" about:"its bytes, where they are not UTF-8"`
	Message        string `json:"message,omitempty" about:"what the other fields don't say"`
}

func jsonAlarmOf(a alarm.Alarm) jsonAlarm {
	name, exact := jsonText(a.Filename)
	return jsonAlarm{string(a.Area), string(a.Condition), name, exact, alarmReason(a)}
}

type jsonAlarmCount struct {
	Area       string `json:"area" about:"as in an alarm"`
	Condition  string `json:"condition" about:"as in an alarm"`
	Raised     int64  `json:"raised" about:"how many, the suppressed ones not counted"`
	Suppressed int64  `json:"suppressed" about:"how many a rule suppressed"`
}

// jsonAlarms is what a document says of the alarms of a run.
type jsonAlarms struct {
	Alarms          int64            `json:"alarms" about:"how many alarms were raised, the suppressed ones not counted"`
	AlarmCounts     []jsonAlarmCount `json:"alarm_counts" about:"how many of each kind"`
	AlarmList       []jsonAlarm      `json:"alarm_list" about:"the alarms, up to 1000 of them"`
	AlarmsNotListed int64            `json:"alarms_not_listed" about:"how many there were beyond alarm_list"`
}

func (a *app) jsonAlarms() jsonAlarms {
	j := jsonAlarms{AlarmCounts: []jsonAlarmCount{}, AlarmList: []jsonAlarm{}}
	if a.alarms == nil {
		return j
	}
	j.Alarms = a.alarms.Raised()
	for _, c := range a.alarms.Counts() {
		j.AlarmCounts = append(j.AlarmCounts, jsonAlarmCount{string(c.Area), string(c.Condition), c.Raised, c.Suppressed})
	}
	kept, left := a.alarms.Kept()
	for _, one := range kept {
		j.AlarmList = append(j.AlarmList, jsonAlarmOf(one))
	}
	j.AlarmsNotListed = left
	return j
}

// alarmLine is an alarm in a stream.
type alarmLine struct {
	Alarm jsonAlarm `json:"alarm" about:"an alarm raised at this point"`
}

type jsonTotals struct {
	Entries      int64 `json:"entries" about:"paths of any kind"`
	Files        int64 `json:"files" about:"regular files"`
	ContentBytes int64 `json:"content_bytes" about:"bytes of their content, holes not counted"`
}

func jsonTotalsOf(t event.Totals) jsonTotals { return jsonTotals{t.Entries, t.Files, t.ContentBytes} }

// jsonTime is a time in UTC, RFC 3339 to the nanosecond.
func jsonTime(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// writeJSON writes v on one line.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// printJSON writes v to standard output.
func (a *app) printJSON(v any) error { return writeJSON(a.stdout, v) }

// errorOf is err for a document that tells of a failure beside what was done; nil where there was none.
func (a *app) errorOf(err error) *jsonError {
	if err == nil {
		return nil
	}
	kind, sentence := a.explain(err)
	return &jsonError{kind, sentence}
}
