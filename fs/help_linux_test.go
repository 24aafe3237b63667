package fs_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dura/archive"
	"dura/archive/alarm/alarmtest"
	"dura/archive/storage"
	"dura/fs"
)

// mount is a mount for tests.
type mount struct {
	t      *testing.T
	dir    string
	fs     *fs.FileSystem
	server *fs.Server
	alarms *alarmtest.Alarms
}

// mountStorage mounts an archive until the test ends.
func mountStorage(t *testing.T, st storage.Storage, o fs.Options) *mount {
	t.Helper()
	return mountOpened(t, openArchive(t, st, nil), o)
}

func mountOpened(t *testing.T, a *archive.Archive, o fs.Options) *mount {
	t.Helper()
	if _, err := os.Stat("/dev/fuse"); err != nil || os.Getuid() != 0 {
		t.Skip("mounting takes root and /dev/fuse")
	}
	m := &mount{t: t, dir: filepath.Join(t.TempDir(), "mnt")}
	m.fs, m.alarms = newFS(t, a, o)
	if err := os.Mkdir(m.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	var err error
	m.server, err = fs.Mount(t.Context(), m.fs, m.dir, fs.MountOptions{
		Source: "test", Direct: true, Logger: log.New(failing{t}, "", 0),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.end)
	return m
}

// failing is for a logger that has nothing to log.
type failing struct{ t *testing.T }

func (f failing) Write(p []byte) (int, error) {
	f.t.Errorf("logged: %s", p)
	return len(p), nil
}

func (m *mount) end() {
	ctx := context.Background()
	err := m.server.Unmount(ctx)
	if errors.Is(err, fs.ErrBusy) {
		m.t.Errorf("the mount is in use at the end")
		err = m.server.Detach(ctx)
	}
	if err != nil {
		m.t.Error(err)
	}
	select {
	case <-m.server.Done():
	case <-time.After(10 * time.Second):
		m.t.Error("the server goes on after the mount is gone")
	}
}

// path is where a path of the mount is.
func (m *mount) path(elements ...string) string {
	return filepath.Join(append([]string{m.dir}, elements...)...)
}

// run runs a command, which must succeed, and returns what it printed.
func (m *mount) run(name string, args ...string) string {
	m.t.Helper()
	return m.output(exec.Command(name, args...))
}

// client runs a function of clients in a process of its own.
func (m *mount) client(name string, args ...string) string {
	m.t.Helper()
	return m.output(m.clientCommand(name, args...))
}

func (m *mount) clientCommand(name string, args ...string) *exec.Cmd {
	m.t.Helper()
	if clients[name] == nil {
		m.t.Fatalf("there is no client %q", name)
	}
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), clientVariable+"="+name)
	return c
}

func (m *mount) output(c *exec.Cmd) string {
	m.t.Helper()
	var stderr strings.Builder
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		m.t.Fatalf("%s: %v\n%s%s", c, err, out, stderr.String())
	}
	return string(out)
}

// startTalk starts a command, waits for it to say something, and gives what it may be told, and, once it has ended, all that it said.
func startTalk(t *testing.T, c *exec.Cmd) (in io.WriteCloser, said func() string) {
	t.Helper()
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	ready := make(chan struct{})
	c.Stdout = &firstWrite{&out, ready}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	<-ready
	return in, func() string {
		in.Close()
		_ = c.Wait() // what it says tells
		return out.String()
	}
}
