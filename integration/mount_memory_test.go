package integration

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"dura/fs"
)

var peakLine = regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`)

// mountPeakBytes is the most memory that the server of a mount took so far.
func mountPeakBytes(t testing.TB, point string) int64 {
	t.Helper()
	pid := strings.TrimSpace(shell(t, "/", `pgrep -f "dura-mount .* `+point+`( |$)"`))
	text, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		t.Fatal(err)
	}
	found := peakLine.FindSubmatch(text)
	if found == nil {
		t.Fatalf("%s", text)
	}
	kilobytes, err := strconv.ParseInt(string(found[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}

func checkMountPeak(t testing.TB, point string, maxBytes int64) {
	t.Helper()
	peak := mountPeakBytes(t, point)
	t.Logf("dura-mount: peak memory %d MB", peak>>20)
	if peak > maxBytes {
		t.Errorf("dura-mount: peak memory %d MB, more than %d MB", peak>>20, maxBytes>>20)
	}
}

// checkFind looks at every entry of the latest band in a mount.
func checkFind(t testing.TB, archive, src string, files int) {
	t.Helper()
	point := mount(t, archive, "")
	if out := shell(t, point+"/latest"+src, "find . -type f -size 0 -printf x | wc -c"); strings.TrimSpace(out) != strconv.Itoa(files) {
		t.Errorf("find finds %s files", out)
	}
	checkMountPeak(t, point, maxPeakBytes)
}

// Eight processes at a time read forty times what the caches may keep, each in an order of its own.
func TestCacheLimitsHoldUnderAParallelLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a while")
	}
	const readers, cacheBytes, indexBytes, maxBytes = 8, 8 << 20, 1 << 20, maxPeakBytes
	dir := scratch(t)
	src := filepath.Join(dir, "src")
	shell(t, dir, "cp -a /usr/local/go/src src && for i in 1 2 3 4; do head -c 60000000 /dev/urandom >src/large$i; done")
	point := mount(t, backedUp(t, src), "cache_size=8M,index_cache_size=1M")
	in := filepath.Join(point, "latest") + src
	var all sync.WaitGroup
	for i := range readers {
		all.Go(func() {
			script := "cat large" + strconv.Itoa(1+i%4)
			if i%2 == 0 {
				script = "find . -type f ! -name 'large*' -print0 | shuf -z -n 3000 --random-source=<(yes " + strconv.Itoa(i) + ") | xargs -0 cat"
			}
			cmd := exec.Command("bash", "-euo", "pipefail", "-c", script)
			cmd.Dir = in
			if err := cmd.Run(); err != nil {
				t.Errorf("%s: %v", script, err)
			}
		})
	}
	ended := make(chan struct{})
	go func() {
		all.Wait()
		close(ended)
	}()
	var s fs.Status
	for going := true; going; {
		select {
		case <-ended:
			going = false
		case <-time.After(100 * time.Millisecond):
		}
		if err := json.Unmarshal([]byte(shell(t, point, "cat .dura/status.json")), &s); err != nil {
			t.Fatal(err)
		}
		if s.Frames.Bytes > cacheBytes || s.Index.Bytes > indexBytes {
			t.Fatalf("the caches hold too much: %+v %+v", s.Frames, s.Index)
		}
	}
	if s.Frames.Evicted < 100 || s.Index.Evicted < 10 {
		t.Errorf("the load proves nothing: %+v %+v", s.Frames, s.Index)
	}
	checkMountPeak(t, point, maxBytes)
}
