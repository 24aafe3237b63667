package pack

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"dura/archive/format"
)

func TestFramesKeepTheirAim(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := Frames{AimBytes: [Streams]int64{1000, 500}}
		var raw [Streams]int64
		var began [Streams]Position
		at := Position(0)
		for range rapid.IntRange(1, 300).Draw(t, "members") {
			s := Stream(rapid.IntRange(0, 1).Draw(t, "stream"))
			bytes := rapid.Int64Range(1, 1500).Draw(t, "bytes")
			at += Position(rapid.IntRange(0, Window/4).Draw(t, "positions"))
			ends := f.EndsBefore(s, bytes, at)
			if want := raw[s] > 0 && raw[s]+bytes > f.AimBytes[s]; ends != want {
				t.Fatalf("a frame of %d bytes, a member of %d: ends %v", raw[s], bytes, ends)
			}
			if ends || raw[s] == 0 {
				raw[s], began[s] = 0, at
			}
			raw[s] += bytes
			for s := range Streams {
				stale := f.EndsStale(s, at)
				if want := raw[s] > 0 && at-began[s] >= Window; stale != want {
					t.Fatalf("a frame begun at %d is stale at %d: %v", began[s], at, stale)
				}
				if stale {
					raw[s] = 0
				}
			}
		}
	})
}

// model is the blocks open, as the rules in FORMAT.md have them.
type model struct{ stored, footer, began, others, ended [Streams]int64 }

func TestBlocksKeepTheirBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := Blocks{AimBytes: 1000, FirstBytes: rapid.SampledFrom([]int64{0, 60, 250, 1000, 3000}).Draw(t, "first")}
		var m model
		end := func(ends []Stream) {
			for _, s := range ends {
				if m.stored[s] == 0 {
					t.Fatal("a block that is not open ends")
				}
				m.stored[s], m.footer[s], m.others[s] = 0, 0, 0
				m.ended[s]++
				if m.stored[1-s] > 0 {
					m.others[1-s]++
				}
			}
		}
		at := int64(0)
		for range rapid.IntRange(1, 300).Draw(t, "frames") {
			s := Stream(rapid.IntRange(0, 1).Draw(t, "stream"))
			stored, footer := rapid.Int64Range(1, 1500).Draw(t, "stored"), rapid.Int64Range(0, 5<<20).Draw(t, "footer")
			at += rapid.Int64Range(0, Window/4).Draw(t, "positions")
			aim := int64(1000)
			if b.FirstBytes > 0 {
				aim = min(aim, b.FirstBytes<<min(m.ended[s], 10))
			}
			fits := m.stored[s] == 0 || m.stored[s]+stored <= aim && m.footer[s]+footer <= maxFooterBytes
			ends := b.Ends(s, stored, footer, Position(at))
			if fits != (len(ends) == 0) {
				t.Fatalf("%+v, %d more: ends %v", m, stored, ends)
			}
			end(ends)
			if m.stored[s] == 0 {
				m.began[s] = at
			}
			m.stored[s] += stored
			m.footer[s] += footer
			end(b.EndsStale(Position(at)))
			for s := range Streams {
				if m.stored[s] > 0 && (at-m.began[s] >= Window || m.others[s] >= maxOthers) {
					t.Fatalf("stream %d is open for too long: %+v at %d", s, m, at)
				}
			}
		}
		end(b.EndsLast())
		if m.stored != [Streams]int64{} {
			t.Fatalf("left open: %+v", m)
		}
	})
}

func hunkEnds(h *Hunks, paths []format.Path) map[format.Path]bool {
	ends := map[format.Path]bool{}
	for _, p := range paths {
		if h.EndsBefore(p, 100) {
			ends[p] = true
		}
	}
	return ends
}

func somePaths(n int) []format.Path {
	paths := make([]format.Path, n)
	for i := range paths {
		paths[i] = format.Path(fmt.Sprintf("home/someone/dir-%04d/file-%d", i/100, i))
	}
	return paths
}

func TestHunksHaveAboutAThousandEntries(t *testing.T) {
	const n = 1_000_000
	var h Hunks
	entries, hunks := 0, 1
	for _, p := range somePaths(n) {
		if h.EndsBefore(p, 100) {
			if entries < minHunkEntries {
				t.Fatal(entries)
			}
			entries = 0
			hunks++
		}
		if entries++; entries > maxHunkEntries {
			t.Fatal(entries)
		}
	}
	if mean := n / hunks; mean < 850 || mean > 1150 {
		t.Fatal(mean)
	}
}

func TestLargeEntriesEndHunksEarly(t *testing.T) {
	var h Hunks
	for i, p := range somePaths(100) {
		if ends := h.EndsBefore(p, 3<<20); ends != (i > 0 && i%2 == 0) {
			t.Fatal(i, ends)
		}
	}
}

func TestEqualRunsAreCutAlikeWhateverStandsAhead(t *testing.T) {
	paths := somePaths(100_000)
	whole := hunkEnds(&Hunks{}, paths)
	for _, skip := range []int{1, 37, 5_000} {
		part := hunkEnds(&Hunks{}, paths[skip:])
		differ := 0
		for p := range whole {
			if !part[p] {
				differ++
			}
		}
		if differ > 20 {
			t.Errorf("%d entries fewer ahead: %d of %d cuts moved", skip, differ, len(whole))
		}
	}
}
