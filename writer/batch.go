package writer

import (
	"context"

	"golang.org/x/sync/semaphore"

	"dura/archive/format"
	"dura/writer/plan"
	"dura/writer/source"
)

// item is one entry on its way.
type item struct {
	path   format.Path
	handle source.Handle // nil once closed
	blocks int64         // source.Node.Blocks
	action plan.Action
	group  *linkGroup // of an entry with several links
	parentEntry

	// What reading makes of it:
	entry   format.Entry // as the walk met it, until then
	pieces  []piece
	header  []byte // of its member, unless it is cut into chunks
	omitted bool   // it could not be read: an alarm has been raised
	there   bool   // the parent's content is in storage
	kept    bool   // its entry is the parent's
	named   bool   // it has a member of its name
	began   int64  // its size when its reading began, of a file in chunks; entry's may become another one while chunks are on their way

	// What sequencing makes of it:
	frames []*frame // that its spans lie in; those of lists aside
	lists  []*spanList
}

// linkGroup is what the later links of a file need of the first. The sequencer sets it, once it has come to that.
type linkGroup struct {
	path     format.Path // the first's, as the walk met it
	entry    *format.Entry
	frames   []*frame
	lists    []*spanList
	inChunks bool // so that no member has its name
	named    bool // a member has its name, of this band or an earlier one
}

// piece is content that becomes one member.
type piece struct {
	start int64 // in the file
	hole  int64 // bytes of hole ahead of it
	data  []byte
	sum   format.Hash
	chunk bool
	state *format.HashState // of the file's content at the chunk's end, unless it is the last
}

// batch is what one reader takes at a time: several items, or some chunks of a large one.
type batch struct {
	items []item
	bytes int64 // of content, charged to the budget
	data  []byte
	done  chan struct{} // closed once it is read

	large  *item   // instead of items
	prefix *prefix // what an earlier run has stored of it
	slab   []byte
	chunks []piece
	last   bool // these are the large item's last chunks
	broken bool // and the run stops in the middle of it
}

func (b *batch) close() {
	for i := range b.items {
		b.items[i].close()
	}
}

func (it *item) close() {
	if it.handle != nil {
		it.handle.Close()
		it.handle = nil
	}
}

// contentBudgetBytes bounds the content that is read and not yet in a frame.
const contentBudgetBytes = 12 << 20

// budget bounds the content in memory, and keeps buffers for use again.
type budget struct {
	left    *semaphore.Weighted
	total   int64
	buffers chan []byte // of batches
	slabs   chan []byte // of large files
}

func newBudget(bytes int64) *budget {
	return &budget{left: semaphore.NewWeighted(bytes), total: bytes, buffers: make(chan []byte, contentBudgetBytes/batchBytes), slabs: make(chan []byte, 2)}
}

// acquire waits for bytes of the budget. The dispatcher alone calls it, in order, so that what comes first is served first.
func (b *budget) acquire(ctx context.Context, bytes int64) error {
	return b.left.Acquire(ctx, min(bytes, b.total))
}

func (b *budget) release(bytes int64) { b.left.Release(min(bytes, b.total)) }

// buffer is a buffer of length bytes: one that was recycled, if one is large enough.
func (b *budget) buffer(bytes int) []byte {
	select {
	case buf := <-b.buffers:
		if cap(buf) >= bytes {
			return buf[:bytes]
		}
	default:
	}
	return make([]byte, bytes, max(bytes, batchBytes))
}

func (b *budget) recycle(buf []byte) {
	if cap(buf) < batchBytes || cap(buf) > 2*batchBytes {
		return // odd ones go to the collector
	}
	select {
	case b.buffers <- buf:
	default:
	}
}

// slab is a buffer for a read of a large file.
func (b *budget) slab(bytes int) []byte {
	select {
	case buf := <-b.slabs:
		if cap(buf) >= bytes {
			return buf[:bytes]
		}
	default:
	}
	return make([]byte, bytes)
}

func (b *budget) recycleSlab(slab []byte) {
	select {
	case b.slabs <- slab:
	default:
	}
}
