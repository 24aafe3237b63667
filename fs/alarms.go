package fs

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/format"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

const (
	maxRaised  = 4096             // how many alarms are remembered
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
	if about.band != "" {
		a.Message = fmt.Sprintf("%q of band %s: %v", string(about.path), about.band, cause(err))
	}
	if s.isNew(raisedKey{about, a.Condition, a.Filename}) && s.raiser != nil {
		_ = s.raiser.Raise(a) // an alarm that ends a run has no run to end here
	}
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

func (s *alarms) isNew(k raisedKey) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if last, ok := s.raised.Get(k); ok && now.Sub(last) < raiseAgain {
		return false
	}
	s.raised.Add(k, now)
	s.count++
	return true
}

// raisedSoFar is how many were raised.
func (s *alarms) raisedSoFar() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}
