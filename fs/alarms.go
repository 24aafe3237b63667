package fs

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/format"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

const (
	maxRaised  = 4096             // how many alarms are remembered
	maxLast    = 100              // how many are shown
	raiseAgain = 10 * time.Minute // how soon the same one is raised again
)

// subject is what a request is about.
type subject struct {
	band format.BandID
	path format.Path
}

// alarms raises each alarm once for each path, as programs try again what fails, and again after a while.
type alarms struct {
	raiser alarm.Raiser // may be nil
	now    func() time.Time

	mu     sync.Mutex
	raised *simplelru.LRU[raisedKey, time.Time]
	count  int64
	last   []RaisedAlarm // the newest last
}

// RaisedAlarm is an alarm that was raised while an archive was mounted, as status.json has it.
type RaisedAlarm struct {
	At        time.Time       `json:"at"`
	Area      alarm.Area      `json:"area"`
	Condition alarm.Condition `json:"condition"`
	Filename  string          `json:"filename"`
	Message   string          `json:"message"`
}

type raisedKey struct {
	subject
	condition alarm.Condition
	filename  string
}

func newAlarms(raiser alarm.Raiser, now func() time.Time) (*alarms, error) {
	raised, err := simplelru.NewLRU[raisedKey, time.Time](maxRaised, nil)
	return &alarms{raiser: raiser, now: now, raised: raised}, err
}

func (s *alarms) raise(err error, about subject) {
	a := archive.AlarmOf(err)
	if a.Filename == "" {
		a.Filename = string(about.path)
	}
	a.Message = fmt.Sprint(cause(err))
	if about.band != "" {
		a.Message = fmt.Sprintf("%q of band %s: %s", string(about.path), about.band, a.Message)
	}
	s.pass(a, about)
}

// pass passes an alarm on, unless it did so a short while ago.
func (s *alarms) pass(a alarm.Alarm, about subject) {
	if s.isNew(raisedKey{about, a.Condition, a.Filename}, a) && s.raiser != nil {
		_ = s.raiser.Raise(a) // an alarm that ends a run has no run to end here
	}
}

// Raise implements alarm.Raiser, for what the archive itself has to say while it is mounted.
func (f *FileSystem) Raise(a alarm.Alarm) error {
	if a.Message == "" && a.Err != nil {
		a.Message = a.Err.Error()
	}
	f.alarms.pass(a, subject{})
	return nil
}

// cause is what err says beyond what an alarm has in its own fields.
func cause(err error) any {
	var e *archive.Error
	switch {
	case !errors.As(err, &e):
		return err
	case e.Err != nil:
		return e.Err
	}
	return e.Kind
}

// isNew reports whether an alarm was not raised for a while, and notes that it is now.
func (s *alarms) isNew(k raisedKey, a alarm.Alarm) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if last, ok := s.raised.Get(k); ok && now.Sub(last) < raiseAgain {
		return false
	}
	s.raised.Add(k, now)
	s.count++
	if len(s.last) == maxLast {
		s.last = slices.Delete(s.last, 0, 1)
	}
	s.last = append(s.last, RaisedAlarm{now, a.Area, a.Condition, a.Filename, a.Message})
	return true
}

// raisedSoFar is how many were raised, and the last of them.
func (s *alarms) raisedSoFar() (count int64, last []RaisedAlarm) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count, append([]RaisedAlarm{}, s.last...)
}
