package verify

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/event"
	"dura/archive/format"
	"dura/archive/storage"
)

// presence lists each band that is referred to once, and compares what is there with what should be.
func (r *run) presence(ctx context.Context) error {
	for _, band := range slices.Sorted(maps.Keys(r.refs)) {
		if err := r.list(ctx, band); err != nil {
			return err
		}
		if err := r.unnamed(ctx, band); err != nil {
			return err
		}
		for _, id := range r.sorted(band) {
			w := r.refs[band][id]
			if name := id.name(band); !w.there && !r.isDamaged(name) {
				if repaired, err := r.isRepaired(ctx, name, w.sum); repaired || err != nil {
					if err != nil {
						return err
					}
					continue
				}
				if err := r.object(areaOf(id), alarm.Missing, name, nil); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// sorted are the objects of a band that are referred to, in the order in which they are stored.
func (r *run) sorted(band format.BandID) []objectID {
	return slices.SortedFunc(maps.Keys(r.refs[band]), objectID.compare)
}

func areaOf(id objectID) alarm.Area {
	if id.kind == format.BlockObject {
		return alarm.Block
	}
	return alarm.Band
}

// list marks what of a band is there, and checks the sizes.
func (r *run) list(ctx context.Context, band format.BandID) error {
	prefix := format.BandsPrefix + string(band)
	var forRepair []storage.Info
	for info, err := range r.archive.Storage().List(ctx, prefix, storage.Deep) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			// Nobody can say what is missing: take all that is left as there.
			for _, id := range r.sorted(band) {
				r.update(band, id, func(w *want) { w.there = true })
			}
			delete(r.ownBlocks, band)
			return r.object(alarm.Band, alarm.IOError, prefix, err)
		}
		if archive.IsForRepair(info.Name) {
			forRepair = append(forRepair, info)
		}
		if err := r.listed(ctx, band, info); err != nil {
			return err
		}
	}
	r.archive.Listed(band, forRepair)
	return nil
}

// listed compares one object with what refers to it.
func (r *run) listed(ctx context.Context, band format.BandID, info storage.Info) error {
	of, kind, number, err := format.ParseObjectName(info.Name)
	if err != nil || of != band || kind == format.OtherObject || kind == format.DeletedObject || kind == format.ParityObject {
		return nil
	}
	id := objectID{kind, number}
	var w want
	if _, complete := r.ownBlocks[band]; complete && kind == format.BlockObject {
		// What holds no content, but directories or links, nothing in the index refers to.
		if _, err := r.refer(band, id, want{sizeBytes: unknownSize}); err != nil {
			return err
		}
	}
	if !r.update(band, id, func(known *want) { known.there, known.isBytes, w = true, info.SizeBytes, *known }) {
		if r.everything && !r.indexDamage {
			r.count(func(res *Result, _ *event.Totals) { res.Unreferenced++ })
		}
		return nil
	}
	if w.sizeBytes != unknownSize && w.sizeBytes != info.SizeBytes {
		if repaired, err := r.isRepaired(ctx, info.Name, w.sum); repaired || err != nil {
			r.update(band, id, func(w *want) { w.hashed = r.o.Depth != Objects })
			return err
		}
		cause := fmt.Errorf("it has %d bytes, and %d are recorded", info.SizeBytes, w.sizeBytes)
		return r.object(areaOf(id), alarm.Mismatch, info.Name, cause)
	}
	return nil
}

// unnamed tells of blocks of a complete band that are gone and that nothing in the index refers to: .sha256 has their names.
func (r *run) unnamed(ctx context.Context, band format.BandID) error {
	own, complete := r.ownBlocks[band]
	for id := range r.refs[band] {
		if id.kind == format.BlockObject {
			own--
		}
	}
	if !complete || own <= 0 {
		return nil
	}
	err := r.eachSum(ctx, band, func(sum format.Sum) error {
		of, kind, number, err := r.parse(sum.Object)
		if err != nil || of != band || kind != format.BlockObject {
			return nil
		}
		if _, known := r.refs[band][objectID{kind, number}]; known {
			return nil
		}
		own--
		return r.object(alarm.Block, alarm.Missing, sum.Object, nil)
	})
	if err != nil || own <= 0 {
		return err
	}
	return r.object(alarm.Block, alarm.Missing, format.BandsPrefix+string(band)+"/data", fmt.Errorf("%d blocks more are recorded than there are", own))
}
