package retry

import "time"

// limit calls a function once it has run for as long as a try may take, stops not counted. Nil is no limit.
type limit struct {
	timer *time.Timer
	after time.Duration
}

func (o *operation) limit(f func()) *limit {
	if o.options.TryFor <= 0 {
		return nil
	}
	return &limit{time.AfterFunc(o.options.TryFor, f), o.options.TryFor}
}

func (l *limit) stop() {
	if l != nil {
		l.timer.Stop()
	}
}

func (l *limit) start() {
	if l != nil {
		l.timer.Reset(l.after)
	}
}
