package archive

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"dura/archive/format"
)

// Progress is how far an incomplete band has come, for a writer that goes on with it.
type Progress struct {
	Band  *Band
	Last  format.Path      // of the last entry in its index, which may be the root; see Band.Entries
	Loose []format.HunkRef // at the end of the band and in no fence, those of other bands among them, in path order

	LastHunk uint64 // number of the last of its own hunks in the index, if
	HasHunk  bool   // there is one

	// What the next object of each kind is numbered.
	NextFence, NextHunk, NextSpans, NextBlock uint64
	Blocks                                    []format.Block       // that there are, by number, without their hashes
	SpanLists                                 []format.SpanListRef // likewise, without what they cover
	ParityGroups                              []uint64             // numbers of those that there are, one for each parity object
}

// OpenProgress opens an incomplete band to go on with it. One that nothing can be added to, as it has damage or something
// missing, is an error of KindCorrupt or KindMissing.
func (a *Archive) OpenProgress(ctx context.Context, id format.BandID) (*Progress, error) {
	s := &salvage{archive: a, id: id, strict: true}
	there, err := s.list(ctx, "")
	if err != nil {
		return nil, err
	}
	for _, list := range there {
		slices.SortFunc(list, func(x, y listed) int { return cmp.Compare(x.number, y.number) })
	}
	p := &Progress{
		NextFence: there.next(format.FenceObject), NextHunk: there.next(format.HunkObject), NextSpans: there.next(format.SpansObject),
		NextBlock: there.next(format.BlockObject),
	}
	for _, b := range there[format.BlockObject] {
		p.Blocks = append(p.Blocks, format.Block{Band: id, Number: b.number, StoredBytes: b.sizeBytes})
	}
	for _, l := range there[format.SpansObject] {
		p.SpanLists = append(p.SpanLists, format.SpanListRef{Band: id, Number: l.number, StoredBytes: l.sizeBytes})
	}
	for _, o := range there[format.ParityObject] {
		p.ParityGroups = append(p.ParityGroups, o.number)
	}
	fences, loose, err := s.readIndex(ctx, there)
	if err != nil {
		return nil, err
	}
	row, _ := rowOf(fences, loose)
	if err := s.checkRow(fences, row); err != nil {
		return nil, err
	}
	p.LastHunk, p.HasHunk = lastOwn(fences, row)
	for _, slot := range row {
		p.Loose = append(p.Loose, slot.resident.refs...)
	}
	p.Band = newBand(a, id, joinResidents(append(fences, row...)))
	return p, p.findLast(ctx)
}

// ReadSpanList reads a span list that no entry refers to yet, and completes r, of which Band, Number and StoredBytes are known.
func (a *Archive) ReadSpanList(ctx context.Context, r *format.SpanListRef) ([]format.Span, error) {
	s := &salvage{archive: a, id: r.Band, strict: true}
	object, k, err := s.read(ctx, format.SpansObject, listed{r.Number, r.StoredBytes})
	if err != nil {
		return nil, err
	}
	spans := object.(*spanList).spans
	r.SHA256 = k.sum
	r.ContentBytes, r.DataBytes = format.SpannedBytes(spans)
	return spans, nil
}

// next is the number behind the highest there is.
func (v inventory) next(kind format.ObjectKind) uint64 {
	list := v[kind]
	if len(list) == 0 {
		return 0
	}
	return list[len(list)-1].number + 1
}

// lastOwn is the number of the last own hunk of the row, or of the fences ahead of it.
func lastOwn(fences, row []fenceSlot) (uint64, bool) {
	for _, slot := range slices.Backward(append(slices.Clone(fences), row...)) {
		if slot.ownHunk.is {
			return slot.ownHunk.number, true
		}
	}
	return 0, false
}

func (p *Progress) findLast(ctx context.Context) error {
	if p.Band.Entries() == 0 {
		return nil
	}
	last, err := p.Band.At(ctx, p.Band.Entries()-1)
	if err != nil {
		return err
	}
	p.Last = last.Path
	return nil
}

var errGap = errors.New("one is missing ahead of it")

// checkRow checks that the fences are all there, and that fences and the row of hunks behind them follow each other.
func (s *salvage) checkRow(fences, row []fenceSlot) error {
	for i, f := range fences {
		if f.ref.Number != uint64(i) {
			return &Error{Op: opOpenBand, Band: s.id, Object: fenceKey(&f.ref).name(), Kind: KindMissing, Err: errGap}
		}
	}
	all := append(slices.Clone(fences), row...)
	for i := 1; i < len(all); i++ {
		if format.Compare(all[i-1].ref.FirstPath, all[i].ref.FirstPath) >= 0 {
			return contradiction(s.id, format.HeadName(s.id), "its index goes back from %q to %q", all[i-1].ref.FirstPath, all[i].ref.FirstPath)
		}
	}
	return nil
}
