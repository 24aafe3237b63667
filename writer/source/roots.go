package source

import (
	"errors"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"dura/archive/format"
)

// RootError says why a root can't be backed up: for errors.Is(err, fs.ErrNotExist) it is missing.
type RootError struct {
	Root string // as the user named it
	Err  error
}

func (e *RootError) Error() string { return "source " + e.Root + ": " + e.Err.Error() }
func (e *RootError) Unwrap() error { return e.Err }

// ClashError says that two roots would be stored at one place, and are not the same; or that one would be stored inside the
// other and is not there. Back them up apart, or from a directory above both.
type ClashError struct {
	Path  format.Path // where Roots[1] would be stored
	Roots [2]string   // as the user named them
}

func (e *ClashError) Error() string {
	return "sources " + e.Roots[0] + " and " + e.Roots[1] + " are different and would both be stored at /" + string(e.Path)
}

var errNoRoots = errors.New("no source is named")

// root is a tree to walk, or a directory that only leads to some.
type root struct {
	path     format.Path
	local    string  // what its own metadata and content are read from
	leadsTo  []*root // by name; a tree where there are none
	id       fileID  // of a tree, when it was looked up first
	explicit string  // as the user named it; empty: it only leads to others
}

func (r *root) tree() bool { return r.explicit != "" }

// filename is the local name of path, which is r's or below it.
func (r *root) filename(path format.Path) string {
	rest := strings.TrimPrefix(string(path[len(r.path):]), "/")
	switch {
	case rest == "":
		return r.local
	case r.local == ".":
		return rest
	case strings.HasSuffix(r.local, "/"):
		return r.local + rest
	}
	return r.local + "/" + rest
}

// storedPath is where a root is stored: cleaned, without a leading "/" and leading "../" elements.
func storedPath(root string) format.Path {
	p := strings.TrimPrefix(path.Clean(root), "/")
	for p == ".." || strings.HasPrefix(p, "../") {
		p = strings.TrimPrefix(p[len(".."):], "/")
	}
	if p == "." {
		p = ""
	}
	return format.Path(p)
}

// newRoots puts the roots together in one tree. Those in explicit are all that were named, by their stored path.
func newRoots(named []string) (top *root, explicit map[format.Path]bool, err error) {
	if len(named) == 0 {
		return nil, nil, errNoRoots
	}
	trees := make([]*root, 0, len(named))
	explicit = make(map[format.Path]bool, len(named))
	for _, name := range named {
		r, err := newTree(name)
		if err != nil {
			return nil, nil, err
		}
		trees = append(trees, r)
		explicit[r.path] = true
	}
	// Those above others come ahead of them.
	slices.SortStableFunc(trees, func(a, b *root) int { return format.Compare(a.path, b.path) })
	top = trees[0]
	if top.path != format.Root {
		top = leader(firstNamed(trees, named), format.Root)
	}
	for _, r := range trees {
		if err := top.insert(r); err != nil {
			return nil, nil, err
		}
	}
	return top, explicit, nil
}

// firstNamed is the tree that was named first: the root's metadata are those of the place it lies in.
func firstNamed(trees []*root, named []string) *root {
	i := slices.IndexFunc(trees, func(r *root) bool { return r.explicit == named[0] })
	return trees[i]
}

func newTree(name string) (*root, error) {
	var st unix.Stat_t
	if err := lstat(name, &st); err != nil {
		return nil, &RootError{Root: name, Err: errors.Unwrap(err)} // the system call says nothing to who named it
	}
	if kindOf(&st) == 0 {
		return nil, &RootError{Root: name, Err: unix.ENOTSUP}
	}
	return &root{path: storedPath(name), local: name, id: idOf(&st), explicit: name}, nil
}

// leader is the directory at dir that leads to r.
func leader(r *root, dir format.Path) *root {
	local := path.Clean(r.explicit)
	if dir != r.path {
		local = local[:len(local)-len(r.path)+len(dir)]
	}
	if len(local) > 1 {
		local = strings.TrimSuffix(local, "/")
	}
	if local == "" {
		local = "."
	}
	return &root{path: dir, local: local}
}

// insert adds a tree below top, with the directories that lead to it.
func (top *root) insert(r *root) error {
	at := top
	for at != r {
		if at.tree() {
			return at.covers(r)
		}
		rest := strings.TrimPrefix(string(r.path[len(at.path):]), "/")
		name, _, deeper := strings.Cut(rest, "/")
		step := at.path.Join(name)
		i, found := slices.BinarySearchFunc(at.leadsTo, step, func(r *root, p format.Path) int { return format.Compare(r.path, p) })
		if !found {
			below := r
			if deeper {
				below = leader(r, step)
			}
			at.leadsTo = slices.Insert(at.leadsTo, i, below)
		}
		at = at.leadsTo[i]
	}
	return nil
}

// covers returns nil if walking r meets inner, which is stored inside it or at the same place.
func (r *root) covers(inner *root) error {
	clash := &ClashError{Path: inner.path, Roots: [2]string{r.explicit, inner.explicit}}
	var st unix.Stat_t
	for dir := inner.path; dir != r.path; {
		dir, _ = dir.Split()
		if lstat(r.filename(dir), &st) != nil || kindOf(&st) != format.Directory {
			return clash
		}
	}
	if lstat(r.filename(inner.path), &st) != nil || idOf(&st) != inner.id {
		return clash
	}
	return nil
}
