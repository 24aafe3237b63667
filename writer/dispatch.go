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
	links plan.Links[*item]
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
	it := &item{node: node, entry: node.Entry}
	if len(node.Entry.Path) > format.MaxPathBytes {
		defer it.close()
		return d.raisePathTooLong(it)
	}
	if first, linked := d.links.First(&node.Entry, it); linked {
		it.first, it.entry.LinkTo = first, first.node.Entry.Path
	}
	it.action = plan.Decide(&it.entry, d.o.Settings.SplitBytes)
	if it.action == plan.Chunks {
		if err := d.flush(ctx); err != nil {
			it.close()
			return err
		}
		return d.large(ctx, it)
	}
	var bytes int64
	if it.action == plan.Whole {
		bytes = it.entry.Size
	}
	if d.batch.bytes+bytes > batchBytes || len(d.batch.items) == batchItems {
		if err := d.flush(ctx); err != nil {
			it.close()
			return err
		}
	}
	d.batch.items = append(d.batch.items, it)
	d.batch.bytes += bytes
	return nil
}

// flush sends the batch at hand to the readers and to the sequencer.
func (d *dispatcher) flush(ctx context.Context) error {
	if len(d.batch.items) == 0 {
		return nil
	}
	if err := d.budget.acquire(ctx, d.batch.bytes); err != nil {
		return context.Cause(ctx)
	}
	b := d.batch
	d.batch = &batch{items: make([]*item, 0, batchItems)}
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
