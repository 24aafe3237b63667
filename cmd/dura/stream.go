package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"sync"

	"dura/archive/alarm"
	"dura/archive/format"
)

// output is standard output. Its errors are *outputError.
type output struct{ w io.Writer }

func (o output) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	if err != nil {
		err = &outputError{err}
	}
	return n, err
}

// outputError says that standard output takes no more.
type outputError struct{ Err error }

func (e *outputError) Error() string { return fmt.Sprintf("standard output: %v", e.Err) }
func (e *outputError) Unwrap() error { return e.Err }

// notAFileError says that something without content was asked for its content.
type notAFileError struct{ Entry *format.Entry }

func (e *notAFileError) Error() string { return fmt.Sprintf("%s is not a regular file", e.Entry.Path) }

// errTold stands for failures that were told of already.
var errTold = errors.New("told already")

const streamBufferBytes = 64 << 10

// stream is standard output where a command writes a lot of it: lines of JSON, names, content. Alarms may come from any
// goroutine; in a stream of JSON they wait for their turn.
type stream struct {
	*bufio.Writer

	mu     sync.Mutex
	alarms []alarmLine
}

// openStream makes standard output a stream; its end must be called when all is written.
func (a *app) openStream() *stream {
	s := &stream{Writer: bufio.NewWriterSize(a.stdout, streamBufferBytes)}
	a.out = s
	return s
}

// noteAlarm puts an alarm ahead of the next line.
func (s *stream) noteAlarm(one alarm.Alarm) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.alarms = append(s.alarms, alarmLine{jsonAlarmOf(one)})
}

// line writes the alarms that have come, and v on a line of its own.
func (s *stream) line(v any) error {
	if err := s.writeAlarms(); err != nil {
		return err
	}
	return writeJSON(s, v)
}

func (s *stream) writeAlarms() error {
	s.mu.Lock()
	alarms := s.alarms
	s.alarms = nil
	s.mu.Unlock()
	for _, one := range alarms {
		if err := writeJSON(s, one); err != nil {
			return err
		}
	}
	return nil
}

// end writes what is left.
func (s *stream) end() error {
	return cmp.Or(s.writeAlarms(), s.Flush())
}
