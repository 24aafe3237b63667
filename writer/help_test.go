package writer_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/archivetest"
	"dura/archive/format"
	"dura/archive/seal"
	"dura/archive/seal/sealtest"
	"dura/archive/storage"
	"dura/archive/storage/memory"
	"dura/writer"
	"dura/writer/source"
	"dura/writer/source/sourcetest"
)

var testTime = time.Date(2026, 11, 23, 10, 15, 0, 0, time.UTC)

// smallSettings make many blocks, frames, chunks and span lists of little content.
func smallSettings() format.Settings {
	return format.Settings{
		Compression: format.FastestCompression, BlockBytes: 256 << 10, FrameBytes: 4 << 10, SplitBytes: 8 << 10,
		ChunkMinBytes: 256, ChunkMeanBytes: 512, ChunkMaxBytes: 2 << 10,
	}
}

// fewer is n, or another number where -short asks for less, as CI does with the race detector: that has to see what runs in parallel
// once, and all else is tested without it.
func fewer(n, short int) int {
	if testing.Short() {
		return short
	}
	return n
}

// place is an archive for one test.
type place struct {
	t       testing.TB
	storage storage.Storage
	wrap    func(storage.Storage) storage.Storage // around it while a backup runs
	raised  []alarm.Alarm
	now     time.Time             // of the next backup; zero: testTime
	options func(*writer.Options) // changes them
	writes  func() *seal.Keys     // of an encrypted archive, for a backup
}

func newPlace(t testing.TB, settings format.Settings) *place {
	t.Helper()
	p := &place{t: t, storage: memory.New()}
	create := archive.CreateOptions{ID: "00112233445566778899aabbccddeeff", Now: testTime, Settings: settings}
	if err := archive.Create(context.Background(), p.storage, create); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *place) open() *archive.Archive {
	p.t.Helper()
	a, err := archive.Open(context.Background(), p.storage, archive.Options{Unlock: archivetest.Unlock(sealtest.Keys())})
	if err != nil {
		p.t.Fatal(err)
	}
	return a
}

func (p *place) tryBackup(ctx context.Context, src source.Source, workers int) (writer.Result, error) {
	p.t.Helper()
	set, err := alarm.NewSet(alarm.Options{})
	if err != nil {
		p.t.Fatal(err)
	}
	return p.backupWith(ctx, set, src, workers)
}

func (p *place) backupWith(ctx context.Context, set *alarm.Set, src source.Source, workers int) (writer.Result, error) {
	p.t.Helper()
	st := p.storage
	if p.wrap != nil {
		st = p.wrap(st)
	}
	var keys *seal.Keys
	if p.writes != nil {
		keys = p.writes()
	}
	a, err := archive.Open(ctx, st, archive.Options{Unlock: archivetest.Unlock(keys), Alarms: set})
	if err != nil {
		return writer.Result{}, err
	}
	defer a.Close()
	now := testTime
	if !p.now.IsZero() {
		now = p.now
	}
	o := writer.Options{
		Now: func() time.Time { return now }, Random: io.MultiReader(bytes.NewReader([]byte{1, 2, 3, 4, 5, 6}), rand.NewChaCha8([32]byte{})), Host: "host", Program: "test",
		Sources: []string{"/source"}, Alarms: set, Workers: workers,
	}
	if p.options != nil {
		p.options(&o)
	}
	result, err := writer.Backup(ctx, a, sourcetest.Watch(p.t, src), o)
	p.raised, _ = set.Kept()
	if err == nil {
		p.checkTail(result)
	}
	return result, err
}

// checkTail compares what a backup says of the band's tail with the one that is stored.
func (p *place) checkTail(r writer.Result) {
	p.t.Helper()
	a, name := p.open(), format.TailName(r.Band)
	defer a.Close()
	stored, err := a.Storage().Read(context.Background(), name, 0, format.MaxTextBytes)
	if err != nil {
		p.t.Fatal(err)
	}
	text, err := a.Opened(name, stored)
	if err != nil {
		p.t.Fatal(err)
	}
	tail, err := format.DecodeTail(r.Band, text)
	if err != nil || format.SumBytes(stored) != r.TailSHA256 || tail.Totals != r.BandTotals {
		p.t.Errorf("the tail is %v with %+v, and the backup has %v with %+v: %v", format.SumBytes(stored), tail.Totals, r.TailSHA256, r.BandTotals, err)
	}
}

func (p *place) backup(src source.Source) writer.Result {
	p.t.Helper()
	result, err := p.tryBackup(context.Background(), src, 2)
	if err != nil {
		p.t.Fatal(err)
	}
	return result
}

// stored is an entry with its content, as a reader finds it.
type stored struct {
	format.Entry
	content []byte // with its holes, unless they are huge
}

func (p *place) read() map[format.Path]stored {
	p.t.Helper()
	return p.readBand("latest")
}

// readBand reads everything in a band, and checks every content against its hash.
func (p *place) readBand(spec string) map[format.Path]stored {
	p.t.Helper()
	ctx := context.Background()
	a := p.open()
	defer a.Close()
	state, err := a.FindBand(ctx, spec)
	if err != nil {
		p.t.Fatal(err)
	}
	band, err := a.OpenBand(ctx, state)
	if err != nil {
		p.t.Fatal(err)
	}
	entries := map[format.Path]stored{}
	for e, err := range band.Subtree(ctx, format.Root) {
		if err != nil {
			p.t.Fatal(err)
		}
		s := stored{Entry: *e.Entry}
		if e.Kind == format.File {
			s.content = p.content(a, e.Entry)
		}
		entries[e.Path] = s
	}
	if band.Entries() != int64(len(entries)) || band.Tail().Totals.Entries != int64(len(entries)) {
		p.t.Fatalf("%d entries, but the band says %d and its tail %d", len(entries), band.Entries(), band.Tail().Totals.Entries)
	}
	return entries
}

func (p *place) content(a *archive.Archive, e *format.Entry) []byte {
	p.t.Helper()
	var data []byte
	whole, alone := sha256.New(), sha256.New()
	at := int64(0)
	hole := func(end int64) {
		if e.DataSHA.IsZero() {
			whole.Write(make([]byte, end-at))
			data = append(data, make([]byte, end-at)...)
		}
	}
	for s, err := range a.Content(e).Segments(context.Background()) {
		if err != nil {
			p.t.Fatalf("%q: %v", e.Path, err)
		}
		hole(s.Start)
		whole.Write(s.Data)
		alone.Write(s.Data)
		data = append(data, s.Data...)
		at = s.Start + int64(len(s.Data))
	}
	hole(e.Size)
	if e.DataSHA.IsZero() && format.Hash(whole.Sum(nil)) != e.SHA256 || !e.DataSHA.IsZero() && format.Hash(alone.Sum(nil)) != e.DataSHA {
		p.t.Fatalf("%q does not have its hash: %+v", e.Path, e)
	}
	return data
}

// objects are all objects of a storage.
func objects(t testing.TB, st storage.Storage) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for info, err := range st.List(context.Background(), "", storage.Deep) {
		if err != nil {
			t.Fatal(err)
		}
		data, err := st.Read(context.Background(), info.Name, 0, int(info.SizeBytes))
		if err != nil {
			t.Fatal(err)
		}
		all[info.Name] = data
	}
	return all
}
