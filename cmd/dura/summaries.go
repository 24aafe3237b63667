package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/format"
	"dura/archive/summaries"
	"dura/cmd/dura/state"
	"dura/writer"
)

// summariesName is the file in which this machine keeps what it has written to the archive with this id.
func (a *app) summariesName(id string) string { return filepath.Join(a.stateDir(), "summaries", id) }

// keepSummary keeps what a backup has written. Where that can't be, an alarm says so; the band is none the worse for it.
func (a *app) keepSummary(ar *archive.Archive, r writer.Result) error {
	id := ar.Head().ID
	name := a.summariesName(id)
	unlock, err := lockSummaries(name)
	if err != nil {
		return a.notKept(name, err)
	}
	defer unlock()
	l, err := readSummaries(name, id)
	var corrupt *format.CorruptError
	switch {
	case errors.As(err, &corrupt):
		if err := a.damagedSummaries(name, msgSummariesBegun, corrupt); err != nil {
			return err
		}
		l = summaries.List{}
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return a.notKept(name, err)
	}
	if l.Archive == "" {
		l = summaries.List{Archive: id, Since: a.host.now().UTC()}
	}
	l = l.With(summaries.Summary{Band: r.Band, TailSHA256: r.TailSHA256, Totals: r.BandTotals})
	if err := state.Replace(name, summaries.Encode(l)); err != nil {
		return a.notKept(name, err)
	}
	return nil
}

func (a *app) notKept(name string, err error) error {
	return a.alarms.Raise(alarm.Alarm{
		Area: alarm.Machine, Condition: lockCondition(err), Filename: lockPlace(name, err), Message: sprintf(msgNotKept, bareReason(err)), Err: err,
	})
}

// damagedSummaries raises the alarm for a file that can't be read.
func (a *app) damagedSummaries(name, message string, err *format.CorruptError) error {
	return a.alarms.Raise(alarm.Alarm{Area: alarm.Machine, Condition: alarm.Corrupt, Filename: name, Message: sprintf(message, err.Reason), Err: err})
}

// readSummaries reads what this machine has kept of an archive. What is damaged, or of another archive, is a *format.CorruptError.
func readSummaries(name, id string) (summaries.List, error) {
	file, err := os.Open(name)
	if err != nil {
		return summaries.List{}, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, summaries.MaxBytes+1))
	if err != nil {
		return summaries.List{}, err
	}
	l, err := summaries.Decode(text)
	if err == nil && l.Archive != id {
		err = &format.CorruptError{What: "summaries", Reason: "they are of another archive"}
	}
	if err != nil {
		return summaries.List{}, err
	}
	return l, nil
}

// summariesWait is how long a backup waits for others that end at the same moment.
const summariesWait = 5 * time.Second

// lockSummaries keeps other runs away from a file of summaries, for as long as it takes to add one.
func lockSummaries(name string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(name+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for waited := time.Duration(0); ; waited += lockWait {
		err := flock(file, unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { file.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) || waited >= summariesWait {
			file.Close()
			return nil, &os.PathError{Op: "flock", Path: file.Name(), Err: err}
		}
		time.Sleep(lockWait)
	}
}
