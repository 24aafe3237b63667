package integration

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dura/integration/awkward"
)

// TestSeveralWritersAtOnce lets several processes back up into one archive at the same time, twice, with changes in between. What
// they store has much in common. Every band is exact.
func TestSeveralWritersAtOnce(t *testing.T) {
	needRoot(t)
	for _, writers := range []int{2, 4} {
		t.Run(fmt.Sprint(writers), func(t *testing.T) {
			dir := scratch(t)
			archive := filepath.Join(dir, "archive")
			dura(t, "init", archive)
			sources := writersSources(t, dir, writers)
			for round := range 2 {
				for i, src := range sources {
					changeSource(t, src, round, i)
				}
				atOnce(t, archive, sources)
				for i, src := range sources {
					dest := fmt.Sprintf("%s/dest-%d-%d", dir, round, i)
					dura(t, "restore", "-q", archive, dest, "-b", latestOf(t, archive, src))
					same(t, src, dest+src)
					awkward.Remove(dest)
				}
			}
			dura(t, "verify", "-q", "--files", archive)
			shell(t, archive, "cd bands && cat *.sha256 | sha256sum --quiet -c")
		})
	}
}

// writersSources makes a tree for each writer: awkward ones, two of each kind, with the same part of a real tree in all of them.
func writersSources(t *testing.T, dir string, writers int) (sources []string) {
	t.Helper()
	for i := range writers {
		src := filepath.Join(dir, fmt.Sprintf("source%d", i))
		if _, err := awkward.Make(src, awkward.Options{Seed: uint64(1 + i/2), ManyEntries: 1000}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { awkward.Remove(src) })
		shell(t, "/", "cp -a /usr/local/go/src/net "+quoted(src+"/net"))
		sources = append(sources, src)
	}
	return sources
}

// changeSource adds, removes, moves and changes some of it.
func changeSource(t *testing.T, src string, round, writer int) {
	t.Helper()
	if round == 0 {
		return
	}
	shell(t, src, fmt.Sprintf(`echo %d %d > new%d; echo more >> net/dial.go; mv net/http net/moved; cp -a net/moved net/http
		rm -rf net/url; chmod 0700 net/mail; mkdir net/url; echo new > net/url/new; rm -rf net/moved`, round, writer, round))
}

// atOnce backs up every source at the same time.
func atOnce(t *testing.T, archive string, sources []string) {
	t.Helper()
	var started []*exec.Cmd
	var said []*strings.Builder
	for _, src := range sources {
		c, b := command("dura", "backup", "-q", archive, src), &strings.Builder{}
		c.Stderr = b
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		started, said = append(started, c), append(said, b)
	}
	for i, c := range started {
		if err := c.Wait(); err != nil {
			t.Errorf("the backup of %s: %v\n%s", sources[i], err, said[i])
		}
	}
}

// latestOf is the latest complete band of a source.
func latestOf(t *testing.T, archive, src string) (band string) {
	t.Helper()
	var list struct {
		Bands []struct {
			Band, State string
			Sources     []struct{ Path string }
		}
	}
	if err := json.Unmarshal([]byte(dura(t, "bands", "--json", archive).stdout), &list); err != nil {
		t.Fatal(err)
	}
	for _, b := range list.Bands {
		if b.State == "complete" && len(b.Sources) == 1 && b.Sources[0].Path == src {
			band = b.Band
		}
	}
	if band == "" {
		t.Fatalf("no complete band of %s", src)
	}
	return band
}
