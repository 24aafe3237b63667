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
	name           string // what the program was called as
	uid, gid       int    // effective

	isServer bool   // in the background
	ready    func() // called when the mount can be used
}

func realHost() host {
	return host{
		stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv, now: time.Now, name: os.Args[0], uid: os.Geteuid(), gid: os.Getegid(),
		ready: func() {},
	}
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
