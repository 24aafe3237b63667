package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"dura/archive/alarm"
	"dura/archive/event"
	"dura/archive/format"
	"dura/cmd/dura-mount/mounting"
)

// Exit statuses.
const (
	statusDone   = 0
	statusFailed = 1 // or aborted
	statusUsage  = 2 // the words were off
	statusAlarms = 3 // done, and alarms were raised
)

// app is one run of the program.
type app struct {
	host    host
	console *console
	stdout  io.Writer // where results go; host.stdout is what it is

	// The options of every command.
	json         bool
	quiet        bool
	verbose      bool
	rules        []string
	eventsFormat string
	eventsTo     string // a file
	logTo        string // a file
	retryFor     time.Duration
	cpu          string // files for profiles
	memory       string
	against      string // what verify compares with: a place, or local

	place   string       // the archive's, as given
	access  access       // what the command wants of it
	sealed  bool         // it is encrypted
	spec    string       // the band's, as given
	also    []string     // archives that damaged objects are taken from
	alarms  *alarm.Set   // nil until a command needs one
	opening alarm.Raiser // takes what is found of an archive's key; nil: alarms does
	shown   shownAlarms
	out     *stream // standard output, where a command writes a lot of it
	told    bool    // a JSON document is out that tells of failure too

	events     *events // nil: nobody follows
	onlyEvents bool    // on standard error
	log        *logFile
	done       event.Done // the operation's own
	failure    *jsonError // what was told

	kept       format.BandID // the band that a failed backup leaves behind
	restoredTo string        // where a failed restore has put files

	stopProfile func() // nil where there is none
}

// run runs the command that args say, and returns its exit status.
func run(ctx context.Context, h host, args []string) int {
	a := &app{host: h, console: &console{w: h.stderr}, stdout: output{h.stdout}}
	root := newRoot(a)
	root.SetArgs(args)
	err := a.profiled(func() error { return root.ExecuteContext(ctx) })
	if err != nil && ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = errors.Join(errInterrupted, err)
	}
	return a.end(a.status(err))
}

// begin is what every command does first.
func (a *app) begin(c *cobra.Command, args []string) error {
	return cmp.Or(a.startProfile(), a.startLog(append([]string{c.Name()}, args...)), a.startEvents(c.Name()))
}

// ending is how a run ended.
type ending struct {
	status  int
	alarms  int64
	done    event.Done // zero where nothing was to be done, or not all of it was
	failure *jsonError // nil where there was none
}

// end tells those who follow the run how it ended.
func (a *app) end(status int) int {
	how := ending{status: status, done: a.done, failure: a.failure}
	if a.alarms != nil {
		how.alarms = a.alarms.Raised()
	}
	for _, failed := range []struct {
		what string
		err  error
	}{{"--events", a.events.end(how)}, {"--log-file", a.log.end(how)}} {
		if failed.err != nil {
			a.console.say(msgPrefix + sprintf(msgFollowing, failed.what, reasonOf(failed.err)))
			status = statusFailed
		}
	}
	return status
}

// status says what went wrong, if anything did.
func (a *app) status(err error) int {
	a.countAlarms()
	var lost *outputError
	var mounted *mounting.StatusError
	switch {
	case err == nil && a.alarms != nil && a.alarms.Raised() > 0:
		return statusAlarms
	case err == nil:
		return statusDone
	case errors.As(err, &lost) && errors.Is(lost, syscall.EPIPE): // whoever read has enough
		return statusFailed
	case errors.Is(err, errTold):
		return statusFailed
	case errors.As(err, &mounted):
		return mounted.Status
	}
	if a.fail(err) == kindUsage {
		return statusUsage
	}
	return statusFailed
}

// fail tells of the failure on standard error, and with --json on standard output too. It returns the kind of failure.
func (a *app) fail(err error) (kind string) {
	kind, sentence := a.explain(err)
	a.console.say(msgPrefix + sentence)
	a.log.write(slog.LevelError, sentence, "kind", kind)
	a.failure = &jsonError{kind, sentence}
	if a.json && !a.told {
		a.printJSON(errorDocument{Error: &jsonError{Kind: kind, Message: sentence}})
	}
	return kind
}
