package writer

import (
	"context"
	"slices"

	"dura/archive"
	"dura/archive/format"
)

// resumed is what an earlier run has stored of the band, and put into no hunk yet: it is found by the footers of the last blocks.
type resumed struct {
	archive  *archive.Archive
	progress *archive.Progress
	blocks   []*looseBlock // the last one first
	contents map[format.Hash]loosePlace
}

// looseBlock is a block with members behind the last path of the index. Its hash is set once, by the first of the reader of large
// files and the sequencer that needs it; who has called one of the methods sees it.
type looseBlock struct {
	block  format.Block
	footer format.Footer
	turn   chan struct{} // holds one value while the hash is looked at or found
}

func newLoose(b format.Block, footer format.Footer) *looseBlock {
	l := &looseBlock{block: b, footer: footer, turn: make(chan struct{}, 1)}
	for i := range l.footer.Frames {
		l.footer.Frames[i].Block = &l.block
	}
	return l
}

// loosePlace is where a loose block has content.
type loosePlace struct {
	in     *looseBlock
	member *format.Member
}

// Bounds of the search for loose blocks, from the last block on.
const (
	maxLooseBlocks = 256
	// coveredBlocks in a row that have nothing behind the last path end it. Two streams are filled side by side, and one may be
	// a few blocks behind the other.
	coveredBlocks = 8
)

// findResumed reads the footers of the last blocks. A block whose footer can't be read is as good as none.
func findResumed(ctx context.Context, a *archive.Archive, p *archive.Progress) (*resumed, error) {
	r := &resumed{archive: a, progress: p, contents: map[format.Hash]loosePlace{}}
	if p == nil {
		return r, nil
	}
	covered := 0
	for _, b := range slices.Backward(p.Blocks) {
		if covered == coveredBlocks || len(r.blocks) == maxLooseBlocks {
			break
		}
		footer, err := a.Footer(ctx, &b)
		if err != nil {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			continue
		}
		l := newLoose(b, footer)
		if l.isBehind(p) {
			covered = 0
			r.add(l)
		} else {
			covered++
		}
	}
	return r, nil
}

// isBehind reports whether any member is of an entry behind the last one of the index.
func (l *looseBlock) isBehind(p *archive.Progress) bool {
	return p.Band.Entries() == 0 || slices.ContainsFunc(l.footer.Members, func(m format.Member) bool { return format.Compare(m.Path, p.Last) > 0 })
}

func (r *resumed) add(l *looseBlock) {
	r.blocks = append(r.blocks, l)
	for i := range l.footer.Members {
		if m := &l.footer.Members[i]; m.Bytes > 0 {
			r.contents[m.SHA256] = loosePlace{l, m}
		}
	}
}

// find is where content is, if a loose block has it.
func (r *resumed) find(ctx context.Context, sum format.Hash, bytes int) (format.Span, bool, error) {
	place, ok := r.contents[sum]
	if !ok || int(place.member.Bytes) != bytes {
		return format.Span{}, false, nil
	}
	if err := r.complete(ctx, place.in); err != nil {
		return format.Span{}, false, lostOnly(err)
	}
	return spanOf(place), true, nil
}

func spanOf(p loosePlace) format.Span {
	m := p.member
	return format.Span{Frame: &p.in.footer.Frames[m.Frame], Offset: m.Offset, Bytes: m.Bytes, SHA256: m.SHA256}
}

// is reports whether the hash of a loose block is sum, which a later block says of it. It is believed where nobody has read the
// block.
func (l *looseBlock) is(ctx context.Context, sum format.Hash) (same bool, err error) {
	err = l.alone(ctx, func() error {
		if l.block.SHA256.IsZero() {
			l.block.SHA256 = sum
		}
		same = l.block.SHA256 == sum
		return nil
	})
	return same, err
}

// complete finds the hash of a loose block by reading all of it, once.
func (r *resumed) complete(ctx context.Context, l *looseBlock) error {
	return l.alone(ctx, func() (err error) {
		if l.block.SHA256.IsZero() {
			l.block.SHA256, err = r.archive.SumBlock(ctx, &l.block)
		}
		return err
	})
}

// alone runs by while nobody else looks at the hash. Another may be reading the block just then: a cancelled run does not wait for that.
func (l *looseBlock) alone(ctx context.Context, by func() error) error {
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-l.turn }()
	return by()
}
