package dedup

import (
	"iter"
	"runtime/debug"
	"sort"

	"dura/archive/format"
)

// Find yields the places where the content of this hash may be found, from the newest segment on. What was collected is found
// once it is committed. Any method may be called meanwhile, and if the index changes then, a place may come twice.
func (x *Index) Find(sum format.Hash) iter.Seq[Place] {
	return func(yield func(Place) bool) {
		k, at := keyOf(sum), position{}
		for {
			place, found := x.next(k, &at)
			if !found || !yield(place) {
				return
			}
		}
	}
}

// position is how far a search has come.
type position struct {
	generation int
	segments   int // so many of the newest are done with
}

func (x *Index) next(k key, at *position) (Place, bool) {
	for {
		place, found, damage := x.search(k, at)
		if damage == nil {
			return place, found
		}
		x.tell(damage)
	}
}

// search looks into the segments that are left, up to the first that has the content or is found to be damaged.
func (x *Index) search(k key, at *position) (place Place, found bool, damage *DamageError) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if at.generation != x.generation {
		*at = position{generation: x.generation}
	}
	var s *segment
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true)) // a signal would end the process otherwise
	defer func() {
		if panicked := recover(); panicked != nil {
			place, found, damage = Place{}, false, s.caught(panicked)
		}
	}()
	for i := len(x.segments) - 1 - at.segments; i >= 0 && !found && damage == nil; i-- {
		at.segments++
		s = x.segments[i]
		place, found, damage = s.lookup(k)
	}
	return place, found, damage
}

// Covers says which hunks and span lists of a band have been added, and which of those added earlier are not lost or forgotten.
// What is collected is among them.
func (x *Index) Covers(band format.BandID) Coverage {
	x.work.Lock()
	defer x.work.Unlock()
	var c Coverage
	if place, ok := x.pending.places[band]; ok {
		c = c.union(x.pending.bands[place].Coverage)
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	for _, s := range x.segments {
		i := sort.Search(len(s.bands), func(i int) bool { return s.bands[i].id >= band })
		if i < len(s.bands) && s.bands[i].id == band && !s.damaged.Load() && (s.forgotten == nil || !s.forgotten[i]) {
			c = c.union(s.bands[i].Coverage)
		}
	}
	return c
}
