package dedup

const (
	maxSegments = 8
	mergeRatio  = 4 // segments up to this many times as large as what is newer are merged with it
)

// load is what matters of a segment for planning.
type load struct {
	records int64
	gone    int64 // of them, those of forgotten bands
}

// group is segments from..to-1 of a list.
type group struct{ from, to int }

// plan says which segments, the oldest first, are to be written anew, and which of them as one. What is collected, if anything is, becomes
// part of the last group, which then ends at len(segments) and may hold none.
//
// Segments of up to smallRecords are merged each time. Above that, sizes fall by more than mergeRatio from each segment to the next; there are at most maxSegments; and a record is written
// a few times for each such step.
func plan(segments []load, anything bool, collected, smallRecords int64) []group {
	start, newer := len(segments), collected
	for i := len(segments) - 1; i >= 0; i-- {
		live := segments[i].records - segments[i].gone
		if live <= max(mergeRatio*newer, smallRecords) {
			start = i
		}
		newer += live
	}
	start = min(start, maxSegments-1)
	var groups []group
	for i := range start {
		if segments[i].gone*2 > segments[i].records {
			groups = append(groups, group{i, i + 1})
		}
	}
	inputs := len(segments) - start
	if anything || inputs > 1 || inputs == 1 && segments[start].gone*2 > segments[start].records {
		groups = append(groups, group{start, len(segments)})
	}
	return groups
}
