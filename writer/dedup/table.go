package dedup

import (
	"slices"
	"strings"

	"dura/archive/format"
)

// table gathers bands from several tables, and gives each its place.
type table struct{ bands []bandTable }

// take adds the bands of another table, but for those that are gone.
func (t *table) take(bands []bandTable, gone []bool) {
	for i := range bands {
		if gone == nil || !gone[i] {
			t.bands = append(t.bands, bandTable{id: bands[i].id, Coverage: bands[i].Coverage})
		}
	}
}

// settle orders the bands, each once. Of more than a segment can have it drops the oldest.
func (t *table) settle() {
	slices.SortFunc(t.bands, compareBands)
	merged := t.bands[:0]
	for _, b := range t.bands {
		if n := len(merged); n > 0 && merged[n-1].id == b.id {
			merged[n-1].Coverage = merged[n-1].union(b.Coverage)
		} else {
			merged = append(merged, b)
		}
	}
	t.bands = merged[max(len(merged)-maxBands, 0):]
}

func compareBands(a, b bandTable) int { return strings.Compare(string(a.id), string(b.id)) }

// places says for each of bands which place it has in t, or that it is gone.
func (t *table) places(bands []bandTable, gone []bool) []uint32 {
	places := make([]uint32, len(bands))
	for i := range bands {
		places[i] = goneBand
		if gone != nil && gone[i] {
			continue
		}
		if at, ok := slices.BinarySearchFunc(t.bands, bands[i].id, func(b bandTable, id format.BandID) int {
			return strings.Compare(string(b.id), string(id))
		}); ok {
			places[i] = uint32(at)
		}
	}
	return places
}
