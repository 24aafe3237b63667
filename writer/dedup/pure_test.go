package dedup

import (
	"math"
	"slices"
	"testing"

	"dura/archive/format"

	"pgregory.net/rapid"
)

func TestRecordsHoldEveryPlaceThatFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		edge := func(bits int) *rapid.Generator[uint64] {
			return rapid.OneOf(rapid.Uint64Max(1<<bits-1), rapid.SampledFrom([]uint64{0, 1<<bits - 1, 1 << bits, math.MaxUint32}))
		}
		k := key{rapid.Uint64().Draw(t, "high"), rapid.Uint64().Draw(t, "low")}
		s := spot{
			band: uint32(edge(bandBits).Draw(t, "band")), list: rapid.Bool().Draw(t, "list"), number: edge(numberBits).Draw(t, "number"),
			entry: uint32(edge(entryBits).Draw(t, "entry")), span: uint32(edge(spanBits).Draw(t, "span")),
		}
		fits := s.band <= 1<<24-1 && s.number <= 1<<40-1 && s.entry <= 1<<19-1 && s.span <= 1<<12-1
		if s.fits() != fits {
			t.Fatalf("%+v fits: %v", s, s.fits())
		}
		if !fits {
			return
		}
		r := newRecord(k, s)
		if r.key() != k || r.spot() != s {
			t.Fatalf("%+v at %+v is kept as %+v at %+v", k, s, r.key(), r.spot())
		}
		s.band = uint32(rapid.Uint64Max(1<<bandBits-1).Draw(t, "other band"))
		if r.setBand(s.band); r.key() != k || r.spot() != s {
			t.Fatalf("%+v in another band is kept as %+v", s, r.spot())
		}
		other := newRecord(key{k.high, rapid.Uint64().Draw(t, "other low")}, s)
		if k != other.key() && (compareRecords(r, other) < 0) != k.less(other.key()) {
			t.Fatal("records are not in the order of their keys")
		}
	})
}

func TestRangesAreASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.OneOf(rapid.Uint64Max(40), rapid.Uint64Range(math.MaxUint64-3, math.MaxUint64))
		draw := func(name string) (Ranges, map[uint64]bool) {
			var s Ranges
			set := map[uint64]bool{}
			for range rapid.IntRange(0, 30).Draw(t, name) {
				from := number.Draw(t, "from")
				to := from + rapid.Uint64Max(min(5, math.MaxUint64-from)).Draw(t, "more")
				s = s.add(Range{from, to})
				for n := from; n != to+1; n++ {
					set[n] = true
				}
			}
			return s, set
		}
		check := func(s Ranges, set map[uint64]bool) {
			if !s.valid() {
				t.Fatalf("not valid: %v", s)
			}
			for n := range uint64(50) {
				for _, n := range []uint64{n, math.MaxUint64 - n} {
					if s.Has(n) != set[n] {
						t.Fatalf("%v has %d: %v", s, n, s.Has(n))
					}
				}
			}
		}
		a, inA := draw("a")
		b, inB := draw("b")
		check(a, inA)
		both := a.union(b)
		check(a, inA)
		for n := range inB {
			inA[n] = true
		}
		check(both, inA)
	})
}

func TestInvalidRangesAreRefused(t *testing.T) {
	for _, s := range []Ranges{{{2, 1}}, {{1, 2}, {3, 4}}, {{1, 2}, {2, 4}}, {{5, 6}, {1, 2}}, {{0, math.MaxUint64}, {0, 0}}} {
		if s.valid() {
			t.Errorf("%v is taken for valid", s)
		}
	}
}

func TestSearchNearIsSearchWhateverTheGuess(t *testing.T) {
	for n := range 40 {
		for want := range n + 1 {
			for guess := range n + 1 {
				got := searchNear(n, guess, func(i int) bool {
					if i < 0 || i >= n {
						t.Fatalf("looked at %d of %d", i, n)
					}
					return i >= want
				})
				if got != want {
					t.Fatalf("of %d from %d: got %d, want %d", n, guess, got, want)
				}
			}
		}
	}
}

// drawTables draws tables and the number of records they are for.
func drawTables(t *rapid.T) (tables, int64) {
	var tab tables
	ranges := func(name string) (s Ranges) {
		for range rapid.IntRange(0, 3).Draw(t, name) {
			n := rapid.Uint64Max(1<<41).Draw(t, "first")
			s = s.add(Range{n, n + rapid.Uint64Max(9).Draw(t, "more")})
		}
		return s
	}
	var records int64
	for i := range rapid.IntRange(0, 4).Draw(t, "bands") {
		b := bandTable{bandOf(i), rapid.Int64Range(0, 300).Draw(t, "records"), Coverage{ranges("hunks"), ranges("lists")}}
		records += b.records
		tab.bands = append(tab.bands, b)
	}
	for range pagesOf(records) {
		tab.directory = append(tab.directory, rapid.Uint64().Draw(t, "high"))
	}
	slices.Sort(tab.directory)
	for range rapid.IntRange(0, 3).Draw(t, "replaced") {
		tab.replaced = append(tab.replaced, segmentID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id")))
	}
	return tab, records
}

func TestTablesAndFootersComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tab, records := drawTables(t)
		raw := tab.append(nil)
		got, err := decodeTables(raw, records)
		if err != nil || string(got.append(nil)) != string(raw) {
			t.Fatalf("%+v comes back as %+v, %v", tab, got, err)
		}
		if _, err := decodeTables(raw[:rapid.IntRange(0, len(raw)-1).Draw(t, "cut")], records); err == nil {
			t.Fatal("tables that are cut short are taken")
		}
		f := footer{
			archive: sumOf(archiveID), id: segmentID{9, 8}, sequence: rapid.Uint64().Draw(t, "sequence"), records: records,
			tableBytes: int64(len(raw)), tableSum: rapid.Uint32().Draw(t, "sum"),
		}
		end := f.append(nil)
		size := pagesOf(records)*pageBytes + int64(len(raw)) + footerBytes
		if back, err := decodeFooter(end, size); err != nil || back != f {
			t.Fatalf("%+v comes back as %+v, %v", f, back, err)
		}
		if _, err := decodeFooter(end, size+rapid.SampledFrom([]int64{-1, 1, pageBytes}).Draw(t, "off")); err == nil {
			t.Fatal("a footer of another size is taken")
		}
		end[rapid.IntRange(0, len(end)-1).Draw(t, "byte")] ^= byte(1 << rapid.IntRange(0, 7).Draw(t, "bit"))
		if _, err := decodeFooter(end, size); err == nil {
			t.Fatal("a damaged footer is taken")
		}
	})
}

func TestTablesThatContradictThemselvesAreRefused(t *testing.T) {
	good := func() tables {
		return tables{
			directory: []uint64{1, 2}, replaced: []segmentID{{1}},
			bands: []bandTable{{bandOf(1), 100, Coverage{Hunks: Ranges{{1, 2}}}}, {bandOf(2), 100, Coverage{Lists: Ranges{{1, 2}}}}},
		}
	}
	if _, err := decodeTables(new(tables).append(nil), 0); err != nil {
		t.Error(err)
	}
	for what, spoil := range map[string]func(*tables){
		"":                   func(tab *tables) {},
		"order of pages":     func(tab *tables) { tab.directory[0] = 3 },
		"a page too few":     func(tab *tables) { tab.directory = tab.directory[:1] },
		"a page too many":    func(tab *tables) { tab.directory = append(tab.directory, 3) },
		"order of bands":     func(tab *tables) { tab.bands[0].id = bandOf(3) },
		"a band twice":       func(tab *tables) { tab.bands[0].id = bandOf(2) },
		"no band id":         func(tab *tables) { tab.bands[0].id = "2026-13-23-101500-4f2a9c" },
		"too many records":   func(tab *tables) { tab.bands[0].records++ },
		"too few records":    func(tab *tables) { tab.bands[0].records-- },
		"less than none":     func(tab *tables) { tab.bands[0].records, tab.bands[1].records = -1, 201 },
		"ranges that meet":   func(tab *tables) { tab.bands[0].Hunks = Ranges{{1, 2}, {3, 3}} },
		"a range of nothing": func(tab *tables) { tab.bands[1].Lists = Ranges{{2, 1}} },
		"too many replaced":  func(tab *tables) { tab.replaced = make([]segmentID, maxReplaced+1) },
	} {
		tab := good()
		spoil(&tab)
		if _, err := decodeTables(tab.append(nil), 200); (err == nil) != (what == "") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestPlanKeepsSegmentsFewAndWorkSmall commits many times, and counts what is written.
func TestPlanKeepsSegmentsFewAndWorkSmall(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const smallRecords = 100_000
		var segments []load
		var added, written int64
		commits := rapid.IntRange(1, 300).Draw(t, "commits")
		usual := rapid.Int64Range(1, 500_000).Draw(t, "records")
		for range commits {
			n := rapid.Int64Range(0, usual).Draw(t, "records")
			if rapid.IntRange(0, 20).Draw(t, "many") == 0 {
				n *= 100
			}
			added += n
			groups := plan(segments, true, n, smallRecords)
			last := groups[len(groups)-1]
			if len(groups) != 1 || last.to != len(segments) {
				t.Fatalf("the groups are %v", groups)
			}
			for _, s := range segments[last.from:] {
				n += s.records
			}
			written += n
			segments = append(segments[:last.from], load{records: n})
			if len(segments) > maxSegments {
				t.Fatalf("%d segments", len(segments))
			}
			if more := plan(segments, false, 0, smallRecords); len(more) != 0 {
				t.Fatalf("when all is done, %v is still to do", more)
			}
		}
		if written > 15*added+int64(commits)*2*smallRecords {
			t.Fatalf("to add %d records in %d commits %d were written", added, commits, written)
		}
	})
}

func TestPlanRewritesWhatIsMostlyForgotten(t *testing.T) {
	big := []load{{100e6, 0}, {8e6, 0}, {1e6, 0}}
	for _, c := range []struct {
		gone     [3]int64
		anything bool
		want     []group
	}{
		{[3]int64{}, false, nil},
		{[3]int64{}, true, []group{{3, 3}}},
		{[3]int64{60e6, 0, 0}, false, []group{{0, 1}}},
		{[3]int64{40e6, 0, 0}, false, nil},
		{[3]int64{0, 0, 1e6}, false, []group{{2, 3}}},
		{[3]int64{0, 5e6, 1e6}, true, []group{{1, 2}, {2, 3}}},
		{[3]int64{100e6, 8e6, 1e6}, false, []group{{0, 3}}},
	} {
		segments := slices.Clone(big)
		for i := range segments {
			segments[i].gone = c.gone[i]
		}
		if got := plan(segments, c.anything, 0, 1000); !slices.Equal(got, c.want) {
			t.Errorf("%+v: got %v, want %v", c, got, c.want)
		}
	}
}

func TestEntriesGiveTheContentTheyTellOfFirst(t *testing.T) {
	a, b, whole := hashOf(1), hashOf(2), hashOf(3)
	span := func(bytes uint32, sum format.Hash) format.Span { return format.Span{Bytes: bytes, SHA256: sum} }
	file := func(size int64, spans ...format.Span) format.Entry {
		return format.Entry{Kind: format.File, Size: size, SHA256: whole, Spans: spans}
	}
	change := func(e format.Entry, f func(*format.Entry)) format.Entry { f(&e); return e }
	none := map[int]format.Hash{}
	for what, c := range map[string]struct {
		entry format.Entry
		want  map[int]format.Hash
	}{
		"a whole file":      {file(5, span(5, format.Hash{})), map[int]format.Hash{0: whole}},
		"one chunk":         {file(5, span(5, a)), map[int]format.Hash{0: a}},
		"chunks":            {file(10, span(5, a), span(5, b)), map[int]format.Hash{0: a, 1: b}},
		"an empty chunk":    {file(10, span(5, a), span(0, b)), map[int]format.Hash{0: a}},
		"chunks without":    {file(10, span(5, format.Hash{}), span(5, b)), map[int]format.Hash{1: b}},
		"a part of a file":  {file(10, span(5, format.Hash{})), none},
		"a hole":            {file(10, format.Span{Bytes: 5, HoleBytes: 5}), none},
		"an empty file":     {file(0, span(0, format.Hash{})), none},
		"no content":        {file(0), none},
		"span lists":        {change(file(10), func(e *format.Entry) { e.SpanLists = make([]format.SpanListRef, 1) }), none},
		"no hash":           {change(file(5, span(5, format.Hash{})), func(e *format.Entry) { e.SHA256 = format.Hash{} }), none},
		"a further name":    {change(file(5, span(5, a)), func(e *format.Entry) { e.LinkTo = "a" }), none},
		"the parent's":      {change(file(5, span(5, a)), func(e *format.Entry) { e.AsInParent = true }), none},
		"changed meanwhile": {change(file(5, span(5, a)), func(e *format.Entry) { e.Unstable = true }), map[int]format.Hash{0: a}},
		"a directory":       {change(file(5, span(5, a)), func(e *format.Entry) { e.Kind = format.Directory }), none},
	} {
		got := map[int]format.Hash{}
		for i, sum := range contents(&c.entry) {
			got[i] = sum
		}
		if len(got) != len(c.want) {
			t.Errorf("%s: got %v, want %v", what, got, c.want)
		}
		for i := range c.want {
			if got[i] != c.want[i] {
				t.Errorf("%s: got %v, want %v", what, got, c.want)
			}
		}
	}
}
