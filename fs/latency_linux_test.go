package fs_test

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"dura/archive/archivetest"
	"dura/archive/format"
	"dura/archive/storage/storagetest"
	"dura/fs"
)

// took times a command once it is started: what it does alone.
func took(t *testing.T, c *exec.Cmd) time.Duration {
	t.Helper()
	var said bytes.Buffer
	c.Stderr = &said // what it reads goes nowhere: to keep a large file would take longer than to read it
	began := time.Now()
	if err := c.Run(); err != nil {
		t.Fatalf("%v: %s", err, said.Bytes())
	}
	return time.Since(began)
}

func TestFirstByteTakesThreeRoundTrips(t *testing.T) {
	st := archivetest.NewArchive(t)
	newBand(t, st, 0).Complete(archivetest.Tree(manyFiles(300)))
	for _, o := range []fs.Options{{}, {Band: "latest"}} {
		recorder := storagetest.NewRecorder(farAway(st))
		m := mountStorage(t, recorder, o)
		file := m.path("latest", "d3", "e3", "f234")
		if o.Band != "" {
			file = m.path("d3", "e3", "f234")
		}
		before := len(recorder.Log())
		if got := m.run("cat", file); got != "234" {
			t.Errorf("%q", got)
		}
		if trips := roundTrips(recorder.Log()[before:]); trips > 3 {
			t.Errorf("%+v: %d round trips: %+v", o, trips, recorder.Log()[before:])
		}
	}
}

// roundTrips is the longest row of requests of which each began when the one before it was over.
func roundTrips(log []storagetest.Record) int {
	longest := 0
	depth := make([]int, len(log)) // log is in the order of ends
	for i, r := range log {
		depth[i] = 1
		for j, before := range log[:i] {
			if before.Ended < r.Began {
				depth[i] = max(depth[i], depth[j]+1)
			}
		}
		longest = max(longest, depth[i])
	}
	return longest
}

// The processor counts here, and it may be busy: by how much it may be late. See latency_test.go for the time without it.
const busy = 4

func TestCopyOfAThousandFilesFarAwayTakesTwoSeconds(t *testing.T) {
	if testing.Short() {
		t.Skip("it is timed, and the race detector takes its time")
	}
	const files, most = 1000, busy * 2 * time.Second
	st, _ := thousandFiles(t)
	m := mountStorage(t, farAway(st), fs.Options{})
	copied := filepath.Join(t.TempDir(), "copied")
	duration := took(t, exec.Command("cp", "-r", m.path("latest", "d"), copied))
	t.Logf("%d files took %v", files, duration)
	if duration > most {
		t.Errorf("%d files took %v", files, duration)
	}
	m.run("diff", "-r", m.path("latest", "d"), copied)
}

func TestALargeFileFarAwayComesAsFastAsTheLine(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a while")
	}
	const size, leastPerSecond = 128 << 20, 70e6 / busy
	st := archivetest.NewArchive(t)
	archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0), FrameBytes: 1 << 20, SpanBytes: 1<<20 - 512}).
		Complete([]archivetest.Item{archivetest.Dir(format.Root), archivetest.File("large", noise(size))})
	m := mountStorage(t, farAway(st), fs.Options{})
	duration := took(t, exec.Command("cat", m.path("latest", "large")))
	perSecond := size / duration.Seconds()
	t.Logf("%.1f MB a second", perSecond/1e6)
	if perSecond < leastPerSecond {
		t.Errorf("%d bytes took %v: %.1f MB a second", size, duration, perSecond/1e6)
	}
}
