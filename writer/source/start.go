package source

import "dura/archive/format"

// Start is where a walk begins. The zero value is the beginning.
type Start struct {
	behind bool
	path   format.Path
	dir    format.Path // that path stands in
}

// Behind is the Start of a walk that yields what comes behind p in path order, whether there is a p or not.
func Behind(p format.Path) Start {
	dir, _ := p.Split()
	return Start{behind: true, path: p, dir: dir}
}

// Yields reports whether an entry at p belongs to the walk.
func (s Start) Yields(p format.Path) bool { return !s.behind || format.Compare(p, s.path) > 0 }

// Enters reports whether anything in the directory dir, or below it, belongs to the walk.
func (s Start) Enters(dir format.Path) bool { return s.Wholly(dir) || s.dir.Within(dir) }

// Wholly reports whether everything in the directory dir, and below it, belongs to the walk. So does then what is in any
// directory behind dir.
func (s Start) Wholly(dir format.Path) bool { return !s.behind || format.CompareDirs(dir, s.dir) > 0 }
