package integration

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"dura/archive/storage/cloud/s3test"
	"dura/integration/awkward"
)

// inStore is a command of ours with credentials for the server.
func inStore(args ...string) *exec.Cmd {
	c := command("dura", args...)
	c.Env = os.Environ()
	for name, value := range s3test.Environment() {
		c.Env = append(c.Env, name+"="+value)
	}
	return c
}

// mustInStore runs one that has to end well.
func mustInStore(t *testing.T, args ...string) string {
	t.Helper()
	o := run(t, inStore(args...))
	if o.status != 0 {
		t.Fatalf("dura %s: exit status %d\n%s%s", strings.Join(args, " "), o.status, o.stdout, o.stderr)
	}
	return o.stdout
}

func TestAwkwardTreeComesBackFromAnObjectStore(t *testing.T) {
	needRoot(t)
	dir := scratch(t)
	src, dest := filepath.Join(dir, "src"), filepath.Join(dir, "dest")
	if _, err := awkward.Make(src, awkward.Options{Seed: 1}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { awkward.Remove(src) })
	t.Cleanup(func() { awkward.Remove(dest) })
	server := s3test.Start(t)
	archive := server.Archive("archive")
	mustInStore(t, "init", archive)
	for range 2 {
		backup := inStore("backup", archive, ".")
		backup.Dir = src
		if o := run(t, backup); o.status != 0 {
			t.Fatal(o.status, o.stderr)
		}
	}
	mustInStore(t, "restore", archive, dest)
	same(t, src, dest)
	mustInStore(t, "verify", "--files", archive)
}

// reads fails the test if more objects were read than it may take, since it was asked last.
func reads(t *testing.T, server *s3test.Server, what string) {
	t.Helper()
	n := 0
	requests := server.Requests()
	for _, r := range requests {
		if strings.HasPrefix(r, "GET ") && !strings.Contains(r, "list-type=2") {
			n++
		}
	}
	if n == 0 || n > maxReads {
		t.Errorf("%s takes %d reads:\n%s", what, n, strings.Join(requests, "\n"))
	}
	t.Logf("%s: %d requests, %d of them reads", what, len(requests), n)
}

// Each has a source of its own, half of which is equal to the others'.
func TestWritersAtOnceInABucket(t *testing.T) {
	for _, writers := range []int{2, 4} {
		t.Run(fmt.Sprint(writers), func(t *testing.T) {
			dir := scratch(t)
			server := s3test.Start(t)
			archive := server.Archive("archive")
			mustInStore(t, "init", archive)
			for round := range 2 {
				var all sync.WaitGroup
				for w := range writers {
					src := filepath.Join(dir, fmt.Sprint("src", w))
					fillSource(t, src, w, round)
					kept := filepath.Join(dir, fmt.Sprint("kept-", w, "-", round))
					shell(t, "/", "cp -a "+quoted(src)+" "+quoted(kept))
					all.Go(func() {
						if o := run(t, inStore("backup", "-q", archive, src)); o.status != 0 {
							t.Errorf("writer %d: exit status %d, %s", w, o.status, o.stderr)
						}
					})
				}
				all.Wait()
			}
			all := bandsBySource(t, archive)
			if len(all) != writers {
				t.Errorf("bands of %d writers", len(all))
			}
			for source, bands := range all {
				if len(bands) != 2 {
					t.Errorf("%s: bands %q", source, bands)
				}
				for round, band := range bands {
					dest := filepath.Join(dir, "dest-"+band)
					mustInStore(t, "restore", "-q", "-b", band, archive, dest)
					w := strings.TrimPrefix(filepath.Base(source), "src")
					same(t, filepath.Join(dir, fmt.Sprint("kept-", w, "-", round)), dest+source)
				}
			}
			mustInStore(t, "verify", "-q", "--files", archive)
			server.Requests()
			mustInStore(t, "ls", archive, filepath.Join(dir, "src0", "1"), "-b", all[filepath.Join(dir, "src0")][1])
			reads(t, server, "ls")
			mustInStore(t, "cat", archive, filepath.Join(dir, "src0", "1", "1"), "-b", all[filepath.Join(dir, "src0")][1])
			reads(t, server, "cat")
		})
	}
}

// bandsBySource are the ids of the complete bands of each source, oldest first.
func bandsBySource(t *testing.T, archive string) map[string][]string {
	t.Helper()
	var document struct {
		Bands []struct {
			Band    string `json:"band"`
			State   string `json:"state"`
			Sources []struct {
				Path string `json:"path"`
			} `json:"sources"`
		} `json:"bands"`
	}
	if err := json.Unmarshal([]byte(mustInStore(t, "bands", "--json", archive)), &document); err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	for _, b := range document.Bands {
		if b.State == "complete" && len(b.Sources) == 1 {
			source := b.Sources[0].Path
			found[source] = append(found[source], b.Band)
		}
	}
	return found
}

// fillSource makes the tree that a writer has in a round: files that all writers have, and files of its own, a few of which are
// other ones in each round.
func fillSource(t *testing.T, dir string, writer, round int) {
	t.Helper()
	for i := range 200 {
		content := fmt.Sprintf("file %d of all\n", i)
		if i%2 == 1 {
			content = fmt.Sprintf("file %d of writer %d, %d\n", i, writer, round*(i%10/9))
		}
		name := filepath.Join(dir, fmt.Sprint(i%7), fmt.Sprint(i))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		content = strings.Repeat(content, 1+i*13%500)
		if old, err := os.ReadFile(name); err == nil && string(old) == content {
			continue
		}
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
