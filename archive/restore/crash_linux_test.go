package restore

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"dura/archive/event"
)

const (
	crashDest = "DURA_TEST_CRASH_DEST"
	crashWay  = "DURA_TEST_CRASH_WAY"
)

// TestHelperThatIsKilled restores many() and says so for each entry, in a process that the next test kills.
func TestHelperThatIsKilled(t *testing.T) {
	dest := os.Getenv(crashDest)
	if dest == "" {
		t.Skip("it helps another test")
	}
	told := make(chan struct{}, 1)
	o := Options{Overwrite: true, Events: func(e event.Event) {
		if _, ok := e.(event.EntryDone); ok {
			told <- struct{}{}
			fmt.Println("done")
			<-told
		}
	}}
	_, err := restoreIn(t.Context(), way(os.Getenv(crashWay)), open(t, many()), dest, o)
	t.Fatal("nobody has killed it:", err)
}

func TestKilledRunLeavesNoHalfFiles(t *testing.T) {
	b := open(t, many())
	want := expected(t, b)
	for _, w := range ways {
		dest := tempDir(t) + "/dest"
		for _, after := range []int{1, 57, 250} {
			restoreUntilKilled(t, dest, w, after)
			for p, d := range look(t, dest) {
				_, name := p.Split()
				switch {
				case strings.HasPrefix(d, "kind 2"):
				case strings.HasPrefix(name, TempPrefix) && (w == named || strings.HasPrefix(d, "kind 3")):
				case d != want[p]:
					t.Errorf("%s, after %d: %q: %s, want %s", w, after, p, d, want[p])
				}
			}
		}
		// A further run completes it, and takes away what the others left.
		restoreAll(t, b, dest, Options{Overwrite: true, Delete: true})
		compare(t, look(t, dest), want)
	}
}

func restoreUntilKilled(t *testing.T, dest string, w way, after int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestHelperThatIsKilled$", "-test.v")
	c.Env = append(os.Environ(), crashDest+"="+dest, crashWay+"="+string(w))
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	entries := 0
	for lines := bufio.NewScanner(out); entries < after && lines.Scan(); {
		if lines.Text() == "done" {
			entries++
		}
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err == nil || entries < after {
		t.Fatalf("it was not killed: %v after %d entries", err, entries)
	}
}
