package main

import (
	"log/slog"
	"sync"
	"time"

	"dura/archive/event"
)

// progress follows a long operation: it draws a line on a terminal, and with -v tells of each entry that is done.
type progress struct {
	app  *app
	verb string

	mu    sync.Mutex
	last  event.Progress
	meter meter

	began   time.Time
	stop    chan struct{}
	stopped chan struct{}
}

// follow begins to show progress. The sink is for the operation; end must be called after it.
func (a *app) follow(verb string, expected event.Totals) (p *progress, end func()) {
	p = &progress{app: a, verb: verb, began: a.host.now(), stop: make(chan struct{}), stopped: make(chan struct{})}
	p.last.Expected = expected
	if !a.drawsProgress() {
		return p, func() {}
	}
	p.draw()
	go p.drawOn()
	return p, func() {
		close(p.stop)
		<-p.stopped
	}
}

// drawsProgress reports whether there is a terminal to draw on, and somebody who wants to see it.
func (a *app) drawsProgress() bool {
	return !a.quiet && !a.onlyEvents && isTerminal(a.host.stderr) && a.host.getenv("TERM") != "dumb"
}

// isFollowed reports whether anybody sees how far a run is.
func (a *app) isFollowed() bool { return a.events != nil || a.drawsProgress() }

// sink is an event.Sink.
func (p *progress) sink(e event.Event) {
	switch e := e.(type) {
	case event.Progress:
		p.app.events.send(p.update(e))
	case event.EntryDone:
		p.app.events.send(e)
		if p.app.verbose {
			p.app.tell(shown(rooted(e.Path)))
		}
	case event.Done:
		p.app.done = e
	}
}

// update notes how far the run is, and adds what lies ahead where only others know of that.
func (p *progress) update(e event.Progress) event.Progress {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.Expected == (event.Totals{}) {
		e.Expected = p.last.Expected
	}
	p.last = e
	return e
}

// tell says something that is no failure, and has it logged.
func (a *app) tell(line string) {
	a.console.say(line)
	a.log.write(slog.LevelInfo, line)
}

// rooted is a path of a band as a list shows it; the root has a name there.
func rooted(path string) string {
	if path == "" {
		return "."
	}
	return path
}

// expect sets what lies ahead, when that is known later.
func (p *progress) expect(t event.Totals) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last.Expected = t
}

func (p *progress) drawOn() {
	defer close(p.stopped)
	ticker := time.NewTicker(p.app.host.drawEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			p.draw()
		case <-p.stop:
			p.app.console.draw("")
			return
		}
	}
}

func (p *progress) draw() { p.app.console.draw(p.glance().line(columnsOf(p.app.host.stderr))) }

func (p *progress) glance() glance {
	now := p.app.host.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.meter.update(now, p.last.Done.ContentBytes)
	return glance{
		verb: p.verb, done: p.last.Done, expected: p.last.Expected, rate: p.meter.rate, elapsed: now.Sub(p.began), path: p.last.Path,
	}
}
