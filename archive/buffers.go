package archive

import (
	"slices"
	"sync"
)

const (
	bufferStepBytes = 64 << 10 // sizes are multiples of this, so that one buffer can take another's place
	// A buffer is used for what is a quarter smaller at the most: what is held counts by its capacity.
	bufferSlack = 4
)

// buffers are pieces of memory that nobody uses at the moment. New memory has to be cleared, and its pages brought in one by one,
// which takes as long as decompressing into it; and it makes work for the garbage collector.
type buffers struct {
	maxBytes int64

	mu    sync.Mutex
	free  [][]byte // the one put here last at the end
	bytes int64
}

// get gives a buffer of no length that has room for so many bytes. It need not be put back.
func (b *buffers) get(bytes int) []byte {
	if buf := b.take(bytes); buf != nil {
		return buf[:0]
	}
	return make([]byte, 0, (bytes+bufferStepBytes-1)/bufferStepBytes*bufferStepBytes)
}

// take gives the smallest free buffer that fits, or nil.
func (b *buffers) take(bytes int) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	best := -1
	for i, buf := range b.free {
		if room := cap(buf); room >= bytes && room <= bytes+bytes/bufferSlack+bufferStepBytes && (best < 0 || room < cap(b.free[best])) {
			best = i
		}
	}
	if best < 0 {
		return nil
	}
	buf := b.free[best]
	b.free = slices.Delete(b.free, best, best+1)
	b.bytes -= int64(cap(buf))
	return buf
}

// put takes back a buffer that nobody uses. The ones that have been here longest go for it.
func (b *buffers) put(buf []byte) {
	if int64(cap(buf)) > b.maxBytes || cap(buf) < bufferStepBytes {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	oldest := 0
	for b.bytes+int64(cap(buf)) > b.maxBytes {
		b.bytes -= int64(cap(b.free[oldest]))
		oldest++
	}
	b.free = slices.Delete(b.free, 0, oldest)
	b.free = append(b.free, buf)
	b.bytes += int64(cap(buf))
}
