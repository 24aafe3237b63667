package main

import (
	"io"
	"os"
	"runtime/debug"
	"time"
)

// host is what of the outside world the program may touch.
type host struct {
	stdout, stderr io.Writer
	getenv         func(string) string
	now            func() time.Time
	uid, gid       int // effective
}

func realHost() host {
	return host{stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv, now: time.Now, uid: os.Geteuid(), gid: os.Getegid()}
}

// Exit statuses.
const (
	statusDone   = 0
	statusFailed = 1
	statusUsage  = 2 // the words were off
	statusAlarms = 3 // done, and alarms were raised
)

// What lives long in memory is the caches, so a collector that lets the heap grow by half is enough.
const gcPercent = 50

// tune sets up the garbage collector, unless the environment does.
func tune(getenv func(string) string) {
	if getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}
