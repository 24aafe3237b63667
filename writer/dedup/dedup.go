// Package dedup is the local index of the content that an archive holds: from the hash of a whole small file, or of a chunk of
// a large one, to where the archive's own index tells of it. SEGMENTS.md says how it is kept on disk. It stands on
// archive/format for names and hashes, and on archive/alarm for the words for what can be wrong.
//
// What it finds is a hint. Who uses it reads the hunk or the span list through the archive, takes the span if its hash is the
// one looked for, and checks that its block is there. So an index that is lost, stale, damaged or forged costs time or
// space, never correctness.
//
// Segments are mapped into memory: none of it is on the heap but 8 bytes and 1 bit for each page of 146 records. A look-up reads one page of
// each segment. A file that shrinks or can't be read while it is mapped is damage like any other; the fault is caught.
package dedup

import (
	"crypto/rand"
	"io"
	"os"
	"sync"

	"dura/archive/format"
)

// Place is where an archive's index tells of content: a span of an entry of a hunk, or of a span list.
type Place struct {
	Band   format.BandID
	List   bool   // Number is that of a span list, not of a hunk
	Number uint64 // of the hunk or span list
	Entry  uint32 // place of the entry in the hunk; 0 in a span list
	Span   uint32 // place of the span in the entry's spans, or in the span list
}

// Options set up an Index. The zero value is useful.
type Options struct {
	Random       io.Reader // names files; crypto/rand if nil
	MemoryBytes  int       // of records collected, before they go to disk, and again of what a merge reads ahead; 0: 16 MiB
	SmallRecords int64     // segments up to this many records are written anew by each Commit; 0: 131,072

	// Damaged hears, once, of each segment that can't be used. Several calls at once are possible. It must not use the index.
	Damaged func(*DamageError)
}

const (
	defaultMemoryBytes  = 16 << 20
	defaultSmallRecords = 128 << 10
)

// Index is an open index. It is safe for concurrent use. Several processes may have one directory open at a time: each sees
// what the others have committed when it opens the index and when it commits.
type Index struct {
	dir     string
	archive archiveSum
	options Options

	work    sync.Mutex // held while anything is collected, forgotten or committed
	pending *pending
	skipped map[string]bool // files that could neither be used nor removed

	list func(dir string) ([]string, error) // the names of segments, in order

	mu         sync.RWMutex // guards what follows; held for as long as segments are looked into
	segments   []*segment   // the oldest first
	generation int          // counts changes of segments
	closed     bool
}

// Open opens the index of an archive, in a directory of its own that is made if need be. Segments that can't be used are
// removed. An error means that there can be no index in dir.
func Open(dir, archiveID string, o Options) (*Index, error) {
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.MemoryBytes <= 0 {
		o.MemoryBytes = defaultMemoryBytes
	}
	if o.SmallRecords <= 0 {
		o.SmallRecords = defaultSmallRecords
	}
	if o.Damaged == nil {
		o.Damaged = func(*DamageError) {}
	}
	if err := prepare(dir); err != nil {
		return nil, err
	}
	x := &Index{dir: dir, archive: sumOf(archiveID), options: o, skipped: map[string]bool{}, list: listSegments}
	x.pending = x.newPending()
	sweep(dir)
	if err := x.refresh(); err != nil {
		return nil, err
	}
	return x, nil
}

// Close frees what the index holds. What was collected and not committed is gone.
func (x *Index) Close() error {
	x.work.Lock()
	defer x.work.Unlock()
	x.pending.close()
	x.mu.Lock()
	defer x.mu.Unlock()
	x.closed = true
	for _, s := range x.segments {
		s.close()
	}
	x.segments = nil
	x.generation++
	return nil
}

// checkOpen fails once the index is closed. The caller holds work.
func (x *Index) checkOpen() error {
	if x.closed {
		return os.ErrClosed
	}
	return nil
}

// Stats say how large an index is. What is collected and not committed is not counted.
type Stats struct {
	Segments    int
	Records     int64
	StoredBytes int64
}

// Stats are those of the segments at hand.
func (x *Index) Stats() Stats {
	x.mu.RLock()
	defer x.mu.RUnlock()
	st := Stats{Segments: len(x.segments)}
	for _, s := range x.segments {
		st.Records += s.records
		st.StoredBytes += s.sizeBytes
	}
	return st
}
