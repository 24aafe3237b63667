package sim

import (
	"fmt"

	"dura/archive/format"
	"dura/archive/storage"
)

// inspect looks into what a client wants to store: at that time already, all that it refers to must be there to stay.
func (w *world) inspect(r *request) {
	if r.op != storage.OpCreate || w.plant.Unwatched {
		return
	}
	if err := w.refersToWhatIsThere(r.name, r.data); err != nil {
		w.fail(fmt.Errorf("%s: %w", r, err))
	}
}

// refersToWhatIsThere checks what an object refers to.
func (w *world) refersToWhatIsThere(name string, data []byte) error {
	band, kind, _, err := format.ParseObjectName(name)
	if err != nil {
		return nil
	}
	if kind != format.HeadObject {
		if err := w.isThere(format.HeadName(band), 0, format.Hash{}); err != nil {
			return err
		}
	}
	switch kind {
	case format.HunkObject:
		return w.hunkRefers(data)
	case format.SpansObject:
		raw, err := w.decoder.Decode("span list", data, format.MaxIndexBytes)
		if err != nil {
			return err
		}
		spans, err := format.DecodeSpanList(raw)
		if err != nil {
			return err
		}
		return w.spansRefer(spans)
	case format.FenceObject:
		return w.fenceRefers(data)
	case format.TailObject:
		return w.tailRefers(band, data)
	case format.SumsObject:
		return w.sumsRefer(band, data)
	}
	return nil
}

// isThere checks that there is an object that outlasts a crash, with this hash unless that is zero.
func (w *world) isThere(name string, storedBytes int64, sum format.Hash) error {
	o := w.place.find(name)
	switch {
	case o == nil:
		return fmt.Errorf("it refers to %s, which is not there", name)
	case !sum.IsZero() && o.sum != sum:
		return fmt.Errorf("it refers to %s, which has another hash", name)
	case storedBytes > 0 && int64(len(o.data)) != storedBytes:
		return fmt.Errorf("it refers to %s, which has another size", name)
	case !o.durable:
		return fmt.Errorf("it refers to %s, which need not outlast a crash", name)
	}
	return nil
}

func (w *world) hunkRefers(data []byte) error {
	raw, err := w.decoder.Decode("hunk", data, format.MaxIndexBytes)
	if err != nil {
		return err
	}
	h, err := format.DecodeHunk(raw)
	if err != nil {
		return err
	}
	if err := w.hunksAreThere(h.Before); err != nil {
		return err
	}
	for i := range h.Entries {
		e := &h.Entries[i]
		if err := w.spansRefer(e.Spans); err != nil {
			return fmt.Errorf("%q: %w", e.Path, err)
		}
		for _, l := range e.SpanLists {
			if err := w.isThere(format.SpansName(l.Band, l.Number), l.StoredBytes, l.SHA256); err != nil {
				return fmt.Errorf("%q: %w", e.Path, err)
			}
		}
	}
	return nil
}

func (w *world) hunksAreThere(hunks []format.HunkRef) error {
	for i := range hunks {
		if err := w.isThere(format.HunkName(hunks[i].Band, hunks[i].Number), hunks[i].StoredBytes, hunks[i].SHA256); err != nil {
			return err
		}
	}
	return nil
}

// spansRefer checks each block once where spans in a row lie in the same one.
func (w *world) spansRefer(spans []format.Span) error {
	for b := range format.BlocksOf(spans) {
		if err := w.isThere(b.Name(), b.StoredBytes, b.SHA256); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) fenceRefers(data []byte) error {
	raw, err := w.decoder.Decode("fence", data, format.MaxIndexBytes)
	if err != nil {
		return err
	}
	hunks, err := format.DecodeFence(raw)
	if err != nil {
		return err
	}
	return w.hunksAreThere(hunks)
}

func (w *world) tailRefers(band format.BandID, data []byte) error {
	tail, err := format.DecodeTail(band, data)
	if err != nil {
		return err
	}
	for _, f := range tail.Fences {
		if err := w.isThere(format.FenceName(f.Band, f.Number), f.StoredBytes, f.SHA256); err != nil {
			return err
		}
	}
	if !tail.AlarmsSHA256.IsZero() {
		if err := w.isThere(format.AlarmsName(band), tail.AlarmsStoredBytes, tail.AlarmsSHA256); err != nil {
			return err
		}
	}
	return w.isThere(format.HeadName(band), 0, tail.HeadSHA256)
}

func (w *world) sumsRefer(band format.BandID, data []byte) error {
	sums, err := format.DecodeSums(data)
	if err != nil {
		return err
	}
	listed := map[string]bool{}
	for _, s := range sums {
		listed[s.Object] = true
		if w.mayBeHarmed(band) && (w.place.find(s.Object) == nil || w.lostNames[s.Object]) {
			continue // what the index says of it; its name may be another's by now
		}
		if err := w.isThere(s.Object, 0, s.SHA256); err != nil {
			return err
		}
	}
	if !listed[format.HeadName(band)] || !listed[format.TailName(band)] {
		return fmt.Errorf("it does not list the band's head and tail")
	}
	return nil
}
