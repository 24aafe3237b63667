package repair_test

import (
	"sync"

	"dura/archive/alarm"
)

// alarms keeps what is raised.
type alarms struct {
	mu     sync.Mutex
	raised []alarm.Alarm
}

func (a *alarms) Raise(one alarm.Alarm) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.raised = append(a.raised, one)
	return nil
}
