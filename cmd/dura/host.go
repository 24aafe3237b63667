package main

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// host is what of the outside world a command may touch.
type host struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	now            func() time.Time
	random         io.Reader
	name           func() (string, error) // of the machine
	drawEvery      time.Duration          // how often progress is drawn on a terminal
}

var errInterrupted = errors.New("interrupted")

// realHost is the machine that the program runs on, with a context that the first SIGINT or SIGTERM cancels. A second one
// ends the program at once.
func realHost() (context.Context, host) {
	h := host{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv, now: time.Now, random: rand.Reader,
		name: os.Hostname, drawEvery: 150 * time.Millisecond,
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel(errInterrupted)
		<-signals
		os.Exit(statusFailed)
	}()
	return ctx, h
}
