package main

import (
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"dura/archive/event"
)

func TestProgressLines(t *testing.T) {
	half := glance{
		verb: "backing up", done: event.Totals{Files: 1234, ContentBytes: 50 << 20}, expected: event.Totals{ContentBytes: 100 << 20},
		rate: 10 << 20, elapsed: 5 * time.Second, path: "home/me/some/long/way/down/file.txt",
	}
	unknown := half
	unknown.expected = event.Totals{}
	early := half
	early.elapsed = time.Second
	for _, c := range []struct {
		g       glance
		columns int
		want    string
	}{
		{half, 200, "backing up  [##########----------]  50%  1,234 files  50.0 MiB  10.0 MiB/s  0:05 left  home/me/some/long/way/down/file.txt"},
		{half, 80, "backing up  50%  1,234 files  50.0 MiB  10.0 MiB/s  0:05 left  home/…n/file.txt"},
		{half, 40, "backing up  50%  1,234 files  50.0 MiB"},
		{unknown, 120, "backing up  1,234 files  50.0 MiB  10.0 MiB/s  home/me/some/long/way/down/file.txt"},
		{early, 66, "backing up  50%  1,234 files  50.0 MiB  10.0 MiB/s  home…file.txt"},
	} {
		if got := c.g.line(c.columns); got != c.want {
			t.Errorf("%d columns:\n got %q\nwant %q", c.columns, got, c.want)
		}
	}
}

func TestProgressNeverFillsTheLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := glance{
			verb: "restoring", path: rapid.String().Draw(t, "path"), rate: rapid.Float64Range(0, 1e18).Draw(t, "rate"),
			done:     event.Totals{Files: rapid.Int64Min(0).Draw(t, "files"), ContentBytes: rapid.Int64Min(0).Draw(t, "bytes")},
			expected: event.Totals{ContentBytes: rapid.Int64Min(0).Draw(t, "expected")}, elapsed: time.Hour,
		}
		columns := rapid.IntRange(1, 300).Draw(t, "columns")
		line := g.line(columns)
		if n := utf8.RuneCountInString(line); n >= columns && columns > 1 || !isPrintable(line) {
			t.Fatalf("%d of %d columns: %q", n, columns, line)
		}
	})
}

func TestTheRateFollowsWhatIsDone(t *testing.T) {
	var m meter
	at := time.Unix(1000, 0)
	for i := range int64(100) {
		m.update(at.Add(time.Duration(i)*100*time.Millisecond), i*100)
	}
	if m.rate < 999 || m.rate > 1001 {
		t.Errorf("a steady 1000 B/s is shown as %f", m.rate)
	}
	for i := range int64(200) {
		m.update(at.Add(10*time.Second+time.Duration(i)*100*time.Millisecond), 10000)
	}
	if m.rate > 50 {
		t.Errorf("20 s after it stopped the rate is %f", m.rate)
	}
}

func TestFilesWithoutContentCountByEntries(t *testing.T) {
	g := glance{done: event.Totals{Entries: 25}, expected: event.Totals{Entries: 100}}
	if share, ok := g.share(); !ok || share != 0.25 {
		t.Errorf("share %f, %v", share, ok)
	}
	if _, ok := (glance{}).share(); ok {
		t.Error("a share of nothing")
	}
}
