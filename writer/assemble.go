package writer

import (
	"context"
	"slices"

	"dura/archive/format"
	"dura/writer/pack"
)

// assembly is what the assembler takes in order: a frame, or word that the backup has come to at.
type assembly struct {
	frame *frame
	at    pack.Position
	flush bool // end what is open, however little that is
}

// block is a block on its way to storage.
type block struct {
	format.Block // complete once stored is closed
	builder      format.BlockBuilder
	stored       chan struct{}
	progress     *format.Progress // of the last frame
	chain        []format.Block
}

// chain is the blocks of this run so far with chunks of one file.
type chain struct {
	path   format.Path
	blocks []format.Block
}

// progress completes what a block is to say of the file that goes on behind it.
func (c *chain) progress(b *block) *format.Progress {
	p := b.progress
	if p == nil {
		*c = chain{}
		return nil
	}
	if c.path != p.Path {
		*c = chain{path: p.Path}
	}
	p.Blocks = latest(append(slices.Clip(b.chain), c.blocks...))
	return p
}

// add adds a block that was finished, if the file goes on behind it.
func (c *chain) add(b *block) {
	if b.progress != nil {
		c.blocks = append(latest(c.blocks), b.Block)
	}
}

func latest(blocks []format.Block) []format.Block {
	return slices.Clone(blocks[max(0, len(blocks)-format.MaxProgressBlocks):])
}

// assembler puts frames into blocks.
type assembler struct {
	*pipeline
	cuts    pack.Blocks
	open    [pack.Streams]*block
	chain   chain
	next    uint64 // number of the next block
	encoder *format.Encoder
}

func newAssembler(p *pipeline) *assembler {
	a := &assembler{pipeline: p, next: p.begun.numbers().NextBlock, cuts: pack.Blocks{AimBytes: p.o.Settings.BlockBytes - blockTrailerBytes}}
	if p.begun.progress != nil {
		a.cuts.FirstBytes = p.o.Settings.BlockBytes / firstShare
	}
	return a
}

// firstShare: a run that goes on stores little blocks first, as the one before it has not lived for long. However often runs are killed,
// each leaves something.
const firstShare = 16

// blockTrailerBytes is room for the footer and the seek table of an ordinary block.
const blockTrailerBytes = 192 << 10

func (a *assembler) run(ctx context.Context) (err error) {
	if a.encoder, err = format.NewIndexEncoder(); err != nil {
		return err
	}
	for as := range a.frames {
		if as.flush {
			if err := a.end(ctx, a.cuts.EndsLast()); err != nil {
				return err
			}
			continue
		}
		if as.frame == nil {
			if err := a.end(ctx, a.cuts.EndsStale(as.at)); err != nil {
				return err
			}
			continue
		}
		if err := await(ctx, as.frame.compressed); err != nil {
			return err
		}
		if err := a.place(ctx, as.frame); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return a.end(ctx, a.cuts.EndsLast())
}

// place puts a frame into the open block of its stream.
func (a *assembler) place(ctx context.Context, f *frame) error {
	footerBytes := int64(0)
	for i := range f.members {
		footerBytes += int64(len(f.members[i].Path)) + 80
	}
	if err := a.end(ctx, a.cuts.Ends(f.stream, int64(f.StoredBytes), footerBytes, f.at)); err != nil {
		return err
	}
	b := a.open[f.stream]
	if b == nil {
		b = &block{stored: make(chan struct{})}
		a.open[f.stream] = b
	}
	f.block, f.Frame.Block = b, &b.Block
	f.Offset = b.builder.AddFrame(f.stored, f.RawBytes, f.Sum, f.members)
	b.progress, b.chain = f.progress, f.chain
	f.stored, f.members = nil, nil
	close(f.placed)
	return nil
}

// end finishes the open blocks of these streams and sends them to storage.
func (a *assembler) end(ctx context.Context, streams []pack.Stream) error {
	for _, s := range streams {
		b := a.open[s]
		a.open[s] = nil
		if s == pack.Large {
			b.builder.SetProgress(a.chain.progress(b))
		}
		parts, ref, err := a.sealBlock(b.builder.Finish(a.band, a.next, a.encoder))
		if err != nil {
			return err
		}
		a.next++
		b.Block, b.builder = ref, format.BlockBuilder{}
		if s == pack.Large {
			a.chain.add(b)
		}
		if err := a.store.block(ctx, b, parts); err != nil {
			return err
		}
	}
	return nil
}
