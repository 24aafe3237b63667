package archive_test

import (
	"testing"

	"dura/archive"
	"dura/archive/archivetest"
	"dura/archive/format"
)

func TestProgressIsWhatFollowsWithoutAGap(t *testing.T) {
	all := []string{fenceName(0), fenceName(1), fenceName(2), fenceName(3), fenceName(4)}
	for _, c := range []struct {
		what    string
		lost    []string
		entries int64
		loose   int
	}{
		{"all fences", nil, 100, 0},
		{"the last fence is not there yet", []string{fenceName(4)}, 100, 2},
		{"a hunk that came late", []string{fenceName(4), hunkName(8)}, 80, 0},
		{"no fence yet", all, 100, 10},
		{"no fence yet, and a hunk that came late", append([]string{hunkName(1)}, all...), 10, 1},
		{"no fence yet, and the first hunk came late", append([]string{hunkName(0)}, all...), 0, 0},
	} {
		a := open(t, begun(t, c.lost...), archive.Options{})
		p, err := a.OpenProgress(t.Context(), archivetest.BandID(0))
		if err != nil {
			t.Fatal(c.what, err)
		}
		if p.Band.Entries() != c.entries || len(p.Loose) != c.loose || p.NextHunk != 10 {
			t.Errorf("%s: %d entries, %d loose hunks, %d is next", c.what, p.Band.Entries(), len(p.Loose), p.NextHunk)
		}
		if c.entries > 0 {
			if last, err := p.Band.At(t.Context(), c.entries-1); err != nil || last.Path != p.Last {
				t.Errorf("%s: it has come to %q, %v", c.what, p.Last, err)
			}
		} else if p.Last != format.Root {
			t.Errorf("%s: it has come to %q", c.what, p.Last)
		}
	}
	a := open(t, begun(t, fenceName(2)), archive.Options{})
	if _, err := a.OpenProgress(t.Context(), archivetest.BandID(0)); !archive.Is(err, archive.KindMissing) {
		t.Errorf("a fence in the middle is lost: %v", err)
	}
}
