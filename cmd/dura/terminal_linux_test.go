package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// terminal is a pseudo-terminal; what is written to it is collected.
type terminal struct {
	*os.File // the program's side
	keyboard *os.File
	screen   chan string
}

func openTerminal(t *testing.T) *terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo-terminals here: ", err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo-terminals here: ", err)
	}
	if err := unix.IoctlSetWinsize(int(slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 100}); err != nil {
		t.Fatal(err)
	}
	term := &terminal{File: slave, keyboard: master, screen: make(chan string, 1)}
	go func() {
		all, _ := io.ReadAll(master) // ends with EIO once the other side is closed
		term.screen <- string(all)
	}()
	return term
}

// shown closes the program's side and returns all that was written to it.
func (term *terminal) shown() string {
	term.Close()
	return strings.ReplaceAll(<-term.screen, "\r\n", "\n")
}

func TestATerminalShowsProgress(t *testing.T) {
	m, archive, src := newMachine(t), filepath.Join(t.TempDir(), "a"), tree(t)
	m.mustDo(t, "init", archive)
	for verb, args := range map[string][]string{
		msgBackingUp: {"backup", archive, src}, msgVerifying: {"verify", archive, "--files"}, msgRestoring: {"restore", archive, t.TempDir()},
	} {
		if verb != msgBackingUp {
			m.mustDo(t, "backup", archive, src)
		}
		term := openTerminal(t)
		m.stderr = term.File
		status := m.dura(t.Context(), args...)
		screen := term.shown()
		m.stderr = &m.err
		if status != statusDone || !strings.Contains(screen, "\r"+wrapOff+verb) {
			t.Errorf("dura %s: status %d, terminal %q", args[0], status, screen)
		}
		if !strings.HasSuffix(screen, clearLine) {
			t.Errorf("dura %s leaves progress behind: %q", args[0], screen)
		}
	}
}

func TestQuietShowsNoProgressOnATerminal(t *testing.T) {
	m, archive, src := newMachine(t), filepath.Join(t.TempDir(), "a"), tree(t)
	m.mustDo(t, "init", archive)
	term := openTerminal(t)
	m.stderr = term.File
	if status := m.dura(t.Context(), "backup", archive, src, "-q"); status != statusDone {
		t.Errorf("status %d", status)
	}
	if screen := term.shown(); screen != "" {
		t.Errorf("terminal %q", screen)
	}
}

func TestATerminalShowsNamesQuoted(t *testing.T) {
	m, archive, dir := newMachine(t), filepath.Join(t.TempDir(), "a"), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "it's \x1b[31m"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	m.mustDo(t, "init", archive)
	m.mustDo(t, "backup", archive, dir)
	term := openTerminal(t)
	m.stdout = term.File
	if status := m.dura(t.Context(), "ls", archive, dir); status != statusDone {
		t.Errorf("status %d: %s", status, m.err.String())
	}
	if screen, want := term.shown(), `'it'\''s '$'\033''[31m'`+"\n"; screen != want {
		t.Errorf("terminal shows %q, not %q", screen, want)
	}
}

func TestAskingAsksAtTheTerminal(t *testing.T) {
	for answer, want := range map[string]int{"c": statusAlarms, "s": statusDone, "a": statusFailed} {
		m, archive, dest := newMachine(t), filepath.Join(t.TempDir(), "a"), t.TempDir()
		m.mustDo(t, "init", archive)
		t.Chdir(t.TempDir())
		if err := os.WriteFile("file", []byte("one"), 0o644); err != nil {
			t.Fatal(err)
		}
		m.mustDo(t, "backup", archive, "file")
		if err := os.WriteFile(filepath.Join(dest, "file"), []byte("mine"), 0o644); err != nil {
			t.Fatal(err)
		}
		term := openTerminal(t)
		m.stdin, m.stderr = term.File, term.File
		io.WriteString(term.keyboard, answer+"\n")
		status := m.dura(t.Context(), "restore", archive, dest, "--alarm", "restore/exists=ask", "-q")
		screen := term.shown()
		if status != want || !strings.Contains(screen, "Continue, suppress or abort?") {
			t.Errorf("answer %q: status %d, not %d; terminal %q", answer, status, want, screen)
		}
	}
}

func TestAPassphraseIsAskedForAtTheTerminal(t *testing.T) {
	m, archive := newMachine(t), filepath.Join(t.TempDir(), "a")
	at := func(typed string, args ...string) (status int, screen string) {
		term := openTerminal(t)
		m.stdin, m.stderr = term.File, term.File
		io.WriteString(term.keyboard, typed)
		status = m.dura(t.Context(), args...)
		return status, term.shown()
	}
	if status, screen := at("correct\ncorrect\n", "init", archive, "--passphrase"); status != statusDone || !strings.Contains(screen, "New passphrase: ") {
		t.Fatalf("status %d, terminal %q", status, screen)
	}
	if status, screen := at("one\ntwo\n", "init", archive+"2", "--passphrase"); status != statusFailed || !strings.Contains(screen, msgPrefix+"the two passphrases differ") {
		t.Errorf("status %d, terminal %q", status, screen)
	}
	if status, screen := at("wrong\ncorrect\n", "bands", archive); status != statusDone || !strings.Contains(screen, "Passphrase of "+archive) || !strings.Contains(screen, "That is not the one.") {
		t.Errorf("status %d, terminal %q", status, screen)
	}
	if status, screen := at("a\nb\nc\n", "bands", archive); status != statusFailed || !strings.Contains(screen, "what was typed is not the passphrase of") {
		t.Errorf("status %d, terminal %q", status, screen)
	}
}
