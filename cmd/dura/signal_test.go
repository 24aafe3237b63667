package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startReading starts a backup that reads patterns from a pipe, and returns once it does.
func startReading(t *testing.T) (c *exec.Cmd, patterns io.WriteCloser, stderr *bytes.Buffer) {
	t.Helper()
	m, archive, src := newMachine(t), filepath.Join(t.TempDir(), "a"), tree(t)
	m.mustDo(t, "init", archive)
	c = exec.Command("dura", "backup", archive, src, "--exclude-from", "-") // TestMain puts it into the PATH
	stderr = &bytes.Buffer{}
	c.Stderr = stderr
	patterns, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill() })
	const beyondAnyPipe = 2 << 20 // so a reader must have taken part of it
	if _, err := io.WriteString(patterns, strings.Repeat("# pattern\n", beyondAnyPipe/10)); err != nil {
		t.Fatal(err)
	}
	return c, patterns, stderr
}

func TestASignalEndsTheRunInOrder(t *testing.T) {
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		c, patterns, stderr := startReading(t)
		if err := c.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		time.Sleep(300 * time.Millisecond) // so that it has taken notice
		patterns.Close()
		wantStatus(t, c, statusFailed)
		// On a busy machine the signal may come when the backup has begun, which has its own way of stopping.
		if said := stderr.String(); said != "dura: interrupted\n" && !strings.HasPrefix(said, "dura: "+msgStopped) {
			t.Errorf("standard error: %q", said)
		}
	}
}

func TestASecondSignalEndsTheRunAtOnce(t *testing.T) {
	c, _, _ := startReading(t)                                          // the pipe stays open: only the signal can end it
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} { // two of one kind may become one
		if err := c.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
	}
	wantStatus(t, c, statusFailed)
}

func wantStatus(t *testing.T, c *exec.Cmd, want int) {
	t.Helper()
	var exit *exec.ExitError
	if err := c.Wait(); !errors.As(err, &exit) || exit.ExitCode() != want {
		t.Errorf("the program ended with %v, not status %d", err, want)
	}
}
