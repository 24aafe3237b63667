package dedup

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"dura/archive/format"

	"pgregory.net/rapid"
)

func TestWhatIsCommittedIsFoundNowAndLater(t *testing.T) {
	dir := t.TempDir()
	x := open(t, filepath.Join(dir, "made/with/parents"), noDamage(t))
	fillIndex(t, x, 0, 3000)
	if _, found := first(x.Find(hashOf(5))); found {
		t.Error("content is found before it is committed")
	}
	if c := x.Covers(bandOf(1)); !c.Lists.Has(9) || c.Lists.Has(10) || len(c.Lists) != 1 || len(c.Hunks) != 0 {
		t.Errorf("what is collected is covered as %s", describe(c))
	}
	must(t, x.Commit())
	mustHave(t, x, 0, 3000)
	if got := collect(x.Find(hashOf(3000))); len(got) != 0 {
		t.Errorf("content that was never added is found at %v", got)
	}
	must(t, x.Close())
	x = open(t, x.dir, noDamage(t))
	defer x.Close()
	mustHave(t, x, 0, 3000)
	if c := x.Covers(bandOf(1)); describe(c) != "hunks [], lists [{0 9}]" {
		t.Errorf("later it is covered as %s", describe(c))
	}
	if st := x.Stats(); st.Segments != 1 || st.Records != 3000 || st.StoredBytes > 3000*29+2000 {
		t.Errorf("%+v", st)
	}
}

func TestHunksLeadToTheirEntries(t *testing.T) {
	x := openNew(t, noDamage(t))
	chunked := format.Entry{Kind: format.File, Size: 3, Spans: spansOf(0, 3)}
	whole := format.Entry{Kind: format.File, Size: 1, SHA256: hashOf(3), Spans: []format.Span{{Bytes: 1}}}
	must(t, x.AddHunk(bandOf(7), 1<<numberBits-1, []format.Entry{{Kind: format.Directory}, chunked, whole}))
	must(t, x.AddHunk(bandOf(7), 1<<numberBits, []format.Entry{{Kind: format.File, Size: 1, SHA256: hashOf(4), Spans: []format.Span{{Bytes: 1}}}}))
	must(t, x.Commit())
	for n, want := range []Place{
		{Band: bandOf(7), Number: 1<<numberBits - 1, Entry: 1, Span: 0},
		{Band: bandOf(7), Number: 1<<numberBits - 1, Entry: 1, Span: 1},
		{Band: bandOf(7), Number: 1<<numberBits - 1, Entry: 1, Span: 2},
		{Band: bandOf(7), Number: 1<<numberBits - 1, Entry: 2},
	} {
		if got := collect(x.Find(hashOf(n))); !slices.Equal(got, []Place{want}) {
			t.Errorf("content %d is found at %v, not at %v", n, got, want)
		}
	}
	if got := collect(x.Find(hashOf(4))); len(got) != 0 {
		t.Errorf("a place that does not fit comes out as %v", got)
	}
	if c := x.Covers(bandOf(7)); describe(c) != "hunks [{1099511627775 1099511627776}], lists []" {
		t.Errorf("covered: %s", describe(c))
	}
}

// Hunks without content count as covered, or they would be read each time.
func TestWhatHasNoContentIsCoveredToo(t *testing.T) {
	x := openNew(t, noDamage(t))
	must(t, x.AddHunk(bandOf(1), 4, []format.Entry{{Kind: format.Directory}}))
	must(t, x.Commit())
	y := open(t, x.dir, noDamage(t))
	defer y.Close()
	if c := y.Covers(bandOf(1)); !c.Hunks.Has(4) || c.Hunks.Has(3) || y.Stats().Records != 0 {
		t.Errorf("covered: %s", describe(c))
	}
}

func TestKeysWithTheSameHighHalfAreToldApart(t *testing.T) {
	x := openNew(t, noDamage(t))
	var spans []format.Span
	for n := range 1000 { // seven pages, six of them of one high half
		sum := hashOf(n)
		if n >= 100 {
			copy(sum[:8], "same-sum")
		}
		spans = append(spans, format.Span{Bytes: 1, SHA256: sum})
	}
	must(t, x.AddSpans(bandOf(1), 1, spans))
	must(t, x.Commit())
	for i := range spans {
		if got, _ := first(x.Find(spans[i].SHA256)); got != (Place{Band: bandOf(1), List: true, Number: 1, Span: uint32(i)}) {
			t.Errorf("content %d is found at %v", i, got)
		}
	}
	missing := spans[500].SHA256
	missing[15]++
	if got := collect(x.Find(missing)); len(got) != 0 {
		t.Errorf("found what is not there: %v", got)
	}
}

// added is what a model knows of one content.
type added struct {
	places map[Place]bool // all that it ever had
	must   bool           // it has to be found: committed, and none of its places is in a forgotten band
}

// model is what an index has to do, in maps.
type model struct {
	contents  map[int]*added
	covered   map[format.BandID]*Coverage
	forgotten map[format.BandID]bool // which are not added again
	pending   map[int][]Place        // since the last commit
	weak      map[int]bool           // of those, the ones that may have been lost with a forgotten band
	uncovered map[format.BandID]*Coverage
}

func newModel() *model {
	m := &model{contents: map[int]*added{}, covered: map[format.BandID]*Coverage{}, forgotten: map[format.BandID]bool{}}
	m.rollback()
	return m
}

func (m *model) rollback() {
	m.pending, m.weak, m.uncovered = map[int][]Place{}, map[int]bool{}, map[format.BandID]*Coverage{}
}

func (m *model) add(n int, p Place) { m.pending[n] = append(m.pending[n], p) }

func (m *model) commit() {
	for n, places := range m.pending {
		c := m.contents[n]
		if c == nil {
			c = &added{places: map[Place]bool{}}
			m.contents[n] = c
		}
		for _, p := range places {
			c.places[p] = true
		}
		c.must = c.must || !m.weak[n]
	}
	for band := range m.uncovered {
		both := m.covers(band)
		m.covered[band] = &both
	}
	m.rollback()
}

func (m *model) covers(band format.BandID) (c Coverage) {
	for _, from := range []map[format.BandID]*Coverage{m.covered, m.uncovered} {
		if from[band] != nil {
			c = c.union(*from[band])
		}
	}
	return c
}

func (m *model) forget(keep func(format.BandID) bool) {
	for _, c := range m.contents {
		for p := range c.places {
			c.must = c.must && keep(p.Band)
		}
	}
	for n, places := range m.pending {
		m.pending[n] = slices.DeleteFunc(slices.Clone(places), func(p Place) bool { return !keep(p.Band) })
		if len(m.pending[n]) == 0 {
			delete(m.pending, n)
		} else if len(m.pending[n]) < len(places) {
			m.weak[n] = true
		}
	}
	for _, from := range []map[format.BandID]*Coverage{m.covered, m.uncovered} {
		for band := range from {
			if !keep(band) {
				delete(from, band)
				m.forgotten[band] = true
			}
		}
	}
}

func (m *model) check(t *rapid.T, x *Index, contents, bands int) {
	for n := range contents {
		c, found := m.contents[n], 0
		for p := range x.Find(hashOf(n)) {
			found++
			if c == nil || !c.places[p] {
				t.Fatalf("content %d is found at %v, where it never was", n, p)
			}
			if m.forgotten[p.Band] {
				t.Fatalf("content %d is found at %v, in a forgotten band", n, p)
			}
		}
		if found == 0 && c != nil && c.must {
			t.Fatalf("content %d is not found at any of %v", n, c.places)
		}
	}
	for b := range bands {
		if got, want := x.Covers(bandOf(b)), m.covers(bandOf(b)); describe(got) != describe(want) {
			t.Fatalf("of band %d the index covers %s, not %s", b, describe(got), describe(want))
		}
	}
	if n := x.Stats().Segments; n > maxSegments {
		t.Fatalf("there are %d segments", n)
	}
}

// TestAnIndexDoesWhatAMapWould adds, commits, forgets, closes and opens in any order, with so little memory that most of it is
// spilled, and merges of all sizes.
func TestAnIndexDoesWhatAMapWould(t *testing.T) {
	const contents, bands = 2000, 30
	base, runs := fastDir(t), atomic.Int64{}
	rapid.Check(t, func(t *rapid.T) {
		dir := filepath.Join(base, fmt.Sprint(runs.Add(1)))
		defer os.RemoveAll(dir)
		o := noDamage(t)
		o.MemoryBytes = rapid.SampledFrom([]int{10 * recordBytes, 200 * recordBytes, 0}).Draw(t, "memory")
		o.SmallRecords = rapid.Int64Range(1, 500).Draw(t, "small")
		x := open(t, dir, o)
		defer func() { x.Close() }()
		m := newModel()
		cover := func(b int) *Coverage {
			if m.uncovered[bandOf(b)] == nil {
				m.uncovered[bandOf(b)] = &Coverage{}
			}
			return m.uncovered[bandOf(b)]
		}
		draw := func() (band int, number uint64, from, to int) {
			known := rapid.IntRange(0, bands-1).Filter(func(b int) bool { return !m.forgotten[bandOf(b)] })
			band, number = known.Draw(t, "band"), rapid.Uint64Max(9).Draw(t, "number")
			from = rapid.IntRange(0, contents-1).Draw(t, "from")
			return band, number, from, min(from+rapid.IntRange(0, 400).Draw(t, "contents"), contents)
		}
		t.Repeat(map[string]func(*rapid.T){
			"": func(*rapid.T) {},
			"spans": func(t *rapid.T) {
				band, number, from, to := draw()
				must(t, x.AddSpans(bandOf(band), number, spansOf(from, to)))
				for n := from; n < to; n++ {
					m.add(n, Place{Band: bandOf(band), List: true, Number: number, Span: uint32(n - from)})
				}
				cover(band).Lists = cover(band).Lists.add(Range{number, number})
			},
			"hunk": func(t *rapid.T) {
				band, number, from, to := draw()
				entries := make([]format.Entry, to-from)
				for i := range entries {
					entries[i] = format.Entry{Kind: format.File, Size: 1, SHA256: hashOf(from + i), Spans: []format.Span{{Bytes: 1}}}
					m.add(from+i, Place{Band: bandOf(band), Number: number, Entry: uint32(i)})
				}
				must(t, x.AddHunk(bandOf(band), number, entries))
				cover(band).Hunks = cover(band).Hunks.add(Range{number, number})
			},
			"commit": func(t *rapid.T) {
				must(t, x.Commit())
				m.commit()
				m.check(t, x, contents, bands)
			},
			"forget": func(t *rapid.T) {
				gone := rapid.SliceOfN(rapid.IntRange(0, bands-2), 1, 5).Draw(t, "gone") // one is never forgotten
				keep := func(b format.BandID) bool {
					return !slices.ContainsFunc(gone, func(n int) bool { return bandOf(n) == b })
				}
				x.Forget(keep)
				m.forget(keep)
				m.check(t, x, contents, bands)
			},
			"restart": func(t *rapid.T) {
				must(t, x.Close())
				x = open(t, dir, o)
				x.Forget(func(b format.BandID) bool { return !m.forgotten[b] }) // as its user does each time
				m.rollback()
				m.check(t, x, contents, bands)
			},
		})
	})
}

// TestForgettingFreesTheDisk checks the files, not what is found.
func TestForgettingFreesTheDisk(t *testing.T) {
	o := noDamage(t)
	o.SmallRecords = 1
	x := openNew(t, o)
	fillIndex(t, x, 0, 50_000)
	must(t, x.Commit())
	x.Forget(func(b format.BandID) bool { return b < bandOf(20) })
	must(t, x.Commit())
	if st := x.Stats(); st.Records != 20_000 || len(filesWith(t, x.dir, segmentSuffix)) != 1 {
		t.Errorf("%+v", st)
	}
	mustHave(t, x, 0, 20_000)
	x.Forget(func(format.BandID) bool { return false })
	must(t, x.Commit())
	if files := filesWith(t, x.dir, ""); len(files) != 0 {
		t.Errorf("nothing is left in the index, but %v", files)
	}
}

// A band's id is not given twice, but an index object of a deleted band may live on in others.
func TestAForgottenBandMayComeAgain(t *testing.T) {
	for _, committed := range []bool{false, true} {
		x := openNew(t, noDamage(t))
		fillIndex(t, x, 0, 1000)
		if committed {
			must(t, x.Commit())
		}
		x.Forget(func(format.BandID) bool { return false })
		if c := x.Covers(bandOf(0)); len(c.Lists) > 0 {
			t.Errorf("forgotten, and covered: %s", describe(c))
		}
		fillIndex(t, x, 300, 400)
		must(t, x.Commit())
		if c := x.Covers(bandOf(0)); describe(c) != "hunks [], lists [{3 3}]" || x.Stats().Records != 100 {
			t.Errorf("covered: %s, %+v", describe(c), x.Stats())
		}
		mustHave(t, x, 300, 400)
	}
}

func TestMergesLeaveNothingBehind(t *testing.T) {
	o := noDamage(t)
	o.MemoryBytes = 40_000
	o.SmallRecords = 1000
	x := openNew(t, o)
	for n := 0; n < 30_000; n += 300 {
		fillIndex(t, x, n, n+300)
		must(t, x.Commit())
		if st := x.Stats(); st.Segments > maxSegments || st.Segments != len(filesWith(t, x.dir, "")) {
			t.Fatalf("%+v in files %v", st, filesWith(t, x.dir, ""))
		}
	}
	if st := x.Stats(); st.Records != 30_000 || st.Segments < 2 {
		t.Errorf("%+v", st)
	}
	mustHave(t, x, 0, 30_000)
}

func TestTheNewestSegmentComesFirst(t *testing.T) {
	o := noDamage(t)
	o.SmallRecords = 1
	x := openNew(t, o)
	fillIndex(t, x, 0, 5000)
	must(t, x.Commit())
	must(t, x.AddSpans(bandOf(90), 3, spansOf(100, 101)))
	must(t, x.Commit())
	newest := Place{Band: bandOf(90), List: true, Number: 3}
	if got := collect(x.Find(hashOf(100))); !slices.Equal(got, []Place{newest, placeOf(100)}) {
		t.Errorf("found at %v", got)
	}
	fillIndex(t, x, 5000, 20_000) // all become one
	must(t, x.Commit())
	if got := collect(x.Find(hashOf(100))); !slices.Equal(got, []Place{newest}) {
		t.Errorf("found at %v", got)
	}
}

// TestCollectingTakesBoundedMemory collects sixteen times what it may keep; with -short, five times.
func TestCollectingTakesBoundedMemory(t *testing.T) {
	const memoryBytes = 1 << 20
	records := 600_000
	if testing.Short() {
		records = 200_000
	}
	o := noDamage(t)
	o.MemoryBytes = memoryBytes
	x := openNew(t, o)
	spans := spansOf(0, 1000)
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var most uint64
	look := func() {
		runtime.GC()
		runtime.ReadMemStats(&now)
		most = max(most, now.HeapAlloc-min(now.HeapAlloc, before.HeapAlloc))
	}
	for i := range records / len(spans) {
		for j := range spans {
			spans[j].SHA256 = hashOf(i*len(spans) + j)
		}
		must(t, x.AddSpans(bandOf(1), uint64(i), spans))
		if i%40 == 0 {
			look()
		}
	}
	look()
	if most > 3*memoryBytes/2 {
		t.Errorf("%d bytes of heap for records, where %d are allowed", most, memoryBytes)
	}
	var total runtime.MemStats
	runtime.ReadMemStats(&now)
	must(t, x.Commit())
	runtime.ReadMemStats(&total)
	if took := total.TotalAlloc - now.TotalAlloc; took > 3*memoryBytes {
		t.Errorf("a commit of %d runs allocated %d bytes", records*recordBytes/memoryBytes, took)
	}
	if st := x.Stats(); st.Records != int64(records) {
		t.Errorf("%+v", st)
	}
}

func TestFindDoesNotAllocate(t *testing.T) {
	x := openNew(t, noDamage(t))
	fillIndex(t, x, 0, 5000)
	must(t, x.Commit())
	n, found := 0, 0
	if allocs := testing.AllocsPerRun(2000, func() {
		for range x.Find(hashOf(n)) {
			found++
		}
		n += 5
	}); allocs > 0 {
		t.Errorf("%v allocations a look-up", allocs)
	}
	if found < 500 || found > n-500 {
		t.Errorf("%d of %d were found", found, n)
	}
}

// TestFindGoesOnWhileOthersCommit looks things up from several goroutines all the time: what was found once must stay so.
func TestFindGoesOnWhileOthersCommit(t *testing.T) {
	o := noDamage(t)
	o.SmallRecords = 1
	x := openNew(t, o)
	var committed atomic.Int64
	var done atomic.Bool
	var wg sync.WaitGroup
	for seed := range uint64(3) {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, 1))
			for !done.Load() {
				if have := int(committed.Load()); have > 0 {
					n := r.IntN(have)
					if p, _ := first(x.Find(hashOf(n))); p != placeOf(n) {
						t.Errorf("content %d is found at %v", n, p)
						return
					}
				}
				x.Covers(bandOf(r.IntN(10)))
				x.Stats()
			}
		})
	}
	for n := 0; n < 10_000; n += 200 {
		fillIndex(t, x, n, n+200)
		must(t, x.Commit())
		committed.Store(int64(n + 200))
	}
	done.Store(true)
	wg.Wait()
}

func TestACommitInTheMiddleOfASearchHidesNothing(t *testing.T) {
	o := noDamage(t)
	o.SmallRecords = 1
	x := openNew(t, o)
	fillIndex(t, x, 0, 5000)
	must(t, x.Commit())
	must(t, x.AddSpans(bandOf(90), 3, spansOf(100, 101)))
	must(t, x.Commit())
	var got []Place
	for p := range x.Find(hashOf(100)) {
		if got = append(got, p); len(got) == 1 {
			must(t, x.AddSpans(bandOf(91), 4, spansOf(100, 101)))
			must(t, x.Commit())
		}
	}
	if !slices.Contains(got, placeOf(100)) || !slices.Contains(got, Place{Band: bandOf(91), List: true, Number: 4}) {
		t.Errorf("found at %v", got)
	}
}

func TestAClosedIndexHasNothing(t *testing.T) {
	x := openNew(t, noDamage(t))
	fillIndex(t, x, 0, 100)
	must(t, x.Commit())
	for range x.Find(hashOf(1)) {
		must(t, x.Close())
	}
	if _, found := first(x.Find(hashOf(1))); found {
		t.Error("content is found in a closed index")
	}
	if err := x.AddSpans(bandOf(1), 1, nil); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
	if err := x.Commit(); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
}
