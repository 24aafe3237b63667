package sim

import (
	"context"
	"fmt"
	"iter"

	"dura/archive"
	"dura/archive/format"
	"dura/archive/storage"
	"dura/archive/verify"
)

// maxRunsToEnd is how many backups of a source it may take to complete a band once nothing goes wrong any more.
const maxRunsToEnd = 2

// calm ends all that goes wrong: what was held up arrives, and listings show everything.
func (w *world) calm() {
	w.say("all is calm")
	w.arrive(true)
	w.moment += int64(w.faults.staleMoments) + fullMoments
	w.faults, w.pauses, w.sameRandom = faults{}, 0, false
	w.place.settle()
}

// finish completes a band of each tree.
func (w *world) finish() {
	for i, t := range w.trees {
		idle := w.between(fmt.Sprintf("f%d", i))
		w.act(func() {
			for run := range maxRunsToEnd {
				var c *client
				if idle.turn(w.ctx, "begins", func() { c = w.process(fmt.Sprintf("%s.%d", idle.name, run), t) }) != nil {
					return
				}
				if w.backup(c, idle) {
					return
				}
			}
			_ = idle.turn(w.ctx, "gives up", func() {
				w.fail(fmt.Errorf("%s has no complete band after %d undisturbed backups", t.key(), maxRunsToEnd))
			})
		})
	}
}

// judge checks everything that there is in the end.
func (w *world) judge() error {
	a, err := archive.Open(w.ctx, truth{w.place}, archive.Options{Decoders: 1})
	if err != nil {
		return err
	}
	defer a.Close()
	bands, err := a.Bands(w.ctx)
	if err != nil {
		return err
	}
	for _, state := range bands {
		if err := w.judgeBand(a, state); err != nil {
			return err
		}
	}
	return w.verified(w.ctx, a, bands, verify.Files)
}

func (w *world) judgeBand(a *archive.Archive, state archive.BandState) error {
	b, err := a.OpenBand(w.ctx, state)
	if err != nil {
		return err
	}
	if w.bands[b.ID()] == nil {
		return fmt.Errorf("band %s came from nowhere", b.ID())
	}
	l := w.bands[b.ID()]
	if len(b.Damage()) > 0 && !w.mayBeHarmed(b.ID()) && !(l.shared && l.ended == 0) {
		return fmt.Errorf("band %s is damaged: %v", b.ID(), b.Damage())
	}
	found, err := read(w.ctx, a, b)
	if err != nil && w.mayBeHarmed(b.ID()) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := w.compare(b, found); err != nil {
		return err
	}
	return w.once(a, b.ID(), l)
}

// once checks that no more content than a block's is in a band twice for each run that ended early. What a run does not find when it begins it stores
// again: behind a stale listing or a read that failed, after a loss, and where two runs were in the band at once.
func (w *world) once(a *archive.Archive, id format.BandID, l *life) error {
	f := newProfile(w.seed).faults
	if l.shared || l.stale || w.mayBeHarmed(id) || f.failed > 0 || f.crashes > 0 && !w.volatile {
		return nil
	}
	bytes, err := storedTwice(w.ctx, a, id)
	block := max(w.settings.BlockBytes-blockTrailer, w.settings.FrameBytes)
	if err == nil && bytes > block*int64(len(l.writers)-1) {
		err = fmt.Errorf("band %s has %d bytes of content twice, of %d runs", id, bytes, len(l.writers))
	}
	return err
}

// progress checks that no band of t has come less far than before. It is called in the scheduler.
func (w *world) progress(t *tree) error {
	a, err := archive.Open(w.ctx, truth{w.place}, archive.Options{Decoders: 1})
	if err != nil {
		return err
	}
	defer a.Close()
	for id, l := range w.bands {
		if l.tree != t || l.ended > 0 || w.place.find(format.HeadName(id)) == nil {
			continue
		}
		p, err := a.OpenProgress(w.ctx, id)
		if (l.shared || w.mayBeHarmed(id)) && (archive.Is(err, archive.KindCorrupt) || archive.Is(err, archive.KindMissing)) {
			continue // several at a time have left what nobody can go on with
		}
		if err != nil {
			return fmt.Errorf("nobody can go on with band %s: %w", id, err)
		}
		if !l.shared && !w.mayBeHarmed(id) && (p.Band.Entries() < l.covered || format.Compare(p.Last, l.last) < 0) {
			return fmt.Errorf("band %s had %d entries up to %q, and has %d up to %q now", id, l.covered, l.last, p.Band.Entries(), p.Last)
		}
		l.covered, l.last = p.Band.Entries(), p.Last
	}
	return nil
}

// truth shows what will be there for good.
type truth struct{ place *place }

func (t truth) find(op, name string) (*object, error) {
	if o := t.place.find(name); o != nil && o.durable {
		return o, nil
	}
	return nil, &storage.Error{Op: op, Object: name, Kind: storage.KindNotFound}
}

// Create implements storage.Storage.
func (t truth) Create(_ context.Context, name string, _ ...[]byte) error {
	return &storage.Error{Op: storage.OpCreate, Object: name, Kind: storage.KindReadOnly}
}

// Read implements storage.Storage.
func (t truth) Read(_ context.Context, name string, offset int64, maxBytes int) ([]byte, error) {
	o, err := t.find(storage.OpRead, name)
	if err != nil {
		return nil, err
	}
	rest := o.data[min(offset, int64(len(o.data))):]
	return append([]byte(nil), rest[:min(len(rest), maxBytes)]...), nil
}

// List implements storage.Storage.
func (t truth) List(_ context.Context, prefix string, depth storage.Depth) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		for _, info := range t.place.list(prefix, depth, 1<<62) {
			if t.place.find(info.Name).durable && !yield(info, nil) {
				return
			}
		}
	}
}

// Stat implements storage.Storage.
func (t truth) Stat(_ context.Context, name string) (storage.Info, error) {
	o, err := t.find(storage.OpStat, name)
	if err != nil {
		return storage.Info{}, err
	}
	return storage.Info{Name: o.name, SizeBytes: int64(len(o.data))}, nil
}

// Delete implements storage.Storage.
func (t truth) Delete(_ context.Context, name string) error {
	return &storage.Error{Op: storage.OpDelete, Object: name, Kind: storage.KindReadOnly}
}
