package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// userID is who dura-as-user is where the tests run as root.
const userID = 65534

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"dura": main,
		"dura-as-user": func() {
			becomeUser()
			main()
		},
	})
}

// becomeUser gives up root's powers; a normal user has none.
func becomeUser() {
	if os.Getuid() != 0 {
		return
	}
	for _, err := range []error{syscall.Setgroups(nil), syscall.Setgid(userID), syscall.Setuid(userID)} {
		if err != nil {
			fmt.Fprintln(os.Stderr, "becoming a user:", err)
			os.Exit(99)
		}
	}
}

// parallelScripts are those of commands that do much at once, or at the same time as another: what -short leaves, as CI with the race detector.
var parallelScripts = []string{
	"alarms", "backup", "disk", "encryptmount", "encryptrepair", "events", "lock", "log", "mount", "progress", "repair", "restore", "s3", "s3mount", "verify",
}

func TestScripts(t *testing.T) {
	dir, files := "testdata/script", []string(nil)
	if testing.Short() {
		for _, name := range parallelScripts {
			files = append(files, filepath.Join(dir, name+".txt"))
		}
		dir = ""
	}
	testscript.Run(t, testscript.Params{
		Dir: dir, Files: files,
		Setup: func(e *testscript.Env) error {
			e.Setenv("TZ", "UTC")
			setupS3(e)
			if err := setupState(e); err != nil {
				return err
			}
			return os.Chmod(filepath.Dir(e.WorkDir), 0o711) // for the user
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": cmdStatus, "s3": cmdS3, "waitfor": cmdWaitFor, "json": cmdJSON, "band": cmdBand, "flip": cmdFlip, "shorten": cmdShorten, "times": cmdTimes,
		},
		Condition: func(condition string) (bool, error) {
			switch condition {
			case "root":
				return os.Getuid() == 0, nil
			case "mounts": // file systems of a script's own can be mounted
				return exec.Command("unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt").Run() == nil, nil
			}
			return false, fmt.Errorf("there is no condition %q", condition)
		},
	})
}

// setupState makes the place for locks, which the user of a script may write to as well.
func setupState(e *testscript.Env) error {
	state := filepath.Join(e.WorkDir, ".state")
	e.Setenv("XDG_STATE_HOME", state)
	e.Setenv("XDG_CONFIG_HOME", filepath.Join(e.WorkDir, ".config"))
	for _, dir := range []string{state, filepath.Join(state, "dura"), filepath.Join(state, "dura", "locks"), filepath.Join(state, "dura", "summaries")} {
		if err := os.Mkdir(dir, 0o777); err != nil {
			return err
		}
		if err := os.Chmod(dir, 0o777); err != nil {
			return err
		}
	}
	return nil
}

// cmdStatus runs a command that must end with a given status: status 3 dura backup a src
func cmdStatus(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if err != nil || neg {
		ts.Fatalf("usage: status NUMBER COMMAND")
	}
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		got = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit status %d, not %d", got, want)
	}
}

// cmdJSON checks a value in the JSON objects of standard output: json 0.bands.1.state complete. The first part of the path
// says which of the objects, the value is a regular expression for all of it. With !, there must be no such value.
func cmdJSON(ts *testscript.TestScript, neg bool, args []string) {
	var documents []any
	d := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	d.UseNumber()
	for {
		var v any
		err := d.Decode(&v)
		if errors.Is(err, io.EOF) {
			break
		}
		ts.Check(err)
		documents = append(documents, v)
	}
	value, found := dig(documents, strings.Split(args[0], "."))
	text := fmt.Sprint(value)
	matches := found && (len(args) < 2 || regexp.MustCompile("^(?:"+args[1]+")$").MatchString(text))
	if matches == neg {
		ts.Fatalf("%s is %q (there: %v)", args[0], text, found)
	}
}

// dig follows a path into a JSON value.
func dig(v any, path []string) (any, bool) {
	if len(path) == 0 {
		return v, true
	}
	switch v := v.(type) {
	case map[string]any:
		inner, ok := v[path[0]]
		if !ok {
			return nil, false
		}
		return dig(inner, path[1:])
	case []any:
		if path[0] == "length" {
			return len(v), true
		}
		if i, err := strconv.Atoi(path[0]); err == nil && i < len(v) {
			return dig(v[i], path[1:])
		}
	}
	return nil, false
}

// cmdBand sets a variable to the id of the n-th band of an archive: band B a 0
func cmdBand(ts *testscript.TestScript, neg bool, args []string) {
	heads, err := filepath.Glob(filepath.Join(ts.MkAbs(args[1]), "bands", "*.head"))
	ts.Check(err)
	sealed, err := filepath.Glob(filepath.Join(ts.MkAbs(args[1]), "bands", "*.head.gpg"))
	ts.Check(err)
	heads = append(heads, sealed...)
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	if n >= len(heads) {
		ts.Fatalf("there are only %d bands", len(heads))
	}
	slices.Sort(heads)
	band, _, _ := strings.Cut(filepath.Base(heads[n]), ".head")
	ts.Setenv(args[0], band)
}

// cmdWaitFor waits until a file with something in it matches: waitfor dir/*
func cmdWaitFor(ts *testscript.TestScript, neg bool, args []string) {
	for until := time.Now().Add(20 * time.Second); time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
		files, err := filepath.Glob(ts.MkAbs(args[0]))
		ts.Check(err)
		for _, file := range files {
			if info, err := os.Stat(file); err == nil && info.Size() > 0 {
				return
			}
		}
	}
	ts.Fatalf("nothing came to match %s", args[0])
}

// cmdFlip flips a bit of one byte of files: flip 10 a/bands/*.tail
func cmdFlip(ts *testscript.TestScript, neg bool, args []string) {
	at, err := strconv.Atoi(args[0])
	ts.Check(err)
	change(ts, args[1], func(b []byte) []byte {
		b[at] ^= 1
		return b
	})
}

// cmdShorten cuts files to their first bytes: shorten 20 a/bands/*.tail
func cmdShorten(ts *testscript.TestScript, neg bool, args []string) {
	bytes, err := strconv.Atoi(args[0])
	ts.Check(err)
	change(ts, args[1], func(b []byte) []byte { return b[:bytes] })
}

func change(ts *testscript.TestScript, pattern string, f func([]byte) []byte) {
	files, err := filepath.Glob(ts.MkAbs(pattern))
	ts.Check(err)
	if len(files) == 0 {
		ts.Fatalf("no file matches %s", pattern)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		ts.Check(err)
		ts.Check(os.WriteFile(file, f(content), 0o600))
	}
}

// cmdTimes sets the modification time of files: times 2026-11-23T10:15:00Z f g
func cmdTimes(ts *testscript.TestScript, neg bool, args []string) {
	at, err := time.Parse(time.RFC3339, args[0])
	ts.Check(err)
	for _, file := range args[1:] {
		ts.Check(os.Chtimes(ts.MkAbs(file), at, at))
	}
}
