package main

import (
	"context"
	"log/slog"
	"math"
	"sync"
	"time"

	"dura/archive/storage/cloud/store"
	"dura/archive/storage/retry"
)

// defaultRetryFor outlasts a router that restarts and a store that is busy, and is less than cron's hour.
const defaultRetryFor = 5 * time.Minute

// patientPlace is a store that is asked again when it does not answer.
type patientPlace struct {
	*retry.Storage
	store *store.Storage
}

func (p patientPlace) Close() error { return p.store.Close() }

// Occupant implements archive.Occupant.
func (p patientPlace) Occupant(ctx context.Context) (string, error) { return p.store.Occupant(ctx) }

// patient asks the store again, for as long as --retry-for says.
func (a *app) patient(s *store.Storage) place {
	if a.retryFor <= 0 {
		return s
	}
	o := retry.Options{Tries: math.MaxInt, Total: a.retryFor, Now: a.host.now}
	o.Waiting = (&waiting{app: a}).tell
	return patientPlace{retry.New(s, o), s}
}

// waiting tells of a store that does not answer. Many requests may wait for the same: it is said again only as the pauses grow.
type waiting struct {
	app *app

	mu     sync.Mutex
	told   time.Time
	failed int
}

// tellEvery is how long nothing more is said, unless it looks worse.
const tellEvery = 10 * time.Second

func (w *waiting) tell(wait retry.Wait) {
	place := shown(w.app.located(""))
	line := sprintf(msgStoreWaits, place, reasonOf(wait.Err), shownPause(wait.For))
	w.app.log.write(slog.LevelWarn, line, "operation", wait.Op, "object", wait.Object, "failed", wait.Failed)
	if w.isNews(wait) && !w.app.quiet {
		w.app.console.say(msgPrefix + line)
	}
}

func (w *waiting) isNews(wait retry.Wait) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.app.host.now()
	if fresh := now.Sub(w.told) >= tellEvery; !fresh && wait.Failed <= w.failed {
		return false
	}
	w.told, w.failed = now, wait.Failed
	return true
}

// shownPause is a pause to show.
func shownPause(d time.Duration) time.Duration {
	if d < time.Second {
		return d.Round(10 * time.Millisecond)
	}
	return d.Round(time.Second / 10)
}
