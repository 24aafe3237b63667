package fs

import (
	"context"
	"iter"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// nodeID is what the kernel calls a file: for what lies in a band, the number of the band's slot plus one, and in the low
// localBits bits which of its entries; for what the mount makes up, a class and a number below 1<<localBits.
type nodeID uint64

const (
	localBits = 40
	classBits = 32

	rootID   nodeID = fuse.FUSE_ROOT_ID
	hiddenID nodeID = 2 // .dura
	hostsID  nodeID = 3 // by-host

	maxSlots    = 1 << (64 - localBits - 1)
	maxOrdinals = 1<<localBits - 2
)

// class tells apart what the mount makes up.
type class uint64

const (
	fixedClass  class = iota
	latestClass       // the link to the band of a slot, from beside it
	statusClass       // status.json as of one moment
	hostClass         // the directory of a host
	memberClass       // the link to the band of a slot, from the directory of its host
	lostClass         // a directory whose entry is lost
)

// topNode is the directory of a band.
func topNode(slot int) nodeID { return nodeID(slot+1) << localBits }

// entryNode is an entry of a band.
func entryNode(slot int, ordinal int64) nodeID { return topNode(slot) + nodeID(ordinal) + 1 }

// madeNode is something that the mount makes up.
func madeNode(c class, number int) nodeID { return nodeID(c)<<classBits | nodeID(number) }

// band undoes topNode and entryNode. The ordinal is -1 for the directory of a band itself; ok is false for what lies in
// no band.
func (id nodeID) band() (slot int, ordinal int64, ok bool) {
	slot = int(id>>localBits) - 1
	return slot, int64(id&(1<<localBits-1)) - 1, slot >= 0
}

// made undoes madeNode.
func (id nodeID) made() (class, int) { return class(id >> classBits), int(id & (1<<classBits - 1)) }

// node is what a node id stands for.
type node interface {
	// attr is what stat tells, and how long that holds.
	attr(ctx context.Context) (fuse.Attr, time.Duration, error)
}

// directory is what has names in it.
type directory interface {
	// lookup finds a name; syscall.ENOENT where it isn't there.
	lookup(ctx context.Context, name string) (child, error)
	// list yields what is in the directory behind offset, in the order of offsets, "." and ".." aside. An error stands for
	// something that can't be listed; the listing goes on behind it.
	list(ctx context.Context, offset uint64) iter.Seq2[child, error]
	// parent is the directory that this one is in; 0 where it would take a read to tell.
	parent() nodeID
	// ended is called when somebody has listed all of it.
	ended()
}

// file is what has content.
type file interface {
	// read is what there is of bytes bytes at off: fewer only at the end.
	read(ctx context.Context, off int64, bytes int) (fuse.ReadResult, error)
	// nextData is archive.Content's NextData.
	nextData(ctx context.Context, off int64) (start, end int64, err error)
}

// link is a symbolic link.
type link interface{ target() string }

// attributed is what may have extended attributes.
type attributed interface {
	// xattr is the value of one; ENOATTR where there is none.
	xattr(ctx context.Context, name string) ([]byte, error)
	// xattrNames are the names that are listed.
	xattrNames(ctx context.Context) ([]string, error)
}

// child is a name in a directory.
type child struct {
	name     string
	id       nodeID
	offset   uint64 // behind it
	attr     fuse.Attr
	lifetime time.Duration // of the name and the attributes
	bare     bool          // attr holds the type alone: to learn the rest is left until somebody asks
}

// Offsets in directories say what has been listed already.
const (
	dotOffset = 1 + iota
	dotDotOffset
	firstOffset // whatever comes first behind "." and ".."
)
