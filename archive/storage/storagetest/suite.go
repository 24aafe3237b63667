// Package storagetest holds every storage to what storage.Storage promises, and wraps storages for tests: to count what is
// asked of them, to delay it, and to let it go wrong. It stands on storage alone.
//
// Run is the conformance suite. Each wrapper is made by a function New… that takes the storage to wrap first, and is a
// storage itself, so that wrappers can be put around each other.
package storagetest

import (
	"slices"
	"testing"

	"dura/archive/storage"
)

// check holds an empty storage to one promise.
type check struct {
	name string
	run  func(t testing.TB, s storage.Storage)
}

// Lacking is something that a storage needs not do.
type Lacking int

// SingleDeletes is that of several deletes of one object at once no more than one succeeds. Object stores delete what isn't
// there as well.
const SingleDeletes Lacking = 1

// Run runs the conformance suite, but for what the storage lacks. Each of its subtests opens a storage of its own, which must be
// empty. With -short the listing of 10,000 objects is one of 1,000.
func Run(t *testing.T, open func(t *testing.T) storage.Storage, lacking ...Lacking) {
	for _, c := range checks() {
		if c.name == singleDeletes && slices.Contains(lacking, SingleDeletes) {
			c = check{"of concurrent deletes of one name one wins or more", deletesMayTie}
		}
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

const singleDeletes = "of concurrent deletes of one name one wins"

func checks() []check {
	return []check{
		{"create stores the concatenation of its parts", createJoinsParts},
		{"create stores objects without bytes", createEmpty},
		{"create keeps none of its parts", createKeepsNoParts},
		{"create stores 32 MiB", createLarge},
		{"a second create fails and leaves the first", createTwice},
		{"of concurrent creates of one name one wins", createConcurrently},
		{"an object is never seen in part", createIsAtomic},
		{"read returns the range asked for", readRanges},
		{"read allocates what it returns", readAllocatesLittle},
		{"read into memory does what read does", readInto},
		{"read and stat do not find what is missing", missing},
		{"a folder is no object", folderIsNoObject},
		{"list yields what the prefix begins", listByPrefix},
		{"list yields sizes", listSizes},
		{"list yields names in byte order", listInOrder},
		{"list yields many objects", listMany},
		{"names are what list yields", listNames},
		{"list stops when it is told to", listStops},
		{"list goes on while objects come and go", listDuringChanges},
		{"delete removes one object", deleteOne},
		{"a deleted name can be created again", deleteThenCreate},
		{singleDeletes, deleteConcurrently},
		{"creates and deletes in one folder do not disturb each other", createBesideDelete},
		{"a folder that was emptied is unseen", emptyFolderUnseen},
		{"names that no object can have are invalid", invalidNames},
		{"long names are names like others", longNames},
		{"nothing is done once the context is done", contextDone},
		{"any sequence of operations does what a map would do", likeAMap},
	}
}
