package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// machine is a host for tests, with a clock that stands still and dice that repeat themselves.
type machine struct {
	host
	out, err bytes.Buffer
}

func newMachine(t testing.TB) *machine {
	t.Helper()
	m, state := &machine{}, t.TempDir()
	clock := time.Date(2026, 11, 23, 10, 15, 0, 0, time.UTC)
	m.host = host{
		stdin: strings.NewReader(""), stdout: &m.out, stderr: &m.err, getenv: func(name string) string {
			return map[string]string{"XDG_STATE_HOME": state}[name]
		},
		now:    func() time.Time { return clock },
		random: bytes.NewReader(bytes.Repeat([]byte{1, 2, 3, 4, 5, 6, 7, 8}, 1000)), name: func() (string, error) { return "box", nil },
		drawEvery: time.Nanosecond,
	}
	return m
}

// dura runs a command in process.
func (m *machine) dura(ctx context.Context, args ...string) int {
	m.out.Reset()
	m.err.Reset()
	return run(ctx, m.host, args)
}

// mustDo runs a command that must succeed.
func (m *machine) mustDo(t *testing.T, args ...string) {
	t.Helper()
	if status := m.dura(t.Context(), args...); status != statusDone {
		t.Fatalf("dura %s: status %d\n%s", strings.Join(args, " "), status, m.err.String())
	}
}

// tree makes a few files.
func tree(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "src")
	for name, content := range map[string]string{"a": "one", "d/b": "two", "d/e/c": "three"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestNoProgressIsWrittenWhereThereIsNoTerminal(t *testing.T) {
	m, archive, src := newMachine(t), filepath.Join(t.TempDir(), "a"), tree(t)
	for _, args := range [][]string{
		{"init", archive}, {"backup", archive, src}, {"verify", archive, "--files"}, {"restore", archive, t.TempDir()},
	} {
		m.mustDo(t, args...)
		if m.err.Len() > 0 {
			t.Errorf("dura %s writes to standard error: %q", args[0], m.err.String())
		}
		if m.out.Len() == 0 {
			t.Errorf("dura %s tells nothing", args[0])
		}
	}
}

func TestQuietIsSilentWhenAllIsWell(t *testing.T) {
	m, archive, src := newMachine(t), filepath.Join(t.TempDir(), "a"), tree(t)
	for _, args := range [][]string{
		{"init", archive, "-q"}, {"backup", archive, src, "-q"}, {"verify", archive, "--files", "-q"},
		{"restore", archive, t.TempDir(), "-q"},
	} {
		m.mustDo(t, args...)
		if m.err.Len()+m.out.Len() > 0 {
			t.Errorf("dura %s -q writes %q, %q", args[0], m.out.String(), m.err.String())
		}
	}
}

func TestTheBandIsNamedByTheClockAndTheDice(t *testing.T) {
	m, archive := newMachine(t), filepath.Join(t.TempDir(), "a")
	m.mustDo(t, "init", archive)
	m.mustDo(t, "backup", archive, tree(t), "--json")
	var d backupDocument
	if err := json.Unmarshal(m.out.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	if d.Band != "2026-11-23-101500-010203" {
		t.Errorf("band %s", d.Band)
	}
}

func TestAnInterruptedBackupSaysWhatIsKept(t *testing.T) {
	m, archive, src := newMachine(t), filepath.Join(t.TempDir(), "a"), tree(t)
	m.mustDo(t, "init", archive)
	ctx, cancel := context.WithCancelCause(t.Context())
	var stderr bytes.Buffer
	m.stderr = writerFunc(func(p []byte) (int, error) { // told of a file, by -v: the user interrupts
		cancel(errInterrupted)
		return stderr.Write(p)
	})
	if status := m.dura(ctx, "backup", archive, src, "-v"); status != statusFailed {
		t.Errorf("status %d", status)
	}
	want := "dura: interrupted; what was stored stays in band 2026-11-23-101500-010203, which is incomplete\n"
	if !strings.HasSuffix(stderr.String(), want) {
		t.Errorf("%q does not end in %q", stderr.String(), want)
	}
	m.stderr = &m.err
	m.mustDo(t, "bands", archive, "--json")
	var d bandsDocument
	if err := json.Unmarshal(m.out.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Bands) != 1 || d.Bands[0].State != stateIncomplete {
		t.Errorf("bands: %+v", d.Bands)
	}
}

func TestAClosedPipeIsNoNews(t *testing.T) {
	m, archive, src := newMachine(t), filepath.Join(t.TempDir(), "a"), tree(t)
	m.mustDo(t, "init", archive)
	m.mustDo(t, "backup", archive, src)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	read.Close()
	defer write.Close()
	m.stdout = write
	for _, args := range [][]string{{"ls", archive, "-R"}, {"cat", archive, src + "/a"}, {"bands", archive}, {"bands", archive, "--json"}} {
		if status := m.dura(t.Context(), args...); status != statusFailed || m.err.Len() > 0 {
			t.Errorf("%v: status %d, %q", args, status, m.err.String())
		}
	}
}

func TestAFullStandardOutputIsAFailure(t *testing.T) {
	m, archive, src := newMachine(t), filepath.Join(t.TempDir(), "a"), tree(t)
	m.mustDo(t, "init", archive)
	m.mustDo(t, "backup", archive, src)
	m.stdout = writerFunc(func([]byte) (int, error) { return 0, errors.New("the printer is on fire") })
	for _, args := range [][]string{{"ls", archive, "-R"}, {"cat", archive, src + "/a"}, {"bands", archive}, {"version"}} {
		status := m.dura(t.Context(), args...)
		if want := "dura: standard output takes no more: the printer is on fire\n"; status != statusFailed || m.err.String() != want {
			t.Errorf("%v: status %d, %q", args, status, m.err.String())
		}
	}
}

func TestWithoutRandomnessNothingIsMade(t *testing.T) {
	m, archive := newMachine(t), filepath.Join(t.TempDir(), "a")
	m.random = iotest.ErrReader(errors.New("no dice"))
	if status := m.dura(t.Context(), "init", archive); status != statusFailed {
		t.Errorf("status %d", status)
	}
	if _, err := os.Stat(archive); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something was made: %v", err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
