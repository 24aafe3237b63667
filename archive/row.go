package archive

import (
	"cmp"
	"slices"

	"dura/archive/format"
)

// rowOf finds, among the own hunks that are in no fence, those that stand one behind the other behind the fences, and the rest.
func rowOf(fences, loose []fenceSlot) (row, rest []fenceSlot) {
	var last numberOf
	for _, f := range fences {
		if f.ownHunk.is && (!last.is || f.ownHunk.number > last.number) {
			last = f.ownHunk
		}
	}
	behind := map[numberOf]int{} // the last hunk that stands behind each
	for i, l := range loose {
		ahead, is := l.previous.Of(l.ownHunk.number)
		key := numberOf{ahead, is}
		if j, ok := behind[key]; !ok || loose[j].ownHunk.number < l.ownHunk.number {
			behind[key] = i
		}
	}
	taken := map[int]bool{}
	for {
		i, ok := behind[last]
		if !ok || taken[i] {
			break
		}
		taken[i] = true
		row = append(row, loose[i])
		last = loose[i].ownHunk
	}
	for i, l := range loose {
		if !taken[i] {
			rest = append(rest, l)
		}
	}
	return row, rest
}

// apart is what of rest lies behind everything else, one behind the other: hunks that lost the one ahead of them.
func apart(fences, row, rest []fenceSlot) []fenceSlot {
	var end format.Path
	known := len(row) > 0
	if known {
		end = row[len(row)-1].lastPath
	} else if len(fences) > 0 {
		return rest // where the fences end is not known without reading on; what overlaps is found out by who reads it
	}
	slices.SortFunc(rest, func(x, y fenceSlot) int {
		return cmp.Or(format.Compare(x.ref.FirstPath, y.ref.FirstPath), -cmp.Compare(x.ownHunk.number, y.ownHunk.number))
	})
	var good []fenceSlot
	for _, slot := range rest {
		if !known || format.Compare(slot.ref.FirstPath, end) > 0 {
			good = append(good, slot)
			end, known = slot.lastPath, true
		}
	}
	return good
}
