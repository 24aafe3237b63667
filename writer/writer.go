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
	"errors"
	"io"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/event"
	"dura/archive/format"
	"dura/archive/parity"
	"dura/writer/dedup"
	"dura/writer/plan"
	"dura/writer/source"
)

// Options say how a band is made. Now, Random and Alarms must be set.
type Options struct {
	Now        func() time.Time
	Random     io.Reader       // three bytes, for the band's id; two for each group that is made of what earlier runs have stored
	Host       string          // for the head, as are the following three
	Program    string          //
	Sources    []string        //
	Exclusions []string        //
	Settings   format.Settings // zero values: the archive's
	Alarms     *alarm.Set
	Events     event.Sink
	Workers    int // readers and compressors of each; 0: one a processor

	Index  *dedup.Index    // of the content that the archive holds; nil: what other bands have is found where the parent has it at the same path
	Parent format.BandID   // whose unchanged files are taken; empty: the latest complete band of the same host and sources
	Trust  plan.Trust      // Before is not looked at: it is the start of the parent
	ByDate bool            // where the parent's index can't be read, files older than it are entered as being in it by path
	Fresh  bool            // begin a new band even where one could be gone on with
	Stop   <-chan struct{} // once it is closed the run stores what it has at hand and ends with ErrStopped; nil: never
}

// ErrStopped says that a run ended early, as it was asked to. The next one goes on from there.
var ErrStopped = errors.New("the backup was stopped before its end")

// Result is what a backup has done.
type Result struct {
	Band      format.BandID
	Parent    format.BandID // empty: none
	Continued bool          // an earlier run had begun the band
	Totals    event.Totals  // of this run

	// Of a band that is complete:
	TailSHA256 format.Hash   // of its tail as it is stored
	BandTotals format.Totals // of all runs, as the tail has them
}

// maxBands is in how many bands one backup tries to get ahead of others that write into the same.
const maxBands = 3

// Backup stores the source in a band of a: in a new one, or in the one that an earlier run of the same backup has left incomplete. An
// error means that the band is not complete; what it has is whole, and the next backup goes on from there.
func Backup(ctx context.Context, a *archive.Archive, src source.Source, o Options) (Result, error) {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	o.Settings = o.Settings.WithDefaults(a.Head().Settings)
	if err := o.Settings.Check(); err != nil {
		return Result{}, err
	}
	if _, err := parity.ParseScheme(o.Settings.Parity); err != nil {
		return Result{}, err
	}
	for try := 1; ; try++ {
		result, err := backup(ctx, a, src, o)
		var taken *takenError
		if !errors.As(err, &taken) || try == maxBands {
			return result, err
		}
		if err := o.Alarms.Raise(taken.alarm()); err != nil {
			return result, err
		}
		o.Fresh = true
	}
}

// backup makes, or goes on with, one band.
func backup(ctx context.Context, a *archive.Archive, src source.Source, o Options) (Result, error) {
	begun, err := begin(ctx, a, o)
	if err != nil {
		return Result{}, err
	}
	p, err := newPipeline(ctx, a, begun, o)
	if err != nil {
		return Result{}, err
	}
	if !begun.stored {
		if err := p.store.object(ctx, format.HeadName(begun.band), begun.head); err != nil {
			return Result{}, err
		}
	}
	err = p.run(ctx, src)
	switch {
	case err != nil:
	case p.stopped.Load():
		err = ErrStopped
	default:
		err = p.finish(ctx)
	}
	return p.result(), errors.Join(err, p.commitIndex(ctx, err == nil))
}

// commitIndex makes last what the index of the archive's content has learned. Whole says that the band is complete.
func (p *pipeline) commitIndex(ctx context.Context, whole bool) error {
	if p.o.Index == nil || ctx.Err() != nil {
		return nil
	}
	if whole && p.begun.progress == nil {
		if err := p.tell(p.o.Index.AddSpans(p.band, wholeBand, nil)); err != nil {
			return err
		}
	}
	return p.tell(p.o.Index.Commit())
}

func validText(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// pipeline is one run.
type pipeline struct {
	o        Options
	archive  *archive.Archive
	begun    *beginning
	band     format.BandID
	store    *store
	presence *presence
	earlier  *earlier
	resumed  *resumed
	count    counter
	stopped  atomic.Bool // by Options.Stop

	bandTotals format.Totals // once it is finished

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
	// tasksAhead is beyond what pack.Window lets pile up, which is 40 hunks and 20 span lists: the sequencer must never wait for the
	// index because that waits for blocks that the sequencer fills. Beyond that it is to wait, since each hunk takes up to a megabyte.
	tasksAhead = 96
)

func newPipeline(ctx context.Context, a *archive.Archive, begun *beginning, o Options) (*pipeline, error) {
	resumed, err := findResumed(ctx, a, begun.progress)
	if err != nil {
		return nil, err
	}
	store := newStore(a.Storage(), begun.band)
	if store.protection, err = newProtection(store, o.Settings, begun.numbers().ParityGroups); err != nil {
		return nil, err
	}
	return &pipeline{
		o: o, archive: a, begun: begun, band: begun.band, store: store, presence: newPresence(a),
		earlier: newEarlier(begun), resumed: resumed,
		work: make(chan *batch, batchesAhead), ordered: make(chan *batch, batchesAhead), budget: newBudget(contentBudgetBytes),
		compress: make(chan *frame, framesAhead), frames: make(chan assembly, framesAhead), index: make(chan indexTask, tasksAhead),
	}, nil
}

// run takes the source through the pipeline until the index has every entry.
func (p *pipeline) run(ctx context.Context, src source.Source) error {
	g, ctx := errgroup.WithContext(ctx)
	p.store.group, p.store.ctx, p.store.running = g, ctx, true
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
	p.store.running = false
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
	return Result{
		Band: p.band, Parent: p.begun.parentID, Continued: p.begun.stored, Totals: totals, TailSHA256: p.store.sum(format.TailName(p.band)),
		BandTotals: p.bandTotals,
	}
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
