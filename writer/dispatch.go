package writer

import (
	"context"

	"dura/archive/format"
	"dura/writer/plan"
	"dura/writer/source"
)

const (
	batchBytes = 1 << 20
	batchItems = 64
)

// dispatcher gathers the nodes of a walk into batches.
type dispatcher struct {
	*pipeline
	links  plan.Links[*linkGroup]
	batch  *batch
	parent *parent
	trust  plan.Trust
	memo   *format.Block // that is known to be there
}

// dispatch walks the source, decides what to do with each entry, and sends it on.
func (p *pipeline) dispatch(ctx context.Context, src source.Source) error {
	d := &dispatcher{pipeline: p, batch: &batch{}, parent: newParent(ctx, p.begun), trust: p.begun.trust(p.o)}
	defer d.parent.stop()
	defer func() { d.batch.close() }()
	for node, err := range src.Walk(ctx, p.begun.start()) {
		if err != nil {
			return err
		}
		if p.stops() {
			node.Handle.Close()
			break
		}
		if err := d.node(ctx, node); err != nil {
			return err
		}
	}
	return d.flush(ctx)
}

// stops reports whether the run is to end early.
func (p *pipeline) stops() bool {
	select {
	case <-p.o.Stop:
		p.stopped.Store(true)
		return true
	default:
		return false
	}
}

func (d *dispatcher) node(ctx context.Context, node source.Node) error {
	if len(node.Entry.Path) > format.MaxPathBytes {
		defer node.Handle.Close()
		return d.raisePathTooLong(node.Handle)
	}
	if len(d.batch.items) == batchItems || d.batch.bytes > 0 && d.batch.bytes+node.Entry.Size > batchBytes {
		if err := d.flush(ctx); err != nil {
			node.Handle.Close()
			return err
		}
	}
	if d.batch.items == nil {
		d.batch.items = make([]item, 0, batchItems) // never grown: items are pointed to
	}
	d.batch.items = append(d.batch.items, item{path: node.Entry.Path, handle: node.Handle, blocks: node.Blocks, entry: node.Entry})
	it := &d.batch.items[len(d.batch.items)-1]
	if err := d.decide(ctx, it); err != nil {
		return err
	}
	switch it.action {
	case plan.Chunks:
		d.batch.items = d.batch.items[:len(d.batch.items)-1]
		if err := d.flush(ctx); err != nil {
			it.close()
			return err
		}
		return d.large(ctx, it)
	case plan.Whole:
		d.batch.bytes += it.entry.Size
	}
	return nil
}

// decide finds what the parent has of it, what it is another link of, and what to do with it.
func (d *dispatcher) decide(ctx context.Context, it *item) (err error) {
	if err := d.link(ctx, it); err != nil {
		return err
	}
	if it.parentEntry, err = d.of(ctx, it.path); err != nil {
		return err
	}
	it.action = plan.Decide(&it.entry, d.o.Settings.SplitBytes)
	switch {
	case it.old != nil:
		if it.there, err = d.isThere(ctx, it.old); it.there {
			it.action = d.trust.Decide(&it.entry, it.old, d.o.Settings.SplitBytes)
		}
		return err
	case d.parent.blind && d.o.ByDate && it.action != plan.Link && d.trust.OlderThan(&it.entry):
		it.action = plan.ByPath
	}
	return nil
}

// isThere is presence.content, quick where one file's content follows the other's.
func (d *dispatcher) isThere(ctx context.Context, e *format.Entry) (bool, error) {
	if len(e.SpanLists) == 0 && len(e.Spans) == 1 && e.Spans[0].Frame.Block == d.memo {
		return true, nil
	}
	there, err := d.presence.content(ctx, e)
	if there && len(e.Spans) == 1 {
		d.memo = e.Spans[0].Frame.Block
	}
	return there, err
}

// link finds what it is another link of, if it has several.
func (d *dispatcher) link(ctx context.Context, it *item) error {
	if it.entry.Links < 2 || it.entry.Kind == format.Directory {
		return nil
	}
	group, err := d.earlier.group(ctx, &it.entry)
	if err != nil {
		return err
	}
	if group != nil {
		it.group, it.entry.LinkTo = group, group.path
		return nil
	}
	it.group = &linkGroup{path: it.path}
	if group, linked := d.links.First(&it.entry, it.group); linked {
		it.group, it.entry.LinkTo = group, group.path
	}
	return nil
}

// flush sends the batch at hand to the readers and to the sequencer.
func (d *dispatcher) flush(ctx context.Context) error {
	if len(d.batch.items) == 0 {
		d.batch = &batch{}
		return nil
	}
	if err := d.budget.acquire(ctx, d.batch.bytes); err != nil {
		return context.Cause(ctx)
	}
	b := d.batch
	d.batch = &batch{}
	return d.hand(ctx, b)
}

// hand sends b to the sequencer, which then answers for it, and to the readers.
func (d *dispatcher) hand(ctx context.Context, b *batch) error {
	b.done = make(chan struct{})
	if err := send(ctx, d.ordered, b); err != nil {
		b.close()
		return err
	}
	return send(ctx, d.work, b)
}
