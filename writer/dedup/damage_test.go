package dedup

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"dura/archive/alarm"
	"dura/archive/format"

	"golang.org/x/sys/unix"
)

// damages counts what an index says of its segments.
type damages struct {
	mu   sync.Mutex
	seen []*DamageError
}

func (d *damages) options() Options {
	return Options{Damaged: func(e *DamageError) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.seen = append(d.seen, e)
	}}
}

const pristineRecords = 200

// pristine is a directory with an index of contents 0 to 199, in one segment of two pages, and that segment.
func pristine(t *testing.T) (dir, path string, stored []byte) {
	t.Helper()
	dir = fastDir(t)
	x := open(t, dir, noDamage(t))
	fillIndex(t, x, 0, pristineRecords)
	must(t, x.Commit())
	must(t, x.Close())
	path = filesWith(t, dir, segmentSuffix)[0]
	return dir, path, read(t, path)
}

// look opens the index in dir, whatever became of its files, and looks up all content. What is found is at its place; what is not
// is said to be damaged.
func look(t *testing.T, dir string) (x *Index, found int, d *damages) {
	t.Helper()
	d = new(damages)
	x = open(t, dir, d.options())
	for n := range pristineRecords + 10 {
		for p := range x.Find(hashOf(n)) {
			if inBounds(t, p); n >= pristineRecords || p != placeOf(n) {
				t.Fatalf("content %d is found at %v", n, p)
			}
			found++
		}
	}
	if found < pristineRecords != (len(d.seen) > 0) || len(d.seen) > 1 {
		t.Fatalf("%d are found, and the index says %v", found, d.seen)
	}
	return x, found, d
}

// mustCope looks, and checks that the index is as good as new once it is told of what it does not cover.
func mustCope(t *testing.T, dir string) (found int, d *damages) {
	t.Helper()
	x, found, d := look(t, dir)
	defer x.Close()
	must(t, x.Commit())
	for n := 0; n < pristineRecords; n += 100 {
		if p := placeOf(n); !x.Covers(p.Band).Lists.Has(p.Number) {
			must(t, x.AddSpans(p.Band, p.Number, spansOf(n, n+100)))
		}
	}
	must(t, x.Commit())
	mustHave(t, x, 0, pristineRecords)
	if len(d.seen) > 1 {
		t.Fatalf("the index says it again: %v", d.seen)
	}
	return found, d
}

// copeOrLook is mustCope for some cases, and for the others look, which is faster.
func copeOrLook(t *testing.T, dir string, i int) (found int, d *damages) {
	t.Helper()
	if i%17 == 0 {
		return mustCope(t, dir)
	}
	x, found, d := look(t, dir)
	must(t, x.Close())
	return found, d
}

// restore makes dir what it was.
func restore(t *testing.T, dir, path string, stored []byte) {
	t.Helper()
	for _, p := range filesWith(t, dir, "") {
		must(t, os.RemoveAll(p))
	}
	write(t, path, stored)
}

// step is how many of many cases to pass over.
func step(n int) int {
	if testing.Short() {
		return n
	}
	return 1
}

func TestEveryDamagedByteCostsAtMostASegment(t *testing.T) {
	dir, path, stored := pristine(t)
	r := rand.New(rand.NewPCG(1, 2))
	for i := 0; i < len(stored); i += step(37) {
		damaged := bytes.Clone(stored)
		damaged[i] ^= byte(1 + r.IntN(255))
		restore(t, dir, path, damaged)
		if found, _ := copeOrLook(t, dir, i); found == pristineRecords {
			t.Errorf("byte %d of %d makes no difference", i, len(stored))
		}
	}
}

func TestEveryTruncationCostsAtMostASegment(t *testing.T) {
	dir, path, stored := pristine(t)
	for size := 0; size < len(stored); size += step(37) {
		restore(t, dir, path, stored[:size])
		if found, d := copeOrLook(t, dir, size); found != 0 || d.seen[0].File != path {
			t.Errorf("%d bytes of %d have %d contents: %v", size, len(stored), found, d.seen)
		}
	}
}

func TestDamageToPartsOfASegment(t *testing.T) {
	dir, path, stored := pristine(t)
	pages := func(b []byte, i int) []byte { return b[i*pageBytes:][:pageBytes] }
	random := make([]byte, len(stored))
	r := rand.New(rand.NewPCG(3, 4))
	for i := range random {
		random[i] = byte(r.Uint32())
	}
	for what, damage := range map[string]func(b []byte) []byte{
		"a byte more":         func(b []byte) []byte { return append(b, 0) },
		"a page more":         func(b []byte) []byte { return append(b, make([]byte, pageBytes)...) },
		"twice the same":      func(b []byte) []byte { return append(b, b...) },
		"a page of zeros":     func(b []byte) []byte { clear(pages(b, 1)); return b },
		"pages of zeros":      func(b []byte) []byte { clear(b[:2*pageBytes]); return b },
		"a page twice":        func(b []byte) []byte { copy(pages(b, 1), pages(b, 0)); return b },
		"a page missing":      func(b []byte) []byte { return b[pageBytes:] },
		"all zeros":           func(b []byte) []byte { clear(b); return b },
		"the footer of zeros": func(b []byte) []byte { clear(b[len(b)-footerBytes:]); return b },
		"random bytes":        func([]byte) []byte { return random },
		"random pages":        func(b []byte) []byte { copy(b, random[:2*pageBytes]); return b },
		"text":                func([]byte) []byte { return []byte("dura-dedup\x00\x00") },
	} {
		t.Run(what, func(t *testing.T) {
			restore(t, dir, path, damage(bytes.Clone(stored)))
			if found, d := mustCope(t, dir); found >= pristineRecords || len(d.seen) != 1 {
				t.Errorf("%d contents are found; %v", found, d.seen)
			}
		})
	}
}

func TestWhatIsNoSegmentIsRemoved(t *testing.T) {
	dir, path, stored := pristine(t)
	other := filepath.Join(dir, "ffffffffffffffffffffffffffffffff"+segmentSuffix)
	newer := bytes.Clone(stored)
	newer[len(newer)-13]++ // version
	foreign := func() {
		y, err := Open(dir, "another archive", Options{})
		must(t, err)
		must(t, y.AddSpans(bandOf(1), 1, spansOf(0, 200)))
		must(t, y.Commit())
		must(t, y.Close())
	}
	for what, c := range map[string]struct {
		make func()
		want alarm.Condition
		err  error
	}{
		"another name":      {func() { write(t, other, stored); must(t, os.Remove(path)) }, alarm.Mismatch, errNamed},
		"another archive":   {foreign, alarm.Mismatch, errForeign},
		"a version to come": {func() { write(t, path, newer) }, alarm.Unsupported, errVersion},
		"an empty file":     {func() { write(t, path, nil) }, alarm.Corrupt, errNoSegment},
		"a folder":          {func() { must(t, os.Remove(path)); must(t, os.Mkdir(path, 0o700)) }, alarm.Corrupt, errIrregular},
		"a pipe":            {func() { must(t, os.Remove(path)); must(t, unix.Mkfifo(path, 0o600)) }, alarm.Corrupt, errIrregular},
		"a link":            {func() { must(t, os.Rename(path, dir+"/x")); must(t, os.Symlink("x", path)) }, alarm.Corrupt, errIrregular},
		"a link to nothing": {func() { must(t, os.Remove(path)); must(t, os.Symlink("y", path)) }, alarm.Corrupt, errIrregular},
	} {
		t.Run(what, func(t *testing.T) {
			restore(t, dir, path, stored)
			c.make()
			d := new(damages)
			x := open(t, dir, d.options())
			defer x.Close()
			if len(d.seen) != 1 || d.seen[0].Condition() != c.want || !errors.Is(d.seen[0], c.err) || x.Stats().Records != 0 {
				t.Errorf("%v, %+v", d.seen, x.Stats())
			}
			if left := filesWith(t, dir, segmentSuffix); len(left) != 0 {
				t.Errorf("%v is left", left)
			}
		})
	}
}

func TestWhatCannotBeRemovedIsToldOfAndLeftOut(t *testing.T) {
	dir, path, _ := pristine(t)
	must(t, os.Remove(path))
	must(t, os.MkdirAll(filepath.Join(path, "full"), 0o700))
	d := new(damages)
	x := open(t, dir, d.options())
	defer x.Close()
	fillIndex(t, x, 0, pristineRecords)
	must(t, x.Commit())
	must(t, x.Commit())
	mustHave(t, x, 0, pristineRecords)
	if len(d.seen) != 1 || d.seen[0].File != path {
		t.Errorf("%v", d.seen)
	}
}

func TestOtherFilesAreLeftAlone(t *testing.T) {
	dir := fastDir(t)
	names := []string{"README", "a.segment", "0123456789ABCDEF0123456789ABCDEF.segment", "x.new", ".segment", "00112233445566778899aabbccddeeff.segmen"}
	for _, name := range names {
		write(t, filepath.Join(dir, name), []byte("mine"))
	}
	x := open(t, dir, noDamage(t))
	defer x.Close()
	fillIndex(t, x, 0, 100)
	must(t, x.Commit())
	for _, name := range names {
		if got := read(t, filepath.Join(dir, name)); string(got) != "mine" {
			t.Errorf("%s is now %q", name, got)
		}
	}
}

// TestAFileThatShrinksWhileItIsMappedIsDamageAndNoMore cuts a segment short under an index that has it open. Without care the process
// would get a signal and end.
func TestAFileThatShrinksWhileItIsMappedIsDamageAndNoMore(t *testing.T) {
	for _, warm := range []bool{false, true} { // pages that were checked before, and pages that were not
		for pages := range int64(2) {
			dir, path, _ := pristine(t)
			d := new(damages)
			x := open(t, dir, d.options())
			if warm {
				mustHave(t, x, 0, pristineRecords)
			}
			must(t, os.Truncate(path, pages*pageBytes))
			found := 0
			for n := range pristineRecords {
				if _, ok := first(x.Find(hashOf(n))); ok {
					found++
				}
			}
			if want := int(min(pages*pageRecords, pristineRecords)); found != want || len(d.seen) != 1 || !errors.Is(d.seen[0], errFault) {
				t.Errorf("with %d pages left, %d of %d contents are found; %v", pages, found, want, d.seen)
			}
			if c := x.Covers(bandOf(0)); len(c.Lists) != 0 {
				t.Errorf("what is damaged still covers %s", describe(c))
			}
			fillIndex(t, x, 0, pristineRecords)
			must(t, x.Commit())
			mustHave(t, x, 0, pristineRecords)
			if files := filesWith(t, dir, ""); len(files) != 1 || files[0] == path {
				t.Errorf("there are %v", files)
			}
			must(t, x.Close())
		}
	}
}

// TestDamageHidesNothingOfOtherSegments cuts the newest of two segments short, which both have the same content.
func TestDamageHidesNothingOfOtherSegments(t *testing.T) {
	d := new(damages)
	o := d.options()
	o.SmallRecords = 1
	x := openNew(t, o)
	fillIndex(t, x, 0, 5000)
	must(t, x.Commit())
	must(t, x.AddSpans(bandOf(90), 1, spansOf(0, 300)))
	must(t, x.Commit())
	newest := x.segments[1]
	must(t, os.Truncate(newest.path, pageBytes))
	mustHave(t, x, 0, 5000)
	mustHave(t, x, 0, 300)
	if len(d.seen) != 1 || d.seen[0].File != newest.path || x.Stats().Segments != 2 {
		t.Errorf("%v, %+v", d.seen, x.Stats())
	}
}

// TestDamageFoundByAMerge changes a file under an index that has not looked into it yet.
func TestDamageFoundByAMerge(t *testing.T) {
	for what, damage := range map[string]func(path string, stored []byte){
		"a bit":     func(path string, stored []byte) { stored[5000] ^= 4; write(t, path, stored) },
		"cut short": func(path string, _ []byte) { must(t, os.Truncate(path, 5000)) },
		"out of order": func(path string, stored []byte) {
			a, b := page(stored).record(3), page(stored).record(4)
			swapped := append(bytes.Clone(b), a...)
			copy(a, swapped)
			copy(b, swapped[recordBytes:])
			page(stored[:pageBytes]).seal(0)
			write(t, path, stored)
		},
		"no such band": func(path string, stored []byte) {
			page(stored).record(3)[18] = 9
			page(stored[:pageBytes]).seal(0)
			write(t, path, stored)
		},
	} {
		t.Run(what, func(t *testing.T) {
			dir, path, stored := pristine(t)
			d := new(damages)
			x := open(t, dir, d.options())
			defer x.Close()
			damage(path, stored)
			fillIndex(t, x, 300, 400)
			must(t, x.Commit())
			mustHave(t, x, 300, 400)
			if st := x.Stats(); st.Segments != 1 || st.Records != 100 || len(d.seen) != 1 || len(filesWith(t, dir, "")) != 1 {
				t.Errorf("%+v, %v", st, d.seen)
			}
			if c := x.Covers(bandOf(0)); describe(c) != "hunks [], lists [{3 3}]" {
				t.Errorf("covered: %s", describe(c))
			}
		})
	}
}

func TestAFileThatVanishesStaysUsefulToWhoHasIt(t *testing.T) {
	dir, path, _ := pristine(t)
	x := open(t, dir, noDamage(t))
	defer x.Close()
	must(t, os.Remove(path))
	mustHave(t, x, 0, pristineRecords)
	must(t, os.RemoveAll(dir))
	mustHave(t, x, 0, pristineRecords)
	fillIndex(t, x, 300, 400)
	must(t, x.Commit())
	mustHave(t, x, 300, 400)
}

func TestWhereNoIndexCanBe(t *testing.T) {
	dir := fastDir(t)
	file := filepath.Join(dir, "file")
	write(t, file, nil)
	for _, place := range []string{file, filepath.Join(file, "sub"), "/proc/self/fdinfo/index"} {
		if x, err := Open(place, archiveID, Options{}); err == nil {
			x.Close()
			t.Errorf("there is an index at %s", place)
		}
	}
}

// TestWhatCannotBeSpilledIsLostAndSaid puts a file in the place of the directory.
func TestWhatCannotBeSpilledIsLostAndSaid(t *testing.T) {
	dir := filepath.Join(fastDir(t), "index")
	o := noDamage(t)
	o.MemoryBytes = 50 * recordBytes
	x := open(t, dir, o)
	defer x.Close()
	fillIndex(t, x, 0, 100)
	must(t, x.Commit())
	must(t, os.RemoveAll(dir))
	write(t, dir, nil)
	if err := x.AddSpans(bandOf(5), 1, spansOf(500, 600)); err == nil {
		t.Error("nothing was said")
	}
	if c := x.Covers(bandOf(5)); len(c.Lists) != 0 {
		t.Errorf("lost, and covered: %s", describe(c))
	}
	must(t, x.AddSpans(bandOf(5), 2, spansOf(600, 610)))
	if err := x.Commit(); err == nil {
		t.Error("nothing was said")
	}
	mustHave(t, x, 0, 100)
	must(t, os.Remove(dir))
	must(t, x.Commit())
	if c := x.Covers(bandOf(5)); describe(c) != "hunks [], lists [{2 2}]" {
		t.Errorf("what could be committed later covers %s", describe(c))
	}
	if _, found := first(x.Find(hashOf(605))); !found {
		t.Error("what could be committed later is not found")
	}
}

func TestRunsThatCannotBeReadAreLostAndSaid(t *testing.T) {
	o := noDamage(t)
	o.MemoryBytes = 50 * recordBytes
	x := openNew(t, o)
	fillIndex(t, x, 0, pristineRecords)
	must(t, x.pending.file.Truncate(pageBytes))
	if err := x.Commit(); err == nil {
		t.Error("nothing was said")
	}
	if files := filesWith(t, x.dir, ""); len(files) != 0 || len(x.Covers(bandOf(0)).Lists) != 0 {
		t.Errorf("there are %v, covering %s", files, describe(x.Covers(bandOf(0))))
	}
	fillIndex(t, x, 0, pristineRecords)
	must(t, x.Commit())
	mustHave(t, x, 0, pristineRecords)
}

// reseal makes the checksums of a segment right, whatever it holds.
func reseal(stored []byte, records int64) {
	n := int(pagesOf(records)) * pageBytes
	for i := 0; i+pageBytes <= min(n, len(stored)); i += pageBytes {
		page(stored[i : i+pageBytes]).seal(uint32(i / pageBytes))
	}
}

// TestForgedRecordsStayInBounds changes each byte of the records and makes the checksums right again.
func TestForgedRecordsStayInBounds(t *testing.T) {
	dir, path, stored := pristine(t)
	r := rand.New(rand.NewPCG(5, 6))
	elsewhere := 0
	for i := 0; i < 2*pageBytes; i += step(37) {
		if i%pageBytes < pageHeadBytes {
			continue
		}
		forged := bytes.Clone(stored)
		forged[i] ^= byte(1 + r.IntN(255))
		reseal(forged, pristineRecords)
		restore(t, dir, path, forged)
		d := new(damages)
		x := open(t, dir, d.options())
		for n := range pristineRecords {
			for p := range x.Find(hashOf(n)) {
				if inBounds(t, p); p != placeOf(n) {
					elsewhere++
				}
			}
		}
		if i%17 == 0 {
			fillIndex(t, x, 300, 400)
			must(t, x.Commit())
			mustHave(t, x, 300, 400)
		}
		must(t, x.Close())
	}
	if elsewhere == 0 {
		t.Error("no forged record was believed: the test shows nothing")
	}
}

// FuzzSegment opens segments that are wrong in any way but for their checksums.
func FuzzSegment(f *testing.F) {
	for _, records := range []int{0, 1, 146, 147, 300} {
		var b bytes.Buffer
		tab := tables{bands: []bandTable{{id: bandOf(1), records: int64(records)}}}
		w := pageWriter{w: &b, first: func(high uint64) { tab.directory = append(tab.directory, high) }}
		all := make([]record, records)
		for n := range all {
			all[n] = newRecord(keyOf(hashOf(n)), spot{number: uint64(n), entry: 1, span: 2})
		}
		slices.SortFunc(all, compareRecords)
		for n := range all {
			must(f, w.add(&all[n]))
		}
		must(f, w.flush())
		f.Add(b.Bytes(), tab.append(nil), int64(records), uint64(1))
	}
	dir := fastDir(f)
	f.Fuzz(func(t *testing.T, pages, rest []byte, records int64, sequence uint64) {
		if records < 0 || records > maxRecords || pagesOf(records)*pageBytes > int64(len(pages))+4*pageBytes {
			return
		}
		raw := make([]byte, pagesOf(records)*pageBytes)
		copy(raw, pages)
		reseal(raw, records)
		id := segmentID{7}
		end := footer{
			archive: sumOf(archiveID), id: id, sequence: sequence, records: records, tableBytes: int64(len(rest)),
			tableSum: checksum(rest),
		}
		path := filepath.Join(dir, id.String()+segmentSuffix)
		write(t, path, end.append(append(raw, rest...)))
		d := new(damages)
		x := open(t, dir, d.options())
		defer x.Close()
		opened := x.Stats().Segments
		if want, err := decodeTables(rest, records); (err == nil) != (opened == 1) {
			t.Fatalf("the tables are %+v, %v, and %d segments are open", want, err, opened)
		}
		for n := range 300 {
			for p := range x.Find(hashOf(n)) {
				inBounds(t, p)
			}
		}
		var sum format.Hash
		for i := range min(int(records), 1000) {
			copy(sum[:], page(raw[i/pageRecords*pageBytes:]).record(i%pageRecords))
			for p := range x.Find(sum) {
				inBounds(t, p)
			}
		}
		must(t, x.AddSpans(bandOf(2), 5, spansOf(1000, 1001)))
		must(t, x.Commit())
		if _, found := first(x.Find(hashOf(1000))); !found {
			t.Error("what was added is not found")
		}
		for _, file := range filesWith(t, dir, "") {
			must(t, os.Remove(file))
		}
	})
}

func FuzzDecodeTables(f *testing.F) {
	for _, tab := range []tables{
		{},
		{directory: []uint64{1}, bands: []bandTable{{bandOf(1), 9, Coverage{Ranges{{1, 2}, {4, 4}}, Ranges{{0, 7}}}}}},
		{directory: []uint64{1, 1}, bands: []bandTable{{bandOf(1), 140, Coverage{}}, {bandOf(2), 7, Coverage{}}}, replaced: make([]segmentID, 2)},
	} {
		var records int64
		for _, b := range tab.bands {
			records += b.records
		}
		raw := tab.append(nil)
		if _, err := decodeTables(raw, records); err != nil {
			f.Fatal(err)
		}
		f.Add(raw, records)
	}
	f.Fuzz(func(t *testing.T, raw []byte, records int64) {
		if records < 0 || records > maxRecords {
			return
		}
		tab, err := decodeTables(raw, records)
		if err == nil && !bytes.Equal(tab.append(nil), raw) {
			t.Errorf("%x comes back as %x", raw, tab.append(nil))
		}
	})
}

func FuzzDecodeFooter(f *testing.F) {
	end := footer{archive: sumOf(archiveID), id: segmentID{1}, sequence: 3, records: 147, tableBytes: 90, tableSum: 4}
	f.Add(end.append(nil), int64(2*pageBytes+90+footerBytes))
	f.Fuzz(func(t *testing.T, raw []byte, sizeBytes int64) {
		got, err := decodeFooter(raw, sizeBytes)
		if err != nil {
			return
		}
		if !bytes.Equal(got.append(nil), raw) {
			t.Errorf("%x comes back as %x", raw, got.append(nil))
		}
		if got.records < 0 || got.tableBytes < 0 || got.records > sizeBytes || got.tableBytes > sizeBytes {
			t.Errorf("%d bytes hold %+v", sizeBytes, got)
		}
	})
}
