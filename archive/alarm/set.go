package alarm

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

const defaultKeepMax = 1000

// Options sets up a Set. The zero value is useful.
type Options struct {
	Rules    []Rule // the user's; a later rule wins over an earlier one
	Defaults []Rule // come ahead of Rules; nil means DefaultRules()

	// Asker decides where a rule says Ask, one alarm at a time. It must not raise alarms itself. Nil means Continue, and
	// so does any answer but Abort and Suppress.
	Asker func(Alarm) Action

	// Notify gets every alarm with what was decided, Continue, Abort or Suppress, from the goroutine that raised it: several
	// calls at once are usual.
	Notify func(Alarm, Action)

	Now func() time.Time // needed where a rule has a last day

	KeepMax int // how many alarms Kept returns at most; 0 means 1000, less than 0 none
}

// Set decides by rules what becomes of each alarm, counts the alarms and keeps some. It is a Raiser.
type Set struct {
	matchers []matcher
	now      func() time.Time
	asker    func(Alarm) Action
	notify   func(Alarm, Action)

	asking sync.Mutex // held while Asker runs

	mu      sync.Mutex
	counts  map[kind]Count
	keep    keeper
	aborted bool
}

// Count is how many alarms of one kind were raised.
type Count struct {
	Area       Area
	Condition  Condition
	Raised     int64 // all of them but the suppressed ones
	Suppressed int64
}

var errNoClock = errors.New("it has a last day, and there is no clock")

// NewSet makes a Set. It fails on a rule that ParseRule would refuse, and names it.
func NewSet(o Options) (*Set, error) {
	defaults := o.Defaults
	if defaults == nil {
		defaults = DefaultRules()
	}
	s := &Set{now: o.Now, asker: o.Asker, notify: o.Notify, counts: make(map[kind]Count)}
	for _, rule := range slices.Concat(defaults, o.Rules) {
		m, err := rule.compile()
		if err == nil && !rule.Until.IsZero() && o.Now == nil {
			err = errNoClock
		}
		if err != nil {
			return nil, fmt.Errorf("alarm rule %s: %w", rule, err)
		}
		s.matchers = append(s.matchers, m)
	}
	s.keep.max = o.KeepMax
	if o.KeepMax == 0 {
		s.keep.max = defaultKeepMax
	}
	return s, nil
}

// Raise decides by the last rule that matches; where none does the run goes on. Once one alarm has ended the run, none is
// asked about any more: Ask then means Abort.
func (s *Set) Raise(a Alarm) error {
	action := s.decide(a)
	if action == Ask {
		action = s.ask(a)
	}
	s.record(a, action)
	if s.notify != nil {
		s.notify(a, action)
	}
	if action == Abort {
		return &AbortError{Alarm: a}
	}
	return nil
}

func (s *Set) decide(a Alarm) Action {
	for _, m := range slices.Backward(s.matchers) {
		if m.match(a) && (m.rule.Until.IsZero() || !m.rule.over(s.now())) {
			return m.rule.Action
		}
	}
	return Continue
}

func (s *Set) ask(a Alarm) Action {
	if s.asker == nil {
		return Continue
	}
	s.asking.Lock()
	defer s.asking.Unlock()
	if s.isAborted() {
		return Abort
	}
	switch answer := s.asker(a); answer {
	case Abort:
		s.setAborted() // ahead of whoever waits to ask
		return Abort
	case Suppress:
		return Suppress
	default:
		return Continue
	}
}

func (s *Set) isAborted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.aborted
}

func (s *Set) setAborted() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.aborted = true
}

func (s *Set) record(a Alarm, action Action) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.aborted = s.aborted || action == Abort
	k := kind{a.Area, a.Condition}
	c := s.counts[k]
	c.Area, c.Condition = a.Area, a.Condition
	if action == Suppress {
		c.Suppressed++
	} else {
		c.Raised++
		s.keep.add(a)
	}
	s.counts[k] = c
}

// Counts returns one Count for each kind of alarm that came up, sorted by area and condition.
func (s *Set) Counts() []Count {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := make([]Count, 0, len(s.counts))
	for _, c := range s.counts {
		counts = append(counts, c)
	}
	slices.SortFunc(counts, func(a, b Count) int {
		return compareKinds(kind{a.Area, a.Condition}, kind{b.Area, b.Condition})
	})
	return counts
}

// Raised returns how many alarms there were, the suppressed ones not counted.
func (s *Set) Raised() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keep.seen
}

// Kept returns up to KeepMax of the alarms that were not suppressed, in the order they came, and how many more there were.
// The first of each kind are kept, and room is taken from the kinds that have most of it.
func (s *Set) Kept() (alarms []Alarm, notKept int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keep.alarms(), s.keep.seen - int64(s.keep.held)
}
