package dedup

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"
)

// maxListings is how often a directory is listed anew that is another one each time.
const maxListings = 16

// refresh takes in the segments that there are now in the directory, and lets go of those that are not. A listing may lack both the segments
// that another process has just merged and the one it has made of them, so it counts once the next one is the same.
func (x *Index) refresh() error {
	if err := prepare(x.dir); err != nil {
		return err
	}
	names, err := x.list(x.dir)
	for range maxListings {
		if err != nil {
			return err
		}
		segments := x.listed(names)
		before := names
		if names, err = x.list(x.dir); err == nil && slices.Equal(names, before) {
			x.adopt(segments)
			return nil
		}
		closeAllBut(segments, x.segments)
	}
	if err == nil {
		x.adopt(x.listed(names))
	}
	return err
}

// listSegments gives the names of the segments in a directory.
func listSegments(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if hasName(e.Name(), segmentSuffix) {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// listed opens the segments with these names, but for those that are open.
func (x *Index) listed(names []string) (segments []*segment) {
	known := map[string]*segment{}
	for _, s := range x.segments {
		known[s.path] = s
	}
	for _, name := range names {
		path := filepath.Join(x.dir, name)
		if s := known[path]; s != nil {
			segments = append(segments, s)
		} else if s := x.take(path); s != nil {
			segments = append(segments, s)
		}
	}
	return segments
}

func closeAllBut(segments, kept []*segment) {
	for _, s := range segments {
		if !slices.Contains(kept, s) {
			s.close()
		}
	}
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
	closeAllBut(old, known)
	removeAll(old)
}
