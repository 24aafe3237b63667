package format

import (
	"strings"
)

// Path names an entry in a band: components of any bytes but NUL and '/', parted by '/', none of them empty, "." or "..".
// The empty Path is the root.
type Path string

// Root is the path of a band's topmost directory.
const Root Path = ""

// MaxPathBytes bounds a Path.
const MaxPathBytes = 64 << 10

// ValidPath reports whether s is a Path.
func ValidPath(s string) bool {
	if s == "" {
		return true
	}
	if len(s) > MaxPathBytes {
		return false
	}
	for rest, more := s, true; more; {
		var component string
		component, rest, more = strings.Cut(rest, "/")
		if !ValidName(component) {
			return false
		}
	}
	return true
}

// ValidName reports whether s can be one component of a Path.
func ValidName(s string) bool {
	return s != "" && s != "." && s != ".." && strings.IndexByte(s, '/') < 0 && strings.IndexByte(s, 0) < 0
}

// Join is the path of the entry called name in p.
func (p Path) Join(name string) Path {
	if p == Root {
		return Path(name)
	}
	return p + "/" + Path(name)
}

// Split parts p into the directory it stands in and its name there. The root is in itself, without a name.
func (p Path) Split() (dir Path, name string) {
	i := strings.LastIndexByte(string(p), '/')
	if i < 0 {
		return Root, string(p)
	}
	return p[:i], string(p[i+1:])
}

// Within reports whether p is dir or below it.
func (p Path) Within(dir Path) bool {
	return dir == Root || p == dir || len(p) > len(dir) && p[len(dir)] == '/' && p[:len(dir)] == dir
}

// Relative is what a symbolic link at from has to say to lead to to.
func Relative(from, to Path) string {
	dir, _ := from.Split()
	up := 0
	for !to.Within(dir) {
		dir, _ = dir.Split()
		up++
	}
	if dir != Root {
		to = to[min(len(to), len(dir)+1):]
	}
	return strings.Repeat("../", up) + string(to)
}

// Compare orders paths as an index does: the root, then its entries by name, then what is in its first subdirectory, and
// so on: entries of one directory stand together, ahead of all that is below its subdirectories. It returns -1, 0 or +1.
func Compare(a, b Path) int {
	switch {
	case a == b:
		return 0
	case a == Root:
		return -1
	case b == Root:
		return +1
	}
	aDir, aName := a.Split()
	bDir, bName := b.Split()
	if aDir == bDir {
		return strings.Compare(aName, bName)
	}
	return CompareDirs(aDir, bDir)
}

// CompareDirs orders directories as an index orders what is in them: component by component, a prefix first.
func CompareDirs(a, b Path) int {
	switch {
	case a == b:
		return 0
	case a == Root:
		return -1
	case b == Root:
		return +1
	}
	n := min(len(a), len(b))
	i := 0
	for i < n && a[i] == b[i] {
		i++
	}
	switch {
	case i == len(a):
		return -1 // a prefix of b, or a prefix of a name in it: either way ahead
	case i == len(b):
		return +1
	case a[i] == '/':
		return -1
	case b[i] == '/':
		return +1
	case a[i] < b[i]:
		return -1
	}
	return +1
}
