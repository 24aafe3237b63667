package main

import (
	"context"
	"errors"
	"io"
	"syscall"

	"dura/archive/alarm"
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
	json    bool
	quiet   bool
	verbose bool
	rules   []string
	cpu     string // files for profiles
	memory  string

	place  string     // the archive's, as given
	spec   string     // the band's, as given
	alarms *alarm.Set // nil until a command needs one
	out    *stream    // standard output, where a command writes a lot of it
	told   bool       // a JSON document is out that tells of failure too

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
	return a.end(err)
}

// end says what went wrong, if anything did.
func (a *app) end(err error) int {
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
	if a.json && !a.told {
		a.printJSON(errorDocument{Error: &jsonError{Kind: kind, Message: sentence}})
	}
	return kind
}
