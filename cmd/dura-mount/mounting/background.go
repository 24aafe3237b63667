package mounting

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"

	"dura/cmd/dura/unlock"
)

// A mount is served in the background by this program, run again with the same words. It gets a pipe, on readyFD, for what it
// has to say until the mount can be used.
const (
	readyVariable = "DURA_MOUNT_READY_FD"
	readyFD       = 3
)

// endSignals end a mount.
var endSignals = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}

// startServer runs the program again and waits until the mount can be used, or can't.
func (s *settings) startServer(ctx context.Context, h Host, alarms *alarms) error {
	program, err := os.Executable()
	if err != nil {
		return failure("system", msgBackgroundStart, err)
	}
	output, err := s.openLog() // for what the server says in its last moments
	if err != nil {
		return err
	}
	if output != nil {
		defer output.Close()
	}
	listen, tell, err := os.Pipe()
	if err != nil {
		return failure("system", msgBackgroundStart, err)
	}
	defer listen.Close()
	server := exec.Command(program, h.Words[1:]...)
	server.Args[0] = h.Words[0]
	server.Env = append(unlock.WithoutSecrets(os.Environ()), readyVariable+"="+strconv.Itoa(readyFD))
	key, giveKey, err := os.Pipe()
	if err != nil {
		tell.Close()
		return failure("system", msgBackgroundStart, err)
	}
	defer giveKey.Close()
	server.ExtraFiles = []*os.File{tell, key}
	server.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if output != nil {
		server.Stdout, server.Stderr = output, output
	}
	err = server.Start()
	tell.Close()
	key.Close()
	if err != nil {
		return failure("system", msgBackgroundStart, err)
	}
	stop := passOn(server.Process)
	defer stop()
	ready, failed := listenTo(listen, h.Say, func() error { return s.answer(ctx, h, alarms, giveKey) })
	if ready {
		return nil
	}
	err = server.Wait()
	var exit *exec.ExitError
	switch {
	case failed != nil:
		return failed
	case errors.As(err, &exit) && exit.ExitCode() > 0:
		return &StatusError{exit.ExitCode()}
	}
	return failure("system", msgServerEnded, shown(s.mountpoint))
}

// listenTo passes on what the server says until it is ready, or gone. Why there is no key it knows better than the server.
func listenTo(r io.Reader, say func(string), giveKey func() error) (ready bool, failed error) {
	messages := json.NewDecoder(r)
	var noKey error
	for {
		var m message
		switch err := messages.Decode(&m); {
		case err != nil:
			if noKey != nil {
				return false, noKey
			}
			return false, failed
		case m.Locked:
			noKey = giveKey()
		case m.Ready:
			return true, nil
		case m.Failed != nil:
			failed = m.Failed
		default:
			say(m.Say)
		}
	}
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

// readyPipe is the pipe to whoever waits, in a server in the background; nil in any other run of the program.
func readyPipe(getenv func(string) string) *os.File {
	fd, err := strconv.Atoi(getenv(readyVariable))
	if err != nil {
		return nil
	}
	_ = os.Unsetenv(readyVariable)
	syscall.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), "ready")
}

// serveBehind serves in the background, where what there is to say goes first to whoever waits and then to a log.
func (s *settings) serveBehind(ctx context.Context, h Host, alarms *alarms, pipe *os.File) error {
	defer pipe.Close()
	s.askParent = fromParent(pipe)
	t := &teller{say: func(line string) { send(pipe, message{Say: line}) }}
	log, err := s.openLog()
	if err == nil {
		err = s.serve(ctx, h, alarms, t, func() {
			t.turn(backgroundLog(log, h))
			send(pipe, message{Ready: true})
			pipe.Close()
			_ = os.Chdir("/") // so that the directory it was started in can be unmounted
		})
	}
	var failed *Failure
	if errors.As(err, &failed) {
		t.mu.Lock()
		defer t.mu.Unlock()
		send(pipe, message{Failed: failed})
		return &StatusError{statusFailed}
	}
	return err
}

// backgroundLog is where a server says what nobody waits for: the log file, or else the system's log.
func backgroundLog(file *os.File, h Host) func(string) {
	if file != nil {
		return toFile(file, h.Now)
	}
	return systemLog()
}
