package memory

import (
	"slices"
	"strings"

	"dura/archive/storage"
)

// matching returns the objects whose names start with prefix, in order; those without a further '/' if depth is Shallow.
func (s *Storage) matching(prefix string, depth storage.Depth) []storage.Info {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sort()
	var found []storage.Info
	at, _ := slices.BinarySearch(s.names, prefix)
	for at < len(s.names) && strings.HasPrefix(s.names[at], prefix) {
		name := s.names[at]
		slash := strings.IndexByte(name[len(prefix):], '/')
		if depth == storage.Shallow && slash >= 0 {
			// '0' comes next after '/': pass over everything in that folder.
			at, _ = slices.BinarySearch(s.names, name[:len(prefix)+slash]+"0")
			continue
		}
		found = append(found, storage.Info{Name: name, SizeBytes: int64(len(s.objects[name]))})
		at++
	}
	return found
}

// sort brings names in order. The caller holds mu.
func (s *Storage) sort() {
	if !s.sorted {
		slices.Sort(s.names)
		s.sorted = true
	}
}
