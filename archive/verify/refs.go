package verify

import (
	"cmp"
	"errors"

	"dura/archive/alarm"
	"dura/archive/format"
)

// objectID names an object within its band.
type objectID struct {
	kind   format.ObjectKind
	number uint64
}

func (o objectID) compare(p objectID) int {
	return cmp.Or(cmp.Compare(o.kind, p.kind), cmp.Compare(o.number, p.number))
}

func (o objectID) name(band format.BandID) string {
	switch o.kind {
	case format.HeadObject:
		return format.HeadName(band)
	case format.TailObject:
		return format.TailName(band)
	case format.RebuiltTailObject:
		return format.RebuiltTailName(band, o.number)
	case format.SumsObject:
		return format.SumsName(band)
	case format.AlarmsObject:
		return format.AlarmsName(band)
	case format.BlockObject:
		return format.BlockName(band, o.number)
	case format.HunkObject:
		return format.HunkName(band, o.number)
	case format.SpansObject:
		return format.SpansName(band, o.number)
	}
	return format.FenceName(band, o.number)
}

// references are the objects of one band that are referred to.
type references map[objectID]want

// want is what an object should be.
type want struct {
	sizeBytes int64       // -1: not known
	isBytes   int64       // as the listing has it
	sum       format.Hash // zero: not known
	hashed    bool        // the hash has been checked
	there     bool        // the listing has it
	summed    bool        // .sha256 has it
}

// unknownSize is that of objects whose size nothing records.
const unknownSize = -1

var errDisagree = errors.New("what refers to it does not agree on what it is")

// refer notes that something refers to an object. New is whether nothing did before.
func (r *run) refer(band format.BandID, id objectID, w want) (first bool, err error) {
	r.mu.Lock()
	of := r.refs[band]
	if of == nil {
		of = references{}
		r.refs[band] = of
	}
	before, known := of[id]
	if !known {
		of[id] = w
		r.result.Objects++
		if id.kind == format.BlockObject {
			r.result.Blocks++
		}
	}
	r.mu.Unlock()
	if known && w != (want{sizeBytes: unknownSize}) && (before.sum != w.sum || before.sizeBytes != w.sizeBytes) {
		area := alarm.Band
		if id.kind == format.BlockObject {
			area = alarm.Block
		}
		err = r.object(area, alarm.Mismatch, id.name(band), errDisagree)
	}
	return !known, err
}

// update changes what is known of an object that is referred to.
func (r *run) update(band format.BandID, id objectID, by func(*want)) (known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w, known := r.refs[band][id]
	if known {
		by(&w)
		r.refs[band][id] = w
	}
	return known
}
