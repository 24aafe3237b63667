package fs

import (
	"context"
	"slices"
	"sync"
)

// What is fetched ahead of readers. Windows double while a reader goes on in order, and halve when it leaps.
const (
	firstWindowBytes   = 1 << 20
	maxRuns            = 16      // readers that are followed at a time
	maxOutOfOrderBytes = 4 << 20 // the kernel's own reads ahead of one file pass each other

	maxLeap       = 128 // entries that a walk through files may pass over and still be one
	walkBegins    = 2   // files in order make a walk
	batchEntries  = 4096
	maxBatches    = 4 // of a walk that are ahead of it
	hunkStep      = 700
	maxHunksAhead = 8
)

// ahead follows readers, and begins to fetch what they will want next: the rest of a file, the files behind it, the listings behind
// a listing. It knows each of them by what it did last, so nothing need be opened or closed.
type ahead struct {
	maxBytes int64

	mu       sync.Mutex
	files    []*fileRun // the latest first
	walks    []*walkRun
	listings []*listRun
}

// fileRun is a reader of one large file.
type fileRun struct {
	id      nodeID
	next    int64 // where it will go on if it reads in order
	fetched int64 // how far that has been fetched
	window  int64
}

// walkRun is a reader of one small file after the other. Batches of files are fetched ahead of it, the next one whenever it comes
// to one, and more of them the longer it goes on.
type walkRun struct {
	slot    int
	last    int64 // ordinal
	inOrder int
	batches []int64 // ordinals at which the batches begin that it has not come to
	fetched int64   // ordinal up to which files were fetched
	depth   int     // how many batches there should be
}

// listRun is somebody who lists one directory after the other.
type listRun struct {
	slot    int
	next    int64 // ordinal behind what was listed
	fetched int64 // ordinal up to which hunks were fetched
	hunks   int64 // how many to fetch ahead
}

// touch finds the run that fits and makes it the latest; nil if there is none.
func touch[R any](runs []*R, fits func(*R) bool) *R {
	i := slices.IndexFunc(runs, fits)
	if i < 0 {
		return nil
	}
	r := runs[i]
	copy(runs[1:i+1], runs[:i])
	runs[0] = r
	return r
}

// begin adds a run as the latest one, in the place of the oldest if there are many.
func begin[R any](runs []*R, r *R) []*R {
	return slices.Insert(runs[:min(len(runs), maxRuns-1)], 0, r)
}

// span is a range of bytes or of ordinals.
type span struct{ from, to int64 }

// add takes in an ordinal, the ordinals coming in order.
func (s *span) add(ordinal int64) {
	if s.from == s.to {
		s.from = ordinal
	}
	s.to = ordinal + 1
}

// fileRead notes a read of a large file, and says what of it to fetch.
func (a *ahead) fileRead(id nodeID, off, end int64) span {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := touch(a.files, func(r *fileRun) bool { return r.id == id })
	switch {
	case r == nil:
		a.files = begin(a.files, &fileRun{id: id, next: end, fetched: end, window: firstWindowBytes / 2})
		return span{}
	case off > r.next+maxOutOfOrderBytes || end < r.next-maxOutOfOrderBytes:
		r.next, r.fetched, r.window = end, end, max(r.window/2, firstWindowBytes/2)
		return span{}
	case end <= r.next:
		return span{}
	}
	r.next = end
	r.window = min(r.window*2, a.maxBytes/int64(a.active()))
	if r.fetched-r.next > r.window*3/4 {
		return span{}
	}
	s := span{max(r.fetched, r.next), r.next + r.window}
	r.fetched = s.to
	return s
}

// active counts the readers of files that have something fetched for them: they share the memory.
func (a *ahead) active() int {
	n := 0
	for _, r := range a.files {
		if r.fetched > r.next {
			n++
		}
	}
	return max(n, 1)
}

// walkRead notes that a small file is read, and says from which entry on to fetch how many batches of files.
func (a *ahead) walkRead(slot int, ordinal int64) (r *walkRun, from int64, batches int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r = touch(a.walks, func(r *walkRun) bool {
		return r.slot == slot && ordinal >= r.last && ordinal <= max(r.last, r.fetched)+maxLeap
	})
	if r == nil {
		a.walks = begin(a.walks, &walkRun{slot: slot, last: ordinal})
		return nil, 0, 0
	}
	if ordinal > r.last {
		r.inOrder++
	}
	r.last = ordinal
	if r.inOrder < walkBegins {
		return nil, 0, 0
	}
	came := 0
	for came < len(r.batches) && r.batches[came] <= ordinal {
		came++
	}
	r.batches = r.batches[came:]
	if came > 0 || r.depth == 0 {
		r.depth = min(r.depth+1, maxBatches)
	}
	return r, max(r.fetched, ordinal+1), r.depth - len(r.batches)
}

// batchBytes is how much a batch has.
func (a *ahead) batchBytes() int64 { return a.maxBytes / maxBatches }

// walkFetched notes that a batch of a walk was fetched.
func (a *ahead) walkFetched(r *walkRun, from, to int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if to > r.fetched {
		r.batches = append(r.batches, from)
		r.fetched = to
	}
}

// listed notes that entries were listed, and says behind which ordinals to fetch hunks.
func (a *ahead) listed(slot int, first, next int64) span {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := touch(a.listings, func(r *listRun) bool { return r.slot == slot && first >= r.next && first <= r.next+maxLeap })
	if r == nil {
		a.listings = begin(a.listings, &listRun{slot: slot, next: next, fetched: next})
		return span{}
	}
	r.next = next
	r.hunks = min(r.hunks*2+1, maxHunksAhead)
	if r.fetched-next > r.hunks*hunkStep/2 {
		return span{}
	}
	s := span{max(r.fetched, next), next + r.hunks*hunkStep}
	r.fetched = s.to
	return s
}

// atOnce is a context for what need not be waited for: what is not in memory is begun to be fetched, and the call returns.
func atOnce() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
