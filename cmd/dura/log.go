package main

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"dura/archive/alarm"
	"dura/archive/event"
)

// logFile is where --log-file has all that is said of a run, with the time, whatever -q and -v are. A nil one takes everything
// in silence.
type logFile struct {
	handler slog.Handler
	file    *os.File
	now     func() time.Time
	failed  atomic.Pointer[error]
}

// startLog opens the file that --log-file names, and notes what is run.
func (a *app) startLog(args []string) error {
	if a.logTo == "" {
		return nil
	}
	file, err := os.OpenFile(a.logTo, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return usage(msgLogFile, shown(a.logTo), reasonOf(err))
	}
	a.log = &logFile{handler: slog.NewTextHandler(file, &slog.HandlerOptions{Level: slog.LevelDebug}), file: file, now: a.host.now}
	quoted := make([]string, len(args))
	for i, arg := range args {
		quoted[i] = shellQuoted(arg)
	}
	a.log.write(slog.LevelInfo, "began", "command", "dura "+strings.Join(quoted, " "), "version", versionText())
	return nil
}

func (l *logFile) write(level slog.Level, msg string, attributes ...any) {
	if l == nil {
		return
	}
	record := slog.NewRecord(l.now(), level, msg, 0)
	record.Add(attributes...)
	if err := l.handler.Handle(context.Background(), record); err != nil {
		l.failed.CompareAndSwap(nil, &err)
	}
}

func (l *logFile) alarm(one alarm.Alarm, action alarm.Action) {
	level := slog.LevelWarn
	if action == alarm.Suppress {
		level = slog.LevelDebug
	}
	l.write(level, "alarm", "area", string(one.Area), "condition", string(one.Condition), "filename", one.Filename,
		"message", alarmReason(one), "action", action.String())
}

// end notes how the run ended. It returns what kept anything from being written.
func (l *logFile) end(how ending) error {
	if l == nil {
		return nil
	}
	attributes := []any{"status", how.status, "alarms", how.alarms}
	if how.done != (event.Done{}) {
		if how.done.Band != "" {
			attributes = append(attributes, "band", how.done.Band)
		}
		t := how.done.Totals
		attributes = append(attributes, "entries", t.Entries, "files", t.Files, "content_bytes", t.ContentBytes,
			"stored_bytes", t.StoredBytes)
	}
	l.write(slog.LevelInfo, "ended", attributes...)
	err := l.file.Close()
	if failed := l.failed.Load(); failed != nil {
		return *failed
	}
	return err
}
