// Package treecmp compares two local trees exactly: the oracle for whatever makes a copy of a tree. It stands on the system
// calls alone, walks by openat so that neither long paths nor odd names trouble it, and works on Linux, with /proc mounted.
package treecmp

import (
	"fmt"
	"slices"
)

// Kind is what two entries differ in.
type Kind string

const (
	Missing    Kind = "missing"    // in a alone; what is below it isn't listed
	Extra      Kind = "extra"      // in b alone; what is below it isn't listed
	Type       Kind = "type"       // nothing else of the entry is compared
	Mode       Kind = "mode"       // permission bits, setuid, setgid and sticky; not of symbolic links
	Owner      Kind = "owner"      // uid and gid
	Mtime      Kind = "mtime"      // to the nanosecond, of every type
	Size       Kind = "size"       // of regular files; their content isn't compared then
	Content    Kind = "content"    // the first byte that differs
	Holes      Kind = "holes"      // where a regular file has no data
	Target     Kind = "target"     // of symbolic links
	Device     Kind = "device"     // major and minor number
	Xattr      Kind = "xattr"      // one Difference for each attribute; ACLs and file capabilities are attributes
	Links      Kind = "links"      // which names of the tree are one file; links from outside don't count
	Unreadable Kind = "unreadable" // this user can't see enough to compare
)

// Kinds lists all kinds.
func Kinds() []Kind {
	return []Kind{Missing, Extra, Type, Mode, Owner, Mtime, Size, Content, Holes, Target, Device, Xattr, Links, Unreadable}
}

// HoleRule says which holes of a regular file count.
type HoleRule int

const (
	HolesExact   HoleRule = iota // b has data where a has data, and nowhere else
	HolesAtLeast                 // every hole of a is one in b, which may have more (written zeros become holes in some copies)
	HolesIgnored
)

// Options says what to leave out. The zero value compares everything.
type Options struct {
	Ignore      []Kind
	IgnoreXattr func(name string) bool // true for the attributes to pass over, in both trees
	Holes       HoleRule
	Limit       int // stop once there are that many differences; 0 is no limit
}

func (o Options) ignores(k Kind) bool {
	return slices.Contains(o.Ignore, k) || k == Holes && o.Holes == HolesIgnored
}

// Difference is one thing that is not the same in both trees.
type Difference struct {
	Path string // below both roots, slashes between; empty for the roots themselves
	Kind Kind
	A, B string // what is found in either tree, for people
}

func (d Difference) String() string {
	return fmt.Sprintf("%q: %s: %s | %s", d.Path, d.Kind, d.A, d.B)
}
