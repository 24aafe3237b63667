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
	links plan.Links[*linkGroup]
	batch *batch
}

// dispatch walks the source, decides what to do with each entry, and sends it on.
func (p *pipeline) dispatch(ctx context.Context, src source.Source) error {
	d := &dispatcher{pipeline: p, batch: &batch{}}
	defer func() { d.batch.close() }()
	for node, err := range src.Walk(ctx) {
		if err != nil {
			return err
		}
		if err := d.node(ctx, node); err != nil {
			return err
		}
	}
	return d.flush(ctx)
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
	d.link(it)
	it.action = plan.Decide(&it.entry, d.o.Settings.SplitBytes)
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

// link finds what it is another link of, if it has several.
func (d *dispatcher) link(it *item) {
	if it.entry.Links < 2 {
		return
	}
	it.group = &linkGroup{path: it.path}
	if group, linked := d.links.First(&it.entry, it.group); linked {
		it.group, it.entry.LinkTo = group, group.path
	}
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
