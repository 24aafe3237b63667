package archive

import (
	"context"
	"slices"
	"strings"

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
}

// Bands lists all bands, by id and so by time. It takes one shallow listing.
func (a *Archive) Bands(ctx context.Context) ([]BandState, error) {
	var bands []BandState
	places := map[format.BandID]int{}
	for name, err := range storage.Names(ctx, a.storage, format.BandsPrefix, storage.Shallow) {
		if err != nil {
			return nil, objectError(opList, "", format.BandsPrefix, err)
		}
		id, kind, _, err := format.ParseObjectName(name)
		if err != nil || kind == format.OtherObject {
			continue
		}
		place, known := places[id]
		if !known {
			place = len(bands)
			places[id] = place
			bands = append(bands, BandState{ID: id})
		}
		bands[place].has(kind)
	}
	slices.SortFunc(bands, func(x, y BandState) int { return strings.Compare(string(x.ID), string(y.ID)) })
	return bands, nil
}

func (s *BandState) has(kind format.ObjectKind) {
	switch kind {
	case format.HeadObject:
		s.HasHead = true
	case format.TailObject:
		s.Complete = true
	case format.SumsObject: // written behind the tail
		s.Complete, s.HasSums = true, true
	case format.DeletedObject:
		s.Deleted = true
	}
}
