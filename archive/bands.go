package archive

import (
	"context"

	"dura/archive/format"
	"dura/archive/storage"
)

// BandState is what a listing tells of a band.
type BandState struct {
	ID       format.BandID
	HasHead  bool
	Complete bool // it has a tail, or lost the one it had
	Deleted  bool // it is given up
	HasSums  bool
	Rebuilt  uint64 // how many tails of a rebuilt index it may have, the last of which counts; 0: none
}

// Bands lists all bands, by id and so by time. It takes one shallow listing.
func (a *Archive) Bands(ctx context.Context) ([]BandState, error) {
	var bands []BandState
	for name, err := range storage.Names(ctx, a.storage, format.BandsPrefix, storage.Shallow) {
		if err != nil {
			return nil, objectError(opList, "", format.BandsPrefix, err)
		}
		id, kind, number, err := format.ParseObjectName(name)
		if err != nil || kind == format.OtherObject {
			continue
		}
		if len(bands) == 0 || bands[len(bands)-1].ID != id { // names come in order
			bands = append(bands, BandState{ID: id})
		}
		bands[len(bands)-1].has(kind, number)
	}
	return bands, nil
}

func (s *BandState) has(kind format.ObjectKind, number uint64) {
	switch kind {
	case format.HeadObject:
		s.HasHead = true
	case format.TailObject:
		s.Complete = true
	case format.RebuiltTailObject:
		s.Complete, s.Rebuilt = true, max(s.Rebuilt, number+1)
	case format.SumsObject: // written behind the tail
		s.Complete, s.HasSums = true, true
	case format.DeletedObject:
		s.Deleted = true
	}
}

// bandState is what a listing of one band tells.
func (a *Archive) bandState(ctx context.Context, id format.BandID) (BandState, error) {
	s := BandState{ID: id}
	err := a.eachEnd(ctx, id, s.has)
	return s, err
}

// rebuiltAhead is how many tails of a rebuilt index a band may have, those from a round on aside.
func (a *Archive) rebuiltAhead(ctx context.Context, id format.BandID, round uint64) (count uint64, err error) {
	err = a.eachEnd(ctx, id, func(kind format.ObjectKind, number uint64) {
		if kind == format.RebuiltTailObject && number < round {
			count = max(count, number+1)
		}
	})
	return count, err
}

// eachEnd calls do for what of a band is listed beside it.
func (a *Archive) eachEnd(ctx context.Context, id format.BandID, do func(format.ObjectKind, uint64)) error {
	prefix := format.BandsPrefix + string(id) + "."
	for name, err := range storage.Names(ctx, a.storage, prefix, storage.Shallow) {
		if err != nil {
			return objectError(opOpenBand, id, prefix, err)
		}
		if _, kind, number, err := format.ParseObjectName(name); err == nil {
			do(kind, number)
		}
	}
	return nil
}
