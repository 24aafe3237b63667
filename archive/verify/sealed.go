package verify

import (
	"context"
	"fmt"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/event"
	"dura/archive/format"
)

// parse is format.ParseObjectName for a name in .sha256, which is that in storage.
func (r *run) parse(object string) (format.BandID, format.ObjectKind, uint64, error) {
	name, ok := format.NameOf(object, r.archive.Head().Sealed())
	if !ok {
		return "", format.OtherObject, 0, fmt.Errorf("%q is not an object of this archive", object)
	}
	return format.ParseObjectName(name)
}

// isLocked reports whether there are bands that can't be opened.
func (r *run) isLocked(bands []archive.BandState) bool {
	for _, s := range bands {
		if !s.Deleted && !r.archive.CanOpen(s.ID) {
			return true
		}
	}
	return false
}

// withoutKey compares what is stored with what .sha256 and the parity say, which is all that can be done without the archive's key. What a band refers
// to in others, and whether anything is missing in a band that has no .sha256, stays unknown.
func (r *run) withoutKey(ctx context.Context, bands []archive.BandState) error {
	var summed []format.BandID
	for _, s := range bands {
		if s.Deleted {
			continue
		}
		r.count(func(res *Result, _ *event.Totals) { res.Bands++ })
		if err := r.state(s); err != nil {
			return err
		}
		if !s.HasSums {
			continue
		}
		err := r.eachSum(ctx, s.ID, func(sum format.Sum) error {
			of, kind, number, err := r.parse(sum.Object)
			if err != nil || of != s.ID {
				cause := fmt.Errorf("it has a line for %q, which is no object of the band", sum.Object)
				return r.object(alarm.Band, alarm.Corrupt, format.SumsName(s.ID), cause)
			}
			if kind == format.ParityObject {
				return nil
			}
			_, err = r.refer(of, objectID{kind, number}, want{sizeBytes: unknownSize, sum: sum.SHA256})
			return err
		})
		if err != nil {
			return err
		}
		summed = append(summed, s.ID)
	}
	if err := r.presence(ctx); err != nil {
		return err
	}
	if err := r.hashes(ctx); err != nil {
		return err
	}
	return r.parity(ctx, summed)
}
