package writer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"dura/archive"
	"dura/archive/format"
	"dura/archive/parity"
	"dura/archive/storage"
	"dura/archive/storage/storagetest"
	"dura/writer"
	"dura/writer/source/sourcetest"
)

func paritySettings(scheme string) format.Settings {
	s := resumeSettings()
	s.Parity = scheme
	return s
}

// protectedIn says how often each object of a band is in a whole group, whose parity objects it makes anew and compares.
func (p *place) protectedIn(band format.BandID) map[string]int {
	p.t.Helper()
	a := p.open()
	defer a.Close()
	all := p.objectsByName()
	sizes := map[string]int64{}
	for name, object := range all {
		sizes[name] = int64(len(object))
	}
	times := map[string]int{}
	for name, object := range all {
		if of, kind, _, _ := format.ParseObjectName(name); of != band || kind != format.ParityObject {
			continue
		}
		g, label, err := a.ReadParityGroup(context.Background(), archive.ParityObject{Name: name, StoredBytes: sizes[name]})
		if err != nil {
			p.t.Fatal(err)
		}
		if !g.IsThere(sizes) {
			continue
		}
		e, err := parity.NewEncoder(g.Scheme)
		if err != nil {
			p.t.Fatal(err)
		}
		asItIs := true
		for _, m := range g.Members {
			asItIs = asItIs && format.SumBytes(all[m.Name]) == m.SHA256
			if err := e.Add(m.Name, m.SHA256, all[m.Name]); err != nil {
				p.t.Fatal(err)
			}
		}
		if !asItIs {
			continue // of a tail that an earlier run did not come to store
		}
		for _, m := range g.Members {
			if label.Place == 0 {
				times[m.Name]++
			}
		}
		made, shards := e.Close(g.Band, g.Number)
		if again, err := made.Objects(shards); err != nil || !bytes.Equal(bytes.Join(again[label.Place].Parts, nil), object) {
			p.t.Fatal(name, "is not the parity of its members", err)
		}
	}
	return times
}

// objectsByName are the objects as they are stored, by the names that they have in any archive.
func (p *place) objectsByName() map[string][]byte {
	all := map[string][]byte{}
	for name, object := range objects(p.t, p.storage) {
		if of, ok := format.NameOf(name, p.writes != nil); ok {
			name = of
		}
		all[name] = object
	}
	return all
}

// checkProtected wants every object of a complete band in a whole group.
func (p *place) checkProtected(band format.BandID) (times map[string]int) {
	p.t.Helper()
	times = p.protectedIn(band)
	for name := range p.objectsByName() {
		of, kind, _, err := format.ParseObjectName(name)
		if _, is := parity.ClassOf(kind); err == nil && is && of == band && times[name] == 0 {
			p.t.Errorf("%s is in no group", name)
		}
	}
	return times
}

func TestEveryObjectOfABandIsInOneGroup(t *testing.T) {
	for _, scheme := range []string{"4+2", "1+1", "16+2", "200+3"}[:fewer(4, 1)] {
		unreadable := sized("unreadable", sourcetest.Random(1, 10)) // so that there are alarms
		unreadable.OpenErr = errors.New("for a test")
		var first map[string][]byte
		for _, workers := range []int{1, 4} {
			p := newPlace(t, paritySettings(scheme))
			rec := storagetest.NewRecorder(p.storage)
			p.wrap = func(storage.Storage) storage.Storage { return rec }
			result, err := p.tryBackup(context.Background(), sourcetest.New(append(resumeItems(), unreadable)...), workers)
			if err != nil {
				t.Fatal(err)
			}
			for name, n := range p.checkProtected(result.Band) {
				if n != 1 {
					t.Errorf("%s is in %d groups", name, n)
				}
			}
			p.checkSums(result.Band)
			all := objects(t, p.storage)
			if first == nil {
				first = all
			}
			if !maps.EqualFunc(first, all, bytes.Equal) {
				t.Error(scheme, "the archive depends on how many work")
			}
			if rec.Counts().Reads != 1 { // of DURA-ARCHIVE
				t.Errorf("%d reads for parity", rec.Counts().Reads)
			}
			log := rec.Log()
			if last := log[len(log)-2].Name; last != format.TailName(result.Band) {
				t.Error("the tail is not behind its parity, but", last)
			}
		}
	}
}

// Without parity a band is what it was before there was any.
func TestABandWithoutParityHasNone(t *testing.T) {
	with, without := newPlace(t, paritySettings("4+1")), newPlace(t, paritySettings("none"))
	with.backup(sourcetest.New(resumeItems()...))
	result := without.backup(sourcetest.New(resumeItems()...))
	a, b := objects(t, with.storage), objects(t, without.storage)
	if len(without.protectedIn(result.Band)) > 0 {
		t.Error("there are groups")
	}
	for name, object := range b {
		if _, kind, _, _ := format.ParseObjectName(name); kind == format.SumsObject || kind == format.HeadObject || kind == format.TailObject || name == format.ArchiveName {
			continue // they have the settings or the names
		}
		if !bytes.Equal(a[name], object) {
			t.Error(name, "is another one with parity")
		}
	}
}

// Whatever a backup is interrupted by, once one has come to the end all is in whole groups, and what was in none was read once.
func TestGroupsLeftOpenAreClosed(t *testing.T) {
	items := resumeItems()
	whole := newPlace(t, paritySettings("5+2"))
	rec := storagetest.NewRecorder(whole.storage)
	whole.wrap = func(storage.Storage) storage.Storage { return rec }
	whole.backup(sourcetest.New(items...))
	operations := len(rec.Log())
	for after := 3; after < operations; after += fewer(7, 51) {
		p := newPlace(t, paritySettings("5+2"))
		p.now = later(1)
		p.wrap = func(st storage.Storage) storage.Storage { return storagetest.NewCrashing(st, after, storagetest.Done) }
		p.tryBackup(context.Background(), sourcetest.New(items...), 2)
		left := objects(t, p.storage)
		p.now = later(2)
		rec := storagetest.NewRecorder(p.storage)
		p.wrap = func(storage.Storage) storage.Storage { return rec }
		result := p.backup(sourcetest.New(items...))
		p.checkProtected(result.Band)
		p.checkSums(result.Band)
		var leftBytes int64
		for _, object := range left {
			leftBytes += int64(len(object))
		}
		// The index is read to go on from, and again for the sums; the blocks whose hash nothing tells once for each of hash and parity.
		if read := rec.Counts().ReadBytes; read > 3*leftBytes+100_000 {
			t.Errorf("after %d operations: %d bytes were there, and %d were read", after, leftBytes, read)
		}
	}
}

// stripped takes away from a band what makes it complete, and its groups: so a run leaves it that is killed where it would protect
// what it has stored.
func (p *place) stripped(band format.BandID) (blocks int) {
	p.t.Helper()
	for name := range objects(p.t, p.storage) {
		of, kind, _, _ := format.ParseObjectName(name)
		if of == band && (kind == format.ParityObject || kind == format.TailObject || kind == format.SumsObject) {
			if err := p.storage.Delete(context.Background(), name); err != nil {
				p.t.Fatal(err)
			}
		}
		if kind == format.BlockObject {
			blocks++
		}
	}
	return blocks
}

// TestGroupsAreClosedHoweverLittleEachRunReads: every run is killed once it has read back four blocks of twenty, and groups would have
// sixteen. Two more reads are for the footers of the last ones.
func TestGroupsAreClosedHoweverLittleEachRunReads(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes hundreds of runs")
	}
	var items []sourcetest.Item
	for i := range 20 {
		items = append(items, sized(format.Path(fmt.Sprintf("file-%02d", i)), sourcetest.Random(uint64(i), 250<<10)))
	}
	p := newPlace(t, paritySettings("16+2"))
	blocks := p.stripped(p.backup(sourcetest.New(items...)).Band)
	if blocks < 20 {
		t.Fatalf("%d blocks", blocks)
	}
	const most = 300
	for run := range most {
		var read atomic.Int64
		p.wrap = func(st storage.Storage) storage.Storage {
			return storagetest.NewFaulty(st, func(op storagetest.Operation) error {
				_, kind, _, _ := format.ParseObjectName(op.Name)
				if op.Op == storage.OpRead && kind == format.BlockObject && op.OffsetBytes == 0 && read.Add(1) > 6 {
					return op.Error(storage.KindUnavailable)
				}
				return nil
			})
		}
		p.options = func(o *writer.Options) { o.Random = rand.NewChaCha8([32]byte{byte(run), byte(run >> 8)}) }
		result, err := p.tryBackup(context.Background(), sourcetest.New(items...), 1)
		if err != nil {
			continue
		}
		t.Logf("%d runs", run+1)
		for name, n := range p.checkProtected(result.Band) {
			if n != 1 {
				t.Errorf("%s is in %d groups", name, n)
			}
		}
		return
	}
	t.Fatalf("%d runs have not come to the end", most)
}

// One that is killed once makes groups that are as long as they may be.
func TestGroupsThatAreReadBackAreLong(t *testing.T) {
	var items []sourcetest.Item
	for i := range 20 {
		items = append(items, sized(format.Path(fmt.Sprintf("file-%02d", i)), sourcetest.Random(uint64(i), 250<<10)))
	}
	p := newPlace(t, paritySettings("4+1"))
	whole := newPlace(t, paritySettings("4+1"))
	whole.backup(sourcetest.New(items...))
	var created atomic.Int64
	p.wrap = func(st storage.Storage) storage.Storage {
		return storagetest.NewFaulty(st, func(op storagetest.Operation) error {
			_, kind, _, _ := format.ParseObjectName(op.Name)
			if op.Op != storage.OpCreate {
				return nil
			}
			if created.Add(1) > 12 || kind == format.ParityObject {
				return op.Error(storage.KindUnavailable)
			}
			return nil
		})
	}
	if _, err := p.tryBackup(context.Background(), sourcetest.New(items...), 1); err == nil {
		t.Fatal("it came to its end")
	}
	p.wrap = nil
	p.checkProtected(p.backup(sourcetest.New(items...)).Band)
	_, most := parityShare(t, whole.storage)
	if _, made := parityShare(t, p.storage); made > most*5/4 {
		t.Errorf("%d bytes of parity, and %d where nothing disturbs", made, most)
	}
}

func TestParityThatMeansNothingIsRefused(t *testing.T) {
	p := newPlace(t, smallSettings())
	p.options = func(o *writer.Options) { o.Settings.Parity = "16+0" }
	if _, err := p.tryBackup(context.Background(), sourcetest.New(resumeItems()...), 1); err == nil {
		t.Error("it was taken")
	}
}

// yearDays are fewer than there are in a year: the shares are the same.
const yearDays = 80

// TestWhatAYearOfSmallBandsCosts measures the parity of one large band and many daily ones, of 16+2. FORMAT.md has the figures.
func TestWhatAYearOfSmallBandsCosts(t *testing.T) {
	if testing.Short() {
		t.Skip("it makes many bands")
	}
	settings := format.DefaultSettings()
	settings.Parity, settings.Compression, settings.BlockBytes = "16+2", format.NoCompression, 1<<20
	p := newPlace(t, settings)
	items := manyFiles(3000)
	for i := range 40 {
		items = append(items, sized(format.Path("large-"+string(rune('a'+i/26))+string(rune('a'+i%26))), sourcetest.Random(uint64(i), 1_000_000)))
	}
	var firstData, firstParity int64
	for day := range yearDays {
		p.now = testTime.Add(time.Duration(day) * 24 * time.Hour)
		for i := range 3 {
			n := (day*7 + i*911) % 3000
			items[n] = sized(items[n].Entry.Path, sourcetest.Random(uint64(100_000+day*10+i), 30_000))
		}
		p.backup(sourcetest.New(items...))
		if day == 0 {
			firstData, firstParity = parityShare(t, p.storage)
		}
	}
	data, made := parityShare(t, p.storage)
	t.Logf("the first band: %d bytes, parity %d, %.3f; all: %d bytes, parity %d, %.3f; those of the year alone: %.3f",
		firstData, firstParity, float64(firstParity)/float64(firstData), data, made, float64(made)/float64(data), float64(made-firstParity)/float64(data-firstData))
	if float64(firstParity) > 1.5*2/16*float64(firstData) {
		t.Error("the first band costs more than 1.5 times m/k")
	}
}

func parityShare(t *testing.T, st storage.Storage) (data, made int64) {
	for info, err := range st.List(context.Background(), "", storage.Deep) {
		if err != nil {
			t.Fatal(err)
		}
		if _, kind, _, _ := format.ParseObjectName(info.Name); kind == format.ParityObject {
			made += info.SizeBytes
		} else {
			data += info.SizeBytes
		}
	}
	return data, made
}
