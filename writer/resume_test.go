package writer_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"dura/archive/format"
	"dura/archive/storage"
	"dura/archive/storage/storagetest"
	"dura/writer"
	"dura/writer/source/sourcetest"
)

// resumeItems have entries of all sorts, a large file among them, whose contents fill several blocks and hunks.
func resumeItems() []sourcetest.Item {
	link := func(path format.Path) sourcetest.Item {
		it := sized(path, sourcetest.Random(77, 700))
		it.Entry.Inode, it.Entry.Links = 5, 3
		return it
	}
	items := manyFiles(1400)
	for i, name := range []format.Path{"dir/large", "z-large", "z-sparse"} {
		it := sized(name, sourcetest.Random(uint64(i), 1_300_000))
		it.Entry.Inode = uint64(10 + i)
		items = append(items, it)
	}
	items[len(items)-1].Data = items[len(items)-1].Data.Holes(sourcetest.Run{Start: 4096, End: 600_000}, sourcetest.Run{Start: 700_000, End: 1_200_000})
	untold := sized("z-untold", sourcetest.Random(9, 600_000).Holes(sourcetest.Run{Start: 4096, End: 100_000}, sourcetest.Run{Start: 590_000, End: 600_000}))
	untold.Entry.Inode, untold.Blocks = 20, 600_000/512+1 // as file systems do that count more than data
	return append(items, untold, link("a-link"), link("dir/link"), link("z-link"), sourcetest.Dir("z"), sourcetest.Symlink("z/symlink", "target"))
}

// resumeSettings make small blocks, so that there is much that a crash can come between.
func resumeSettings() format.Settings {
	s := smallSettings()
	s.BlockBytes = 320 << 10
	return s
}

func storedBytes(t testing.TB, st storage.Storage) (bytes int64) {
	for name, object := range objects(t, st) {
		if _, kind, _, err := format.ParseObjectName(name); err == nil && kind == format.BlockObject {
			bytes += int64(len(object))
		}
	}
	return bytes
}

// TestACrashAnywhereIsGoneOnFrom stops a backup at each of its operations, ahead of or behind what that does, and goes on. The smaller
// one of integration/sim is stopped at each in both ways.
func TestACrashAnywhereIsGoneOnFrom(t *testing.T) {
	items := resumeItems()
	whole := newPlace(t, resumeSettings())
	whole.now = later(1)
	rec := storagetest.NewRecorder(whole.storage)
	whole.wrap = func(storage.Storage) storage.Storage { return rec }
	whole.backup(sourcetest.New(items...))
	operations, bytes := len(rec.Log()), storedBytes(t, whole.storage)
	if operations < 20 {
		t.Fatalf("%d operations are too few to tell", operations)
	}
	step := fewer(1, 23)
	for i := range (operations + step - 1) / step {
		after, fate := i*step, []storagetest.Fate{storagetest.Undone, storagetest.Done}[i%2]
		t.Run(fmt.Sprint(after, " ", fate), func(t *testing.T) {
			p := newPlace(t, resumeSettings())
			p.now = later(1)
			p.wrap = func(st storage.Storage) storage.Storage { return storagetest.NewCrashing(st, after, fate) }
			crashed, err := p.tryBackup(context.Background(), sourcetest.New(items...), 2)
			if !errors.Is(err, storagetest.ErrCrashed) && err == nil && after < operations-5 {
				t.Fatalf("no crash at operation %d: %v", after, err)
			}
			goesOn(t, p, crashed.Band, items, bytes)
		})
	}
}

// goesOn backs items up again behind a crash: with the same band, if that was begun and has no tail, with little stored twice, and
// with nothing changed that there was.
func goesOn(t *testing.T, p *place, crashed format.BandID, items []sourcetest.Item, bytes int64) {
	t.Helper()
	before := objects(t, p.storage)
	p.wrap, p.now = nil, later(2)
	result := p.backup(sourcetest.New(items...))
	sameTree(t, p.read(), items)
	if has := before[format.HeadName(crashed)]; crashed != "" && has != nil && before[format.TailName(crashed)] == nil && (!result.Continued || result.Band != crashed) {
		t.Errorf("it did not go on with band %s", crashed)
	}
	if again := storedBytes(t, p.storage) - bytes; again > 2*resumeSettings().BlockBytes {
		t.Errorf("%d bytes more are stored than without a crash", again)
	}
	after := objects(t, p.storage)
	for name, object := range before {
		if !slices.Equal(after[name], object) {
			t.Errorf("%s is not what it was", name)
		}
	}
	p.checkSums(result.Band)
}

// checkSums holds a band's sums against its objects.
func (p *place) checkSums(band format.BandID) {
	p.t.Helper()
	all := objects(p.t, p.storage)
	sums, err := format.DecodeSums(all[format.SumsName(band)])
	if err != nil {
		p.t.Fatal(err)
	}
	for _, s := range sums {
		if format.SumBytes(all[s.Object]) != s.SHA256 {
			p.t.Errorf("%s has another hash in the sums", s.Object)
		}
		delete(all, s.Object)
	}
	for name := range all {
		if b, kind, _, err := format.ParseObjectName(name); err == nil && b == band && kind != format.SumsObject {
			p.t.Errorf("%s is not in the sums", name)
		}
	}
}

// TestABackupThatIsKilledAgainAndAgainEnds gives each run a few operations more than what it takes to begin.
func TestABackupThatIsKilledAgainAndAgainEnds(t *testing.T) {
	items, most := resumeItems(), int32(fewer(2, 8))
	p := newPlace(t, resumeSettings())
	runs := 0
	for ; ; runs++ {
		if runs == 300 {
			t.Fatal("it does not end")
		}
		p.now = later(1 + runs/10)
		rec := storagetest.NewRecorder(p.storage)
		var creates atomic.Int32
		p.wrap = func(storage.Storage) storage.Storage {
			return storagetest.NewFaulty(unhurried{rec}, func(op storagetest.Operation) error {
				if op.Op == storage.OpCreate && creates.Add(1) > most {
					return storagetest.ErrCrashed
				}
				return nil
			})
		}
		if _, err := p.tryBackup(context.Background(), sourcetest.New(items...), 2); err == nil {
			break
		}
	}
	t.Logf("%d runs", runs)
	if runs < 5 {
		t.Errorf("%d runs are too few to tell", runs)
	}
	sameTree(t, p.read(), items)
}

// unhurried stores what was begun, though another operation has failed since.
type unhurried struct{ storage.Storage }

func (s unhurried) Create(ctx context.Context, name string, parts ...[]byte) error {
	return s.Storage.Create(context.WithoutCancel(ctx), name, parts...)
}

// A run that goes on has stored something before it has made much.
func TestARunThatGoesOnStoresLittleBlocksFirst(t *testing.T) {
	settings := resumeSettings()
	settings.BlockBytes = 1 << 20
	items := []sourcetest.Item{sized("large", sourcetest.Random(1, 8<<20)), sized("larger", sourcetest.Random(2, 8<<20))}
	p := newPlace(t, settings)
	p.wrap = func(st storage.Storage) storage.Storage { return storagetest.NewCrashing(st, 8, storagetest.Done) }
	if _, err := p.tryBackup(context.Background(), sourcetest.New(items...), 1); err == nil {
		t.Fatal("it came to its end")
	}
	var mu sync.Mutex
	var own []int64
	p.wrap = func(st storage.Storage) storage.Storage {
		return storagetest.NewFaulty(st, func(op storagetest.Operation) error {
			if _, kind, _, _ := format.ParseObjectName(op.Name); op.Op == storage.OpCreate && kind == format.BlockObject {
				mu.Lock()
				defer mu.Unlock()
				own = append(own, op.Bytes)
			}
			return nil
		})
	}
	if result, err := p.tryBackup(context.Background(), sourcetest.New(items...), 1); err != nil || !result.Continued {
		t.Fatal(result, err)
	}
	aim := settings.BlockBytes
	slices.Sort(own) // they are stored side by side
	for i, share := range []int64{16, 8, 4, 2} {
		if own[i] > aim/share+16<<10 {
			t.Errorf("block %d of those that the run has stored has %d bytes", i, own[i])
		}
	}
	if last := own[len(own)-2]; last < aim/2 {
		t.Errorf("they go on being small: %d", last)
	}
	sameTree(t, p.read(), items)
}

// TestALargeFileGoesOnWhereItCameTo counts what is read of it.
func TestALargeFileGoesOnWhereItCameTo(t *testing.T) {
	const size = 4_000_000
	var read int64
	it := sized("large", sourcetest.Random(3, size))
	fill := it.Data.Fill
	it.Data.Fill = func(p []byte, offset int64) {
		read += int64(len(p))
		fill(p, offset)
	}
	p := newPlace(t, smallSettings())
	p.now = later(1)
	p.wrap = func(st storage.Storage) storage.Storage { return storagetest.NewCrashing(st, 30, storagetest.Undone) }
	if _, err := p.tryBackup(context.Background(), sourcetest.New(it), 1); !errors.Is(err, storagetest.ErrCrashed) {
		t.Fatal(err)
	}
	stored := storedBytes(t, p.storage)
	if stored < size/4 {
		t.Fatalf("%d bytes stored are too few to tell", stored)
	}
	p.wrap, read = nil, 0
	result := p.backup(sourcetest.New(it))
	if !result.Continued || read > size-stored+4*256<<10 {
		t.Errorf("%d bytes of %d were read again, %d were stored", read, size, stored)
	}
	it.Data.Fill = fill
	sameTree(t, p.read(), []sourcetest.Item{it})
}

// TestALargeFileGoesOnThoughBlocksAreLeftOut: of what each run stores, the last block but one is not there in the end, as it was on its way. What the last
// one has is found again, and the next run goes on from there, however many there were.
func TestALargeFileGoesOnThoughBlocksAreLeftOut(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes dozens of runs")
	}
	const size = 8_000_000
	began := int64(size) // where in the file the run has begun
	it := sized("large", sourcetest.Random(3, size))
	fill := it.Data.Fill
	it.Data.Fill = func(p []byte, offset int64) {
		began = min(began, offset)
		fill(p, offset)
	}
	p := newPlace(t, smallSettings())
	p.now = later(1)
	runs, before := 0, int64(0)
	for ; ; runs++ {
		if runs == 200 {
			t.Fatal("it does not end")
		}
		var mu sync.Mutex
		var created []string
		p.wrap = func(st storage.Storage) storage.Storage {
			return storagetest.NewFaulty(st, func(op storagetest.Operation) error {
				_, kind, _, _ := format.ParseObjectName(op.Name)
				if op.Op != storage.OpCreate || kind != format.BlockObject {
					return nil
				}
				mu.Lock()
				defer mu.Unlock()
				if len(created) == 6 {
					_ = st.Delete(context.Background(), created[4])
					return op.Error(storage.KindUnavailable)
				}
				created = append(created, op.Name)
				return nil
			})
		}
		began = size
		_, err := p.tryBackup(context.Background(), sourcetest.New(it), 1)
		if runs > 0 && began <= before {
			t.Errorf("run %d begins at %d, and the one before it at %d", runs, began, before)
		}
		if before = began; err == nil {
			break
		}
	}
	if runs < 10 {
		t.Errorf("%d runs are too few to tell", runs)
	}
	it.Data.Fill = fill
	sameTree(t, p.read(), []sourcetest.Item{it})
}

func TestAFileThatChangedMeanwhileIsReadFromItsStart(t *testing.T) {
	it := sized("large", sourcetest.Random(3, 4_000_000))
	p := newPlace(t, smallSettings())
	p.now = later(1)
	p.wrap = func(st storage.Storage) storage.Storage { return storagetest.NewCrashing(st, 30, storagetest.Undone) }
	p.tryBackup(context.Background(), sourcetest.New(it), 1)
	p.wrap = nil
	it = touched(it, later(2))
	it.Data = sourcetest.Random(4, 4_000_000)
	p.now = later(3)
	p.backup(sourcetest.New(it))
	sameTree(t, p.read(), []sourcetest.Item{it})
}

func TestAStopStoresWhatIsAtHand(t *testing.T) {
	items := resumeItems()
	p := newPlace(t, resumeSettings())
	p.now = later(1)
	stop := make(chan struct{})
	p.options = func(o *writer.Options) { o.Stop = stop }
	seen := 0
	slow := sourcetest.Generated(func(yield func(sourcetest.Item) bool) {
		for it := range sourcetest.New(items...).Items() {
			if seen++; seen == 900 {
				close(stop)
			}
			if !yield(it) {
				return
			}
		}
	})
	stopped, err := p.tryBackup(context.Background(), slow, 2)
	if !errors.Is(err, writer.ErrStopped) || stopped.Totals.Entries < 800 {
		t.Fatalf("%+v, %v", stopped.Totals, err)
	}
	if k := p.kinds(stopped.Band); k[format.FenceObject] != 1 || k[format.TailObject] != 0 {
		t.Errorf("objects: %v", k)
	}
	p.options = nil
	result := p.backup(sourcetest.New(items...))
	if !result.Continued || result.Totals.Entries+stopped.Totals.Entries != int64(len(items)+1) {
		t.Errorf("%d and %d entries of %d", stopped.Totals.Entries, result.Totals.Entries, len(items)+1)
	}
	sameTree(t, p.read(), items)
}

// TestASharedRunAheadOfAnInterruption is where a hole would be if the index did not say what stands between its own hunks.
func TestASharedRunAheadOfAnInterruption(t *testing.T) {
	items := manyFiles(6000)
	for after := 3; after < 40; after += fewer(1, 9) {
		p := newPlace(t, format.Settings{})
		p.now = later(1)
		p.backup(sourcetest.New(items...))
		changed := append([]sourcetest.Item(nil), items...)
		for i := 300; i < len(changed); i += 1700 {
			changed[i] = touched(changed[i], later(2))
		}
		p.now = later(3)
		p.wrap = func(st storage.Storage) storage.Storage {
			return storagetest.NewCrashing(st, after, storagetest.Undone)
		}
		_, err := p.tryBackup(context.Background(), sourcetest.New(changed...), 2)
		p.wrap = nil
		if err == nil {
			return
		}
		p.backup(sourcetest.New(changed...))
		sameTree(t, p.read(), changed)
	}
}

func TestTwoRunsThatMeetInABandHarmNothing(t *testing.T) {
	items := resumeItems()
	p := newPlace(t, resumeSettings())
	p.now = later(1)
	p.wrap = func(st storage.Storage) storage.Storage { return storagetest.NewCrashing(st, 30, storagetest.Undone) }
	crashed, err := p.tryBackup(context.Background(), sourcetest.New(items...), 2)
	if err == nil {
		t.Fatal("no crash")
	}
	var ahead sync.Once
	p.wrap = func(st storage.Storage) storage.Storage {
		return storagetest.NewFaulty(st, func(op storagetest.Operation) error {
			if band, kind, _, err := format.ParseObjectName(op.Name); err == nil && band == crashed.Band && kind == format.BlockObject && op.Op == storage.OpCreate {
				ahead.Do(func() { st.Create(context.Background(), op.Name, []byte("the other's block")) })
			}
			return nil
		})
	}
	p.now = later(2)
	result := p.backup(sourcetest.New(items...))
	if result.Band == crashed.Band || result.Continued || len(p.raised) == 0 {
		t.Errorf("%+v, %v", result, p.raised)
	}
	sameTree(t, p.read(), items)
}

// TestAHunkThatIsMissingEndsTheRow takes a hunk out of the middle, as if it had been on its way when the backup ended.
func TestAHunkThatIsMissingEndsTheRow(t *testing.T) {
	items := manyFiles(9000)
	for missing := range uint64(fewer(4, 2)) {
		p := newPlace(t, format.Settings{})
		p.now = later(1)
		full := func(st storage.Storage) storage.Storage {
			return storagetest.NewFaulty(st, func(op storagetest.Operation) error {
				if _, kind, _, _ := format.ParseObjectName(op.Name); op.Op == storage.OpCreate && (kind == format.FenceObject || kind == format.TailObject) {
					return storagetest.ErrCrashed
				}
				return nil
			})
		}
		p.wrap = full
		stopped, err := p.tryBackup(context.Background(), sourcetest.New(items...), 2)
		if !errors.Is(err, storagetest.ErrCrashed) || p.kinds(stopped.Band)[format.HunkObject] < 6 {
			t.Fatal(err, p.kinds(stopped.Band))
		}
		if err := p.storage.Delete(context.Background(), format.HunkName(stopped.Band, missing)); err != nil {
			t.Fatal(err)
		}
		added := touched(sourcetest.File(format.Path(fmt.Sprintf("dir/file-%05d-new", 1000*missing)), "new"), later(2))
		items := append([]sourcetest.Item{added}, items...)
		p.now = later(3)
		if _, err := p.tryBackup(context.Background(), sourcetest.New(items...), 2); !errors.Is(err, storagetest.ErrCrashed) {
			t.Fatal(err) // it goes on, and is stopped again
		}
		p.wrap = nil
		result := p.backup(sourcetest.New(items...))
		if !result.Continued || result.Band != stopped.Band {
			t.Errorf("%+v", result)
		}
		sameTree(t, p.read(), items)
	}
}
