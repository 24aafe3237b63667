package dedup

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"
)

// refresh takes in the segments that there are now in the directory, and lets go of those that are not.
func (x *Index) refresh() error {
	if err := prepare(x.dir); err != nil {
		return err
	}
	entries, err := os.ReadDir(x.dir)
	if err != nil {
		return err
	}
	known := map[string]*segment{}
	for _, s := range x.segments {
		known[s.path] = s
	}
	var segments []*segment
	for _, e := range entries {
		if !hasName(e.Name(), segmentSuffix) {
			continue
		}
		path := filepath.Join(x.dir, e.Name())
		if s := known[path]; s != nil {
			segments = append(segments, s)
		} else if s := x.take(path); s != nil {
			segments = append(segments, s)
		}
	}
	x.adopt(segments)
	return nil
}

// take opens a segment, or removes it if it is of no use.
func (x *Index) take(path string) *segment {
	s, err := openSegment(path, x.archive)
	if err == nil {
		return s
	}
	if errors.Is(err, os.ErrNotExist) || x.skipped[path] {
		return nil
	}
	if unreadable(err) || os.Remove(path) != nil {
		x.skipped[path] = true
	}
	x.tell(&DamageError{File: path, Err: err})
	return nil
}

// adopt makes these the segments of the index, but for those that others among them replace.
func (x *Index) adopt(segments []*segment) {
	replaced := map[segmentID]bool{}
	for _, s := range segments {
		for _, id := range s.replaced {
			replaced[id] = true
		}
	}
	var kept, old []*segment
	for _, s := range segments {
		if replaced[s.id] {
			old = append(old, s)
		} else {
			kept = append(kept, s)
		}
	}
	slices.SortFunc(kept, func(a, b *segment) int {
		if a.sequence != b.sequence {
			return cmp.Compare(a.sequence, b.sequence)
		}
		return slices.Compare(a.id[:], b.id[:])
	})
	known := x.segments
	x.swap(kept)
	for _, s := range old {
		if !slices.Contains(known, s) {
			s.close()
		}
	}
	removeAll(old)
}
