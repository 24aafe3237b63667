// Package writer makes a band: it walks a source, stores what is new in blocks and writes the index that leads to it. It
// stands on archive for the place, on writer/source for what to back up, and on writer/plan and writer/pack for every
// decision.
//
// The pipeline, each stage in its own goroutines, with the order of the walk kept from end to end:
//
//	dispatch   walks, plans, gathers entries into batches; reads large files and cuts them into chunks
//	read       reads and hashes the files of a batch (parallel)
//	sequence   links, packs members into frames, cuts the index into hunks
//	compress   compresses frames (parallel)
//	assemble   puts frames into blocks and stores them (parallel)
//	index      waits for the blocks of a hunk, then stores the hunk; fences behind hunks
//
// Data is stored before what refers to it. Memory is bounded by the budget of content in flight, the blocks open or on their
// way to storage, and pack.Window entries of index; not by the source.
package writer

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/event"
	"dura/archive/format"
	"dura/writer/source"
)

// Options say how a band is made. Now, Random and Alarms must be set.
type Options struct {
	Now        func() time.Time
	Random     io.Reader       // three bytes, for the band's id
	Host       string          // for the head, as are the following three
	Program    string          //
	Sources    []string        //
	Exclusions []string        //
	Settings   format.Settings // zero values: the archive's
	Alarms     *alarm.Set
	Events     event.Sink
	Workers    int // readers and compressors of each; 0: one a processor
}

// Result is what a backup has done.
type Result struct {
	Band   format.BandID
	Totals event.Totals
}

// Backup stores the source in a new band of a. An error means that the band is not complete; what it has is whole.
func Backup(ctx context.Context, a *archive.Archive, src source.Source, o Options) (Result, error) {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	o.Settings = o.Settings.WithDefaults(a.Head().Settings)
	if err := o.Settings.Check(); err != nil {
		return Result{}, err
	}
	band, started, err := newBand(ctx, a, o)
	if err != nil {
		return Result{}, err
	}
	p, err := newPipeline(a, band, o)
	if err != nil {
		return Result{}, err
	}
	head := format.EncodeHead(format.Head{
		Archive: a.Head().ID, Band: band, Started: started, Host: validText(o.Host), Program: validText(o.Program),
		Sources: o.Sources, Settings: o.Settings, Exclusions: o.Exclusions,
	})
	if err := p.store.object(ctx, format.HeadName(band), head); err != nil {
		return Result{}, err
	}
	if err := p.run(ctx, src); err != nil {
		return p.result(), err
	}
	err = p.finish(ctx, format.SumBytes(head))
	return p.result(), err
}

// newBand makes up an id behind that of every band there is, even if the clock was set back: ids are how bands are ordered.
func newBand(ctx context.Context, a *archive.Archive, o Options) (format.BandID, time.Time, error) {
	bands, err := a.Bands(ctx)
	if err != nil {
		return "", time.Time{}, err
	}
	var random [3]byte
	if _, err := io.ReadFull(o.Random, random[:]); err != nil {
		return "", time.Time{}, fmt.Errorf("random bytes for the band's id: %w", err)
	}
	now := o.Now().UTC()
	named := now
	if len(bands) > 0 {
		if next := bands[len(bands)-1].ID.Time().Add(time.Second); named.Before(next) {
			named = next
		}
	}
	return format.NewBandID(named, random), now, nil
}

func validText(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// pipeline is one run.
type pipeline struct {
	o     Options
	band  format.BandID
	store *store
	count counter

	work     chan *batch // to read
	ordered  chan *batch // the same, to sequence, in order
	budget   *budget
	compress chan *frame
	frames   chan assembly // in order
	index    chan indexTask

	fences     []format.FenceRef // once the index is written
	unfinished *batch            // after a failure: what the sequencer had at hand
}

// Bounds of what is under way, in numbers of batches and frames.
const (
	batchesAhead = 16
	framesAhead  = 4
	// tasksAhead is beyond what pack.Window lets pile up: the sequencer must never wait for the index, since the index waits
	// for blocks that the sequencer fills.
	tasksAhead = 4096
)

func newPipeline(a *archive.Archive, band format.BandID, o Options) (*pipeline, error) {
	return &pipeline{
		o: o, band: band, store: newStore(a.Storage(), band),
		work: make(chan *batch, batchesAhead), ordered: make(chan *batch, batchesAhead), budget: newBudget(contentBudgetBytes),
		compress: make(chan *frame, framesAhead), frames: make(chan assembly, framesAhead), index: make(chan indexTask, tasksAhead),
	}, nil
}

// run takes the source through the pipeline until the index has every entry.
func (p *pipeline) run(ctx context.Context, src source.Source) error {
	g, ctx := errgroup.WithContext(ctx)
	p.store.group, p.store.ctx = g, ctx
	g.Go(func() error {
		defer close(p.work)
		defer close(p.ordered)
		return p.dispatch(ctx, src)
	})
	for range p.o.Workers {
		g.Go(func() error { return p.read(ctx) })
		g.Go(func() error { return p.compressFrames(ctx) })
	}
	g.Go(func() error {
		defer close(p.compress)
		defer close(p.frames)
		defer close(p.index)
		return newSequencer(p).run(ctx)
	})
	g.Go(func() error { return newAssembler(p).run(ctx) })
	g.Go(func() error { return p.writeIndex(ctx) })
	err := g.Wait()
	if p.unfinished != nil {
		p.unfinished.close()
	}
	for b := range p.ordered {
		b.close()
	}
	return err
}

func (p *pipeline) result() Result {
	totals := p.count.totals()
	totals.StoredBytes, totals.Objects = p.store.totals()
	totals.Alarms = p.o.Alarms.Raised()
	return Result{Band: p.band, Totals: totals}
}

// send puts v into c unless ctx is done first.
func send[T any](ctx context.Context, c chan<- T, v T) error {
	select {
	case c <- v:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// await waits until c is closed unless ctx is done first.
func await(ctx context.Context, c <-chan struct{}) error {
	select {
	case <-c:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
