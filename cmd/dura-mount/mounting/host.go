// Package mounting is what "dura-mount" and "dura mount" have in common: the words they take, what speaks against a mount, serving
// it in the foreground or in the background, and the text for people about all that. Like those commands it touches flags,
// signals, the environment and the system; what is shown and served is package fs's.
package mounting

import (
	"context"
	"io"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"dura/archive/storage"
	"dura/archive/storage/cloud"
	"dura/cmd/dura/unlock"
)

// Host is what of the outside world a mount may touch.
type Host struct {
	Getenv   func(string) string
	Now      func() time.Time
	Words    []string                                                   // how the program was called, its name first
	UID, GID int                                                        // effective
	Ask      func(ctx context.Context, question string) ([]byte, error) // at a terminal, unseen; nil: there is none
	Say      func(line string)                                          // tells whoever gave the command
	Stdout   io.Writer                                                  // for help
	Stderr   io.Writer

	// OpenStore opens the place of an archive in an object store; nil in a program that lacks what it takes: see ElsewhereError.
	OpenStore func(context.Context, cloud.Place) (Place, error)
}

// Place is a storage that holds something open.
type Place interface {
	storage.Storage
	io.Closer
}

// RealHost is the machine that the program runs on. What there is to say goes to standard error, behind a prefix.
func RealHost(prefix string) Host {
	say := func(text string) { _, _ = io.WriteString(os.Stderr, text) }
	return Host{
		Ask:    unlock.Terminal(os.Stdin, os.Stderr, func(question string) { say(prefix + question) }, func() { say("\n") }),
		Getenv: os.Getenv, Now: time.Now, Words: os.Args, UID: os.Geteuid(), GID: os.Getegid(),
		Say:    func(line string) { say(prefix + line + "\n") },
		Stdout: os.Stdout, Stderr: os.Stderr,
	}
}

// Failure says why there is no mount: a stable word for programs, a sentence for people.
type Failure struct{ Kind, Sentence string }

func (e *Failure) Error() string { return e.Sentence }

// UsageError says that the words of the command line were off.
type UsageError struct{ Sentence string }

func (e *UsageError) Error() string { return e.Sentence }

// ElsewhereError says that the command is one for "dura mount", by the same words: the archive, or one to take from what it lacks, is in
// an object store, and the program has nothing to open that with.
type ElsewhereError struct{ Place string }

func (e *ElsewhereError) Error() string { return e.Place + " is in an object store" }

// StatusError is an exit status of which all is said already.
type StatusError struct{ Status int }

func (e *StatusError) Error() string { return sprintf("exit status %d", e.Status) }

// Exit statuses.
const (
	statusFailed = 1
	statusAlarms = 3 // done, and alarms were raised
)

// What lives long in memory is the caches, so a collector that lets the heap grow by half is enough. Until the mount can be used there
// is little in memory, and to collect it would be a quarter of the time that takes.
const (
	gcPercent      = 50
	startGCPercent = 400
)

// idleThreads is how many threads wait for the kernel's requests most of the time. The runtime takes them for working, and were they
// not added to those that may work it would start and stop others behind their back at each request, which takes a fifth of
// the time of listing a tree.
const idleThreads = 2

// tune sets up the runtime for a program that only serves a mount, unless the environment does.
func tune(getenv func(string) string) {
	if getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + idleThreads)
	}
	setGC(getenv, startGCPercent)
	if getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(math.MaxInt64)
	}
}

// settle is for when the mount can be used.
func settle(getenv func(string) string) { setGC(getenv, gcPercent) }

func setGC(getenv func(string) string, percent int) {
	if getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}
