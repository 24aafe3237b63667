package main

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"os/signal"
	"sync"
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
	stop           *stopper
}

var errInterrupted = errors.New("interrupted")

// stopper lets a command end in its own way when it is asked to for the first time.
type stopper struct {
	mu   sync.Mutex
	stop chan struct{} // nil: nobody wants to be asked
}

// ask closes the channel of who wants to be asked, and reports whether there was one.
func (s *stopper) ask() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop == nil {
		return false
	}
	close(s.stop)
	s.stop = nil
	return true
}

// wanted is closed once the command is asked to stop. Until done is called the context is then left alone.
func (s *stopper) wanted() (asked <-chan struct{}, done func()) {
	if s == nil {
		return nil, func() {}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop = make(chan struct{})
	return s.stop, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.stop = nil
	}
}

// realHost is the machine that the program runs on, with a context that the first SIGINT or SIGTERM cancels, or the second one
// if the command has its own way of stopping. One more ends the program at once.
func realHost() (context.Context, host) {
	h := host{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv, now: time.Now, random: rand.Reader,
		name: os.Hostname, drawEvery: 150 * time.Millisecond, stop: new(stopper),
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 3)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		if <-signals; h.stop.ask() {
			<-signals
		}
		cancel(errInterrupted)
		<-signals
		os.Exit(statusFailed)
	}()
	return ctx, h
}
