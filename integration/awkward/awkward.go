// Package awkward makes a tree with everything awkward in it that a backup has to bring back: every kind of file, odd names,
// odd metadata. It is for tests. It stands on the system calls alone and works on Linux, with /proc mounted; what the
// file system or the user may not make is left out and reported.
package awkward

import (
	"fmt"
	"slices"
)

// Feature is one awkward thing. Those with entries of their own have a directory of that name in the tree.
type Feature string

const (
	Sizes         Feature = "sizes"          // regular files around the sizes where something changes; equal and shifted content
	Modes         Feature = "modes"          // every permission bit, setuid, setgid, sticky, on files and directories; 0000
	Owners        Feature = "owners"         // uids and gids with and without names, up to 4294967294
	Times         Feature = "times"          // nanoseconds, before 1970, after 2038 and 2262, on all types
	Fifos         Feature = "fifos"          //
	Sockets       Feature = "sockets"        //
	Devices       Feature = "devices"        // character and block, small and large numbers
	HardLinks     Feature = "hard-links"     // across directories; of files, symbolic links and special files
	Symlinks      Feature = "symlinks"       // dangling, absolute, looping, any bytes, 4095 bytes
	XattrUser     Feature = "xattr-user"     // user.*: empty, binary, as large as fits, odd names
	XattrTrusted  Feature = "xattr-trusted"  // trusted.*, on symbolic links and special files too
	XattrSecurity Feature = "xattr-security" // security.*, but file capabilities
	ACLs          Feature = "acls"           // POSIX access and default ACLs
	Capabilities  Feature = "capabilities"   // file capabilities of version 2 and 3
	Sparse        Feature = "sparse"         // holes at the start, in the middle, at the end, all over; written zeros
	Preallocated  Feature = "preallocated"   // blocks without content; only by Options.With
	HugeSparse    Feature = "huge-sparse"    // 1 TiB apparent; only by Options.With
	NameBytes     Feature = "name-bytes"     // every byte but NUL and slash
	NameOdd       Feature = "name-odd"       // names that shells, terminals, tar and globs stumble over
	NameLong      Feature = "name-long"      // up to 255 bytes, and paths around the limits of tar headers
	NameFold      Feature = "name-fold"      // names that are equal once case is folded or Unicode normalized
	NameReserved  Feature = "name-reserved"  // names that tar or Dura use for their own ends
	DeepDirs      Feature = "deep-dirs"      // 200 levels
	LongPaths     Feature = "long-paths"     // paths of more than PATH_MAX bytes
	EmptyDirs     Feature = "empty-dirs"     //
	ManyEntries   Feature = "many-entries"   // one directory with Options.ManyEntries entries
	CacheDirs     Feature = "cache-dirs"     // CACHEDIR.TAG, true and false ones
	Mixed         Feature = "mixed"          // everything at random at once, drawn from the seed
)

// Features lists all features in the order in which they are made.
func Features() []Feature {
	return []Feature{
		Sizes, Modes, Owners, Times, Fifos, Sockets, Devices, HardLinks, Symlinks, XattrUser, XattrTrusted, XattrSecurity,
		ACLs, Capabilities, Sparse, Preallocated, HugeSparse, NameBytes, NameOdd, NameLong, NameFold, NameReserved, DeepDirs, LongPaths,
		EmptyDirs, ManyEntries, CacheDirs, Mixed,
	}
}

// Options says what to make. The zero value makes everything but Preallocated and HugeSparse.
type Options struct {
	Seed    uint64    // equal seeds and options give equal trees, where user and file system allow as much
	Without []Feature // what shall be nowhere in the tree

	// With asks for features that are left out otherwise. HugeSparse: whatever reads or hashes it byte by byte, as rsync -c
	// does, is busy for many minutes. Preallocated: ext4 takes it for a hole until somebody reads it, and for data while
	// that is in the page cache, so that comparing holes exactly proves nothing.
	With []Feature

	// Readable gives the owner the right to read every file and to enter every directory, so that a user other than root
	// can copy the whole tree.
	Readable bool

	ManyEntries int // files in the directory of ManyEntries; 0 means 5000
}

func (o Options) wants(f Feature) bool {
	extra := f == HugeSparse || f == Preallocated
	return !slices.Contains(o.Without, f) && (!extra || slices.Contains(o.With, f))
}

// Report says what was made.
type Report struct {
	Entries int             // names below the root, directories among them
	Made    map[Feature]int // how many entries have the feature, read back from the file system where it could be bent
	Skipped []Skip          // what was refused, in the order of making
}

// Skip is one thing that is not in the tree, or not as it was meant.
type Skip struct {
	Feature Feature
	Path    string // below the root
	Err     error  // a system call's, or what the file system made of it
}

func (s Skip) String() string { return fmt.Sprintf("%s: %q: %v", s.Feature, s.Path, s.Err) }

// Absent returns the features that the tree has nothing of, in the order of Features. Those left out by o are among them.
func (r Report) Absent() []Feature {
	return slices.DeleteFunc(Features(), func(f Feature) bool { return r.Made[f] > 0 })
}
