package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"
)

func TestEqualBackupsHaveOneLock(t *testing.T) {
	t.Chdir(t.TempDir())
	name := func(archive, host string, paths ...string) string {
		t.Helper()
		name, err := lockName(archive, host, paths)
		if err != nil {
			t.Fatal(err)
		}
		return name
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	one := name("id", "host", "/etc", "/home")
	for _, same := range []string{name("id", "host", "/home", "/etc"), name("id", "host", "/etc/", "/home", "/home/.")} {
		if same != one {
			t.Errorf("%s and %s", one, same)
		}
	}
	if name("id", "host", "x") != name("id", "host", filepath.Join(here, "x")) {
		t.Error("a relative path is another one")
	}
	seen := map[string]bool{one: true}
	for _, other := range []string{
		name("other", "host", "/etc", "/home"), name("id", "other", "/etc", "/home"), name("id", "host", "/etc"), name("id", "host", "/etc", "/home", "/x"),
		name("id", "host", "/etc/home"),
	} {
		if seen[other] {
			t.Errorf("%s is that of two backups", other)
		}
		seen[other] = true
	}
}

func TestOneOfManyTakesALock(t *testing.T) {
	file := filepath.Join(t.TempDir(), "deep", "down", "lock")
	now := time.Unix(1_800_000_000, 0).UTC()
	for round := range 20 {
		var all sync.WaitGroup
		var mu sync.Mutex
		var held []*lock
		for range 8 {
			all.Go(func() {
				l, err := takeLock(file, os.Getpid(), now)
				mu.Lock()
				defer mu.Unlock()
				var running *runningError
				switch {
				case err == nil:
					held = append(held, l)
				case !errors.As(err, &running):
					t.Error(err)
				case running.pid != os.Getpid() || !running.since.Equal(now):
					t.Errorf("it is held by %+v", running)
				}
			})
		}
		all.Wait()
		if len(held) != 1 {
			t.Fatalf("round %d: %d hold it", round, len(held))
		}
		held[0].release()
	}
}

func TestWhatAFormerHolderSaidIsNotBelieved(t *testing.T) {
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Skip(err)
	}
	file := filepath.Join(t.TempDir(), "lock")
	for _, left := range []string{"", "nonsense", "pid -1 since 2026-11-25T00:00:00Z\n",
		"pid " + strconv.Itoa(gone.Process.Pid) + " since 2026-11-25T00:00:00Z\n"} {
		if err := os.WriteFile(file, []byte(left), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(file, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		if e := readHolder(f); e.pid != 0 || !e.since.IsZero() {
			t.Errorf("%q: %+v", left, e)
		}
		f.Close()
		l, err := takeLock(file, os.Getpid(), time.Now())
		if err != nil {
			t.Fatalf("%q: %v", left, err)
		}
		l.release()
		if content, err := os.ReadFile(file); len(content) != 0 || err != nil {
			t.Errorf("it says %q behind its end, %v", content, err)
		}
	}
}

func TestStateDirectories(t *testing.T) {
	for _, c := range []struct{ state, home, want string }{
		{"/state", "/home/me", "/state/dura"},
		{"", "/home/me", "/home/me/.local/state/dura"},
		{"not/absolute", "/home/me", "/home/me/.local/state/dura"},
	} {
		a := &app{host: host{getenv: func(name string) string {
			return map[string]string{"XDG_STATE_HOME": c.state, "HOME": c.home}[name]
		}}}
		if got := a.stateDir(); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
	none := &app{host: host{getenv: func(string) string { return "" }}}
	if got := none.stateDir(); !filepath.IsAbs(got) {
		t.Errorf("without an environment: %s", got)
	}
}
