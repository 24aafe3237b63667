package compare

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dura/archive"
	"dura/archive/format"
)

var errHere = errors.New("here")

// row yields numbers, each below 0 as an error.
func row(numbers []int) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for _, n := range numbers {
			var err error
			if n < 0 {
				err = errHere
			}
			if !yield(n, err) {
				return
			}
		}
	}
}

func TestMergedYieldsEverythingOnceAndInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var rows [2][]int
		var sets [2]map[int]bool
		failures := [2]int{}
		for s := range rows {
			sets[s] = map[int]bool{}
			for _, n := range rapid.SliceOf(rapid.IntRange(0, 30)).Draw(t, "numbers") {
				sets[s][n] = true
			}
			rows[s] = slices.Sorted(maps.Keys(sets[s]))
			for range rapid.IntRange(0, 2).Draw(t, "failures") {
				rows[s] = slices.Insert(rows[s], rapid.IntRange(0, len(rows[s])).Draw(t, "at"), -1)
				failures[s]++
			}
		}
		last := -1
		var seen [2]int
		for both, failed := range merged([2]iter.Seq2[int, error]{row(rows[here]), row(rows[there])}, func(x, y *int) int { return cmp.Compare(*x, *y) }) {
			if failed != nil {
				failures[failed.side]--
				continue
			}
			n := *either(both[here], both[there])
			if n <= last {
				t.Fatalf("%d behind %d", n, last)
			}
			last = n
			for s, v := range both {
				if (v != nil) != sets[s][n] || v != nil && *v != n {
					t.Fatalf("%d is %v on side %d", n, v, s)
				}
				if v != nil {
					seen[s]++
				}
			}
		}
		if seen != [2]int{len(sets[here]), len(sets[there])} || failures != [2]int{} {
			t.Fatalf("seen %v of %v, failures left %v", seen, rows, failures)
		}
	})
}

func TestMergedCanBeLeft(t *testing.T) {
	for n := range 6 {
		left := n
		for range merged([2]iter.Seq2[int, error]{row([]int{1, -1, 3}), row([]int{2, 3, -1})}, func(x, y *int) int { return cmp.Compare(*x, *y) }) {
			if left--; left <= 0 {
				break
			}
		}
	}
}

func TestVerdicts(t *testing.T) {
	sum := func(s string) format.Hash { return format.SumBytes([]byte(s)) }
	file := func(by func(*format.Entry)) format.Entry {
		e := format.Entry{Path: "f", Kind: format.File, Size: 5, SHA256: sum("a"), MTime: format.Time{Seconds: 7, Nanos: 1}}
		by(&e)
		return e
	}
	link := func(target string, seconds int64) format.Entry {
		return format.Entry{Kind: format.Symlink, Target: target, MTime: format.Time{Seconds: seconds}}
	}
	device := func(minor uint32) format.Entry {
		return format.Entry{Kind: format.BlockDevice, Rdev: format.DeviceNumber{Major: 1, Minor: minor}}
	}
	as := func(*format.Entry) {}
	data := func(s string) func(*format.Entry) {
		return func(e *format.Entry) { e.SHA256, e.DataSHA = format.Hash{}, sum(s) }
	}
	for name, c := range map[string]struct {
		x, y format.Entry
		want verdict
	}{
		"equal":                       {file(as), file(as), same},
		"touched":                     {file(as), file(func(e *format.Entry) { e.MTime.Nanos++ }), same},
		"owned by another":            {file(as), file(func(e *format.Entry) { e.Owner.UID, e.Mode = 5, 0o600 }), same},
		"another content":             {file(as), file(func(e *format.Entry) { e.SHA256 = sum("b") }), wrong},
		"another content and time":    {file(as), file(func(e *format.Entry) { e.SHA256, e.MTime.Nanos = sum("b"), 2 }), changed},
		"another size":                {file(as), file(func(e *format.Entry) { e.SHA256, e.Size = sum("b"), 6 }), changed},
		"written while it was read":   {file(as), file(func(e *format.Entry) { e.SHA256, e.Unstable = sum("b"), true }), changed},
		"another kind":                {file(as), link("a", 1), changed},
		"no hash":                     {file(as), file(func(e *format.Entry) { e.SHA256 = format.Hash{} }), unknown},
		"holes here alone":            {file(data("a")), file(as), unknown},
		"holes here alone, and later": {file(data("a")), file(func(e *format.Entry) { e.MTime.Seconds++ }), changed},
		"holes in both":               {file(data("a")), file(data("a")), bySpread},
		"a link":                      {link("a", 1), link("a", 2), same},
		"another target":              {link("a", 1), link("b", 1), wrong},
		"another target later":        {link("a", 1), link("b", 2), changed},
		"a device":                    {device(1), device(1), same},
		"another device":              {device(1), device(2), changed},
		"a directory":                 {format.Entry{Kind: format.Directory}, format.Entry{Kind: format.Directory, MTime: format.Time{Seconds: 1}}, same},
	} {
		if got := judge(&c.x, &c.y); got != c.want || judge(&c.y, &c.x) != c.want {
			t.Errorf("%s: %d, not %d", name, got, c.want)
		}
	}
	x, y, z := file(data("a")), file(data("b")), file(func(e *format.Entry) { data("b")(e); e.MTime.Seconds++ })
	for want, got := range map[string]verdict{
		"same": judgeSpread(&x, &x, true), "wrong": judgeSpread(&x, &y, true), "changed": judgeSpread(&x, &z, true), "unknown": judgeSpread(&x, &x, false),
	} {
		if map[string]verdict{"same": same, "wrong": wrong, "changed": changed, "unknown": unknown}[want] != got {
			t.Errorf("%s: %d", want, got)
		}
	}
}

// TestStretchesAreThoseOfTheFile: however its data is cut into spans.
func TestStretchesAreThoseOfTheFile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bytes := rapid.SliceOf(rapid.Bool()).Draw(t, "is data")
		cut := func() *format.Entry {
			e := &format.Entry{Kind: format.File, Size: int64(len(bytes))}
			var s format.Span
			end := func() {
				e.Spans = append(e.Spans, s)
				s = format.Span{}
			}
			for _, data := range bytes {
				switch {
				case !data && s.Bytes > 0, data && s.Bytes > 0 && rapid.Bool().Draw(t, "cut"):
					end()
				}
				if data {
					s.Bytes++
				} else {
					s.HoleBytes++
				}
			}
			if s.Bytes > 0 || s.HoleBytes > 0 && rapid.Bool().Draw(t, "an empty one last") {
				end()
			}
			return e
		}
		x, y := cut(), cut()
		if is, failed := sameStretches(stretches(t.Context(), nil, x), stretches(t.Context(), nil, y)); !is || failed != nil {
			t.Fatalf("%v and %v: %v", x.Spans, y.Spans, failed)
		}
		if len(bytes) == 0 {
			return
		}
		at := rapid.IntRange(0, len(bytes)-1).Draw(t, "at")
		bytes[at] = !bytes[at]
		z := cut()
		if is, _ := sameStretches(stretches(t.Context(), nil, x), stretches(t.Context(), nil, z)); is {
			t.Fatalf("%v and %v are the same", x.Spans, z.Spans)
		}
	})
}

func bandOfDay(day int, host string, sources ...string) candidate {
	at := time.Date(2026, 11, day, 10, 0, 0, 0, time.UTC)
	id := format.NewBandID(at, [3]byte{byte(len(host))})
	return candidateOf(archive.BandState{ID: id, Complete: true}, &format.Head{Band: id, Started: at, Host: host, Sources: sources})
}

func TestPairsAreOfOneHostAndSources(t *testing.T) {
	h := []candidate{bandOfDay(1, "one", "/a", "b/"), bandOfDay(2, "two", "/a"), bandOfDay(4, "one", "b", "/a"), bandOfDay(5, "one", "/a"), bandOfDay(6, "two", "/a")}
	o := []candidate{bandOfDay(2, "one", "b", "/a/"), bandOfDay(3, "one", "/a", "b"), bandOfDay(7, "two", "/a"), bandOfDay(8, "two", "/b")}
	var got []string
	for _, p := range latest(h, o) {
		got = append(got, fmt.Sprintf("%d-%d", p[here].started.Day(), p[there].started.Day()))
	}
	if want := []string{"4-3", "6-7"}; !slices.Equal(got, want) {
		t.Errorf("%q, not %q", got, want)
	}
	for i, want := range []int{2, 7, 3, 0, 7} {
		found, ok := nearest(h[i], o)
		if day := found.started.Day(); ok != (want > 0) || ok && day != want {
			t.Errorf("nearest to %d: %d, not %d", i, day, want)
		}
	}
}
