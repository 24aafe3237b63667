package dedup

import (
	"slices"
	"sort"
)

// Range is the numbers from First to Last.
type Range struct{ First, Last uint64 }

// Ranges is a set of numbers: ranges in ascending order that neither meet nor overlap.
type Ranges []Range

// Has reports whether n is in the set.
func (s Ranges) Has(n uint64) bool {
	i := s.from(n)
	return i < len(s) && s[i].First <= n
}

// from is the place of the first range that ends at n or behind it.
func (s Ranges) from(n uint64) int {
	return sort.Search(len(s), func(i int) bool { return s[i].Last >= n })
}

// add puts a range into the set.
func (s Ranges) add(r Range) Ranges {
	from := s.from(r.First)
	if from > 0 && s[from-1].Last+1 == r.First {
		from--
	}
	to := from
	for ; to < len(s) && (s[to].First <= r.Last || s[to].First == r.Last+1); to++ {
		r.First, r.Last = min(r.First, s[to].First), max(r.Last, s[to].Last)
	}
	if to == from+1 { // in place: most adds extend the last range
		s[from] = r
		return s
	}
	return slices.Replace(s, from, to, r)
}

// union is both sets in one, a new one.
func (s Ranges) union(t Ranges) Ranges {
	both := slices.Clone(s)
	for _, r := range t {
		both = both.add(r)
	}
	return both
}

// valid reports whether the ranges are as a Ranges must be.
func (s Ranges) valid() bool {
	for i, r := range s {
		if r.First > r.Last || i > 0 && (r.First <= s[i-1].Last || r.First-s[i-1].Last == 1) {
			return false
		}
	}
	return true
}

// Coverage is which parts of a band's index the deduplication index knows.
type Coverage struct {
	Hunks Ranges
	Lists Ranges // span lists
}

func (c Coverage) union(d Coverage) Coverage {
	return Coverage{c.Hunks.union(d.Hunks), c.Lists.union(d.Lists)}
}
