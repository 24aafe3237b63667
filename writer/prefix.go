package writer

import (
	"cmp"
	"context"
	"crypto/sha256"
	"slices"

	"dura/archive/format"
)

// prefix is what an earlier run has stored of a file in chunks.
type prefix struct {
	lists []*spanList
	spans []format.Span  // behind those of the lists
	chain []format.Block // blocks with chunks of it, for the progress of later ones
}

// prefixOf is the longest prefix of a file in chunks that is stored, given its runs of data, and how to go on behind it.
func (r *resumed) prefixOf(ctx context.Context, e *format.Entry, runs []run) (*prefix, *format.Progress, error) {
	for _, l := range r.blocks {
		if l.footer.Progress == nil || !l.footer.Progress.Of(e) {
			continue
		}
		p, err := r.prefixBy(ctx, l, e, runs)
		if err != nil || p != nil {
			return p, l.footer.Progress, err
		}
	}
	return nil, nil, nil
}

// prefixBy is the prefix of e that the progress in l tells of; nil if not all of it can be found.
func (r *resumed) prefixBy(ctx context.Context, l *looseBlock, e *format.Entry, runs []run) (*prefix, error) {
	progress := l.footer.Progress
	x := &prefix{}
	var spans []format.Span // of the lists
	for _, n := range progress.SpanLists {
		list, err := r.spanList(ctx, n)
		if err != nil {
			return nil, err
		}
		if list == nil {
			break // it was on its way when the run ended
		}
		x.lists = append(x.lists, list)
		spans = append(spans, list.spans...)
		list.spans = nil
	}
	blocks, err := r.chain(ctx, l)
	if blocks == nil || err != nil {
		return nil, err
	}
	x.spans = joinChunks(e, spans, blocks)
	if x.spans == nil || !coverRuns(append(spans, x.spans...), runs, progress.End) {
		return nil, nil
	}
	x.chain = blocksWith(blocks, x.spans)
	return x, nil
}

// blocksWith are those of blocks that spans lie in.
func blocksWith(blocks []*looseBlock, spans []format.Span) (with []format.Block) {
	used := map[uint64]bool{}
	for b := range format.BlocksOf(spans) {
		used[b.Number] = true
	}
	for _, b := range blocks {
		if used[b.block.Number] {
			with = append(with, b.block)
		}
	}
	return with
}

// spanList reads a list that an earlier run has stored; nil if there is none.
func (r *resumed) spanList(ctx context.Context, number uint64) (*spanList, error) {
	for _, ref := range r.progress.SpanLists {
		if ref.Number != number {
			continue
		}
		spans, err := r.archive.ReadSpanList(ctx, &ref)
		if err != nil {
			return nil, lostOnly(err)
		}
		list := &spanList{number: number, spans: spans, ref: ref, stored: make(chan struct{}), bytes: ref.DataBytes}
		close(list.stored)
		return list, nil
	}
	return nil, nil
}

// looseLists is how many of the last span lists may be in no hunk yet.
const looseLists = 64

// storedList is a span list of an earlier run that is the same as want; nil if there is none.
func (r *resumed) storedList(ctx context.Context, want format.SpanListRef) (*format.SpanListRef, error) {
	if r.progress == nil {
		return nil, nil
	}
	lists := r.progress.SpanLists
	for i := max(0, len(lists)-looseLists); i < len(lists); i++ {
		have := lists[i]
		if have.StoredBytes != want.StoredBytes {
			continue
		}
		if _, err := r.archive.ReadSpanList(ctx, &have); err != nil {
			if err := lostOnly(err); err != nil {
				return nil, err
			}
		} else if have.SHA256 == want.SHA256 {
			return &have, nil
		}
	}
	return nil, nil
}

// chain is the blocks that the progress of l names, and l, with their hashes; nil if one is missing.
func (r *resumed) chain(ctx context.Context, l *looseBlock) ([]*looseBlock, error) {
	var blocks []*looseBlock
	for i := range l.footer.Progress.Blocks {
		b, err := r.loose(ctx, &l.footer.Progress.Blocks[i])
		if b == nil || err != nil {
			return nil, err
		}
		blocks = append(blocks, b)
	}
	if err := r.complete(ctx, l); err != nil {
		return nil, lostOnly(err)
	}
	return append(blocks, l), nil
}

// loose is the block b of the band with its footer; nil if it is not there.
func (r *resumed) loose(ctx context.Context, b *format.Block) (*looseBlock, error) {
	for _, l := range r.blocks {
		if l.block.Number != b.Number || l.block.StoredBytes != b.StoredBytes {
			continue
		}
		if same, err := l.is(ctx, b.SHA256); same || err != nil {
			return l, err
		}
	}
	for i := range r.progress.Blocks {
		if there := &r.progress.Blocks[i]; there.Number != b.Number || there.StoredBytes != b.StoredBytes || there.Band != b.Band {
			continue
		}
		footer, err := r.archive.Footer(ctx, b)
		if err != nil {
			return nil, lostOnly(err)
		}
		return newLoose(*b, footer), nil
	}
	return nil, nil
}

// joinChunks makes spans of the chunks of e in these blocks that lie behind those that have spans already. It is nil where the
// content of one is elsewhere.
func joinChunks(e *format.Entry, have []format.Span, blocks []*looseBlock) []format.Span {
	known := map[format.Hash]format.Span{}
	var end int64
	for _, s := range have {
		end += s.HoleBytes + int64(s.Bytes)
		known[s.SHA256] = s
	}
	chunks := chunksBehind(e, end, blocks, known)
	spans := make([]format.Span, 0, len(chunks))
	for _, m := range chunks {
		if m.Start < end {
			continue // stored twice
		}
		s, ok := known[m.SHA256]
		if !ok {
			return nil
		}
		s.HoleBytes = m.Start - end
		end = m.Start + int64(s.Bytes)
		spans = append(spans, s)
	}
	return spans
}

// chunksBehind are the chunks of e from start on, in the order of the file, which several runs may have stored in another one. What content
// the blocks have is added to known. Of a block whose progress is of the file as it was at another time that is all: its chunks are not those of e, wherever
// in the file they begin.
func chunksBehind(e *format.Entry, start int64, blocks []*looseBlock, known map[format.Hash]format.Span) (chunks []*format.Member) {
	empty := format.Hash(sha256.Sum256(nil))
	for _, b := range blocks {
		isOfE := b.footer.Progress != nil && b.footer.Progress.Of(e)
		for i := range b.footer.Members {
			m := &b.footer.Members[i]
			if m.Bytes > 0 {
				known[m.SHA256] = spanOf(loosePlace{b, m})
			}
			if isOfE && m.Path == e.Path && m.Chunk && m.Start >= start && m.SHA256 != empty {
				chunks = append(chunks, m)
			}
		}
	}
	slices.SortStableFunc(chunks, func(a, b *format.Member) int { return cmp.Compare(a.Start, b.Start) })
	return chunks
}

// coverRuns reports whether spans are what lies ahead of end in a file with these runs of data: all of it, and holes where it has
// holes.
func coverRuns(spans []format.Span, runs []run, end int64) bool {
	var at int64
	for i := range spans {
		start := at + spans[i].HoleBytes
		for len(runs) > 0 && runs[0].end <= at {
			runs = runs[1:]
		}
		if len(runs) == 0 || spans[i].HoleBytes > 0 && start != runs[0].start || spans[i].HoleBytes == 0 && start < runs[0].start {
			return false
		}
		if at = start + int64(spans[i].Bytes); at > runs[0].end {
			return false
		}
	}
	return at == end
}
