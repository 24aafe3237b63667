package repair

import (
	"context"
	"maps"
	"slices"

	"dura/archive/format"
	"dura/archive/repair/reindex"
	"dura/archive/storage"
)

// readBlocks reads the footers of the blocks that may tell of what is lost, each once, and of the frames those that hold it.
func (b *rebuilding) readBlocks(ctx context.Context) error {
	ranges := map[format.BandID][]reindex.Range{}
	known := map[reindexKey]bool{}
	for l, s := range b.stretches {
		if !known[keyOf(s)] && !b.mayRelist(&s.Lost) {
			known[keyOf(s)] = true
			ranges[ownerOf(l, s)] = append(ranges[ownerOf(l, s)], s.Range)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(ranges)) {
		blocks := reindex.NewBlocks(ranges[id])
		b.blocks[id] = blocks
		if err := b.readFooters(ctx, id, blocks); err != nil {
			return err
		}
	}
	return nil
}

// readFooters reads those of one band.
func (r *run) readFooters(ctx context.Context, id format.BandID, into *reindex.Blocks) error {
	sizes, err := r.list(ctx, id)
	if err != nil {
		return err
	}
	numbers := map[uint64]bool{}
	for _, name := range slices.Concat(slices.Collect(maps.Keys(sizes)), r.wantedOf(id)) {
		if _, kind, number, _ := format.ParseObjectName(name); kind == format.BlockObject {
			numbers[number] = true
		}
	}
	for _, number := range slices.Sorted(maps.Keys(numbers)) {
		block := &format.Block{Band: id, Number: number, StoredBytes: sizes[format.BlockName(id, number)]}
		err := r.readFooter(ctx, block, into)
		if ctx.Err() != nil || storage.Is(err, storage.KindUnavailable) {
			return err
		}
		if err != nil {
			into.Lose()
		}
	}
	return nil
}

func (r *run) readFooter(ctx context.Context, block *format.Block, into *reindex.Blocks) error {
	footer, err := r.archive.Footer(ctx, block)
	if err != nil {
		return err
	}
	block.SHA256 = r.wants[block.Name()].sum
	if block.SHA256.IsZero() || r.archive.Keys() != nil { // nothing checks a part of a message
		sum, err := r.archive.SumBlock(ctx, block)
		if err == nil && !block.SHA256.IsZero() && sum != block.SHA256 {
			err = &format.MismatchError{What: "block"}
		}
		if err != nil {
			return err
		}
		block.SHA256 = sum
	}
	return into.Add(block, &footer, func(f *format.Frame) ([]format.TarMember, error) {
		raw, err := r.archive.Raw(ctx, f)
		if err != nil {
			if ctx.Err() != nil || storage.Is(err, storage.KindUnavailable) {
				return nil, err
			}
			return nil, nil // the frame is damaged: its metadata is not known
		}
		members, _ := format.DecodeTarMembers(raw) // behind what can't be read nothing is known
		return members, nil
	})
}
