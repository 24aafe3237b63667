package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
)

// A mount is served in the background by this program, run again with the same words. It gets a pipe, on readyFD, for what it
// has to say until the mount can be used: sentences for people, and then, if all is well, a NUL.
const (
	readyVariable = "DURA_MOUNT_READY_FD"
	readyFD       = 3
	readyByte     = 0
)

// endSignals end a mount.
var endSignals = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}

// startServer runs the program again and waits until the mount can be used, or can't.
func (s *settings) startServer(ctx context.Context, h host) error {
	program, err := os.Executable()
	if err != nil {
		return sentence(msgBackgroundStart, err)
	}
	output, err := s.openLog()
	if err != nil {
		return err
	}
	if output != nil {
		defer output.Close()
	}
	listen, tell, err := os.Pipe()
	if err != nil {
		return sentence(msgBackgroundStart, err)
	}
	defer listen.Close()
	server := exec.CommandContext(ctx, program, s.args...)
	server.Args[0] = h.name
	server.Env = append(os.Environ(), readyVariable+"="+strconv.Itoa(readyFD))
	server.ExtraFiles = []*os.File{tell}
	server.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if output != nil {
		server.Stdout, server.Stderr = output, output
	}
	err = server.Start()
	tell.Close()
	if err != nil {
		return sentence(msgBackgroundStart, err)
	}
	stop := passOn(server.Process)
	defer stop()
	if isReady(listen, h.stderr) {
		return nil
	}
	return s.serverStatus(server.Wait())
}

// serverStatus is how the server ended, all of which it has told itself unless it ended in an unusual way.
func (s *settings) serverStatus(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() > 0 {
		return &statusError{exit.ExitCode()}
	}
	return sentence(msgServerEnded, shown(s.mountpoint))
}

// passOn passes on signals to the server, which is in a session of its own.
func passOn(server *os.Process) (stop func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, endSignals...)
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-signals:
				_ = server.Signal(syscall.SIGTERM) // it may have ended
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		close(done)
	}
}

// isReady repeats what the server says until it is ready, or gone.
func isReady(listen io.Reader, w io.Writer) bool {
	buf := make([]byte, 4096)
	for {
		n, err := listen.Read(buf)
		said, _, ready := bytes.Cut(buf[:n], []byte{readyByte})
		_, _ = w.Write(said)
		if ready || err != nil {
			return ready
		}
	}
}

// openLog opens the log file; nil without one.
func (s *settings) openLog() (*os.File, error) {
	if s.logFile == "" {
		return nil, nil
	}
	f, err := os.OpenFile(s.logFile, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, sentence(msgLogFile, shown(s.logFile), bareReason(err))
	}
	return f, nil
}

// asServer is the host as the server in the background sees it: what it has to say goes to whoever waits, until it is ready. Of
// any other run of the program it is the host itself.
func (h host) asServer() host {
	fd, err := strconv.Atoi(h.getenv(readyVariable))
	if err != nil {
		return h
	}
	syscall.CloseOnExec(fd)
	tell := os.NewFile(uintptr(fd), "ready")
	log := h.stderr
	pipe := &switchWriter{w: tell}
	h.stderr, h.isServer = pipe, true
	h.ready = func() {
		_, _ = tell.Write([]byte{readyByte}) // if nobody waits any more, nobody needs to know
		pipe.set(log)
		tell.Close()
		_ = os.Chdir("/") // so that the directory it was started in can be unmounted
	}
	return h
}
