package sim

import (
	"maps"
	"slices"

	"dura/archive/format"
)

// lose takes away an object of some band, as a bad disk does. It is called in the scheduler.
func (w *world) lose() {
	var names []string
	for _, key := range slices.Sorted(maps.Keys(w.place.objects)) {
		switch _, kind, _, _ := format.ParseObjectName(w.place.objects[key].name); kind {
		case format.BlockObject, format.HunkObject, format.SpansObject, format.FenceObject:
			names = append(names, w.place.objects[key].name)
		}
	}
	if len(names) == 0 {
		return
	}
	name := names[w.rng.IntN(len(names))]
	w.say("lost: " + name)
	delete(w.place.objects, w.place.key(name))
	w.lost = w.moment
	w.lostNames[name] = true
}

// mayBeHarmed reports whether a band was begun when the last object was not lost yet: what it refers to may be that.
func (w *world) mayBeHarmed(id format.BandID) bool {
	l := w.bands[id]
	return w.lost > 0 && (l == nil || l.began <= w.lost)
}

// atWork reports whether any writer is.
func (w *world) atWork() bool {
	return slices.ContainsFunc(w.clients, func(c *client) bool { return c.tree != nil && !c.idler })
}

func (w *world) bandIDs() []format.BandID { return slices.Sorted(maps.Keys(w.bands)) }
