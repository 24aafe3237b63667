package format

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
)

// Chunker finds where content is cut into chunks, by what the content is: FastCDC with a gear hash, two masks and no
// chunk below the minimum. Equal content gives equal chunks, and a change moves only the cuts near it. Source of the
// method: Xia et al., "FastCDC", USENIX ATC 2016.
type Chunker struct {
	gear             [256]uint64
	min, mean, max   int
	strict, tolerant uint64 // masks ahead of the mean and behind it
}

// NewChunker makes a chunker for settings that passed Check. The key is that of an encrypted archive, and nil elsewhere.
func NewChunker(s Settings, key []byte) *Chunker {
	c := &Chunker{min: int(s.ChunkMinBytes), mean: int(s.ChunkMeanBytes), max: int(s.ChunkMaxBytes)}
	for i := range c.gear {
		sum := sha256.Sum256(append(append([]byte("dura gear "), key...), byte(i)))
		c.gear[i] = binary.LittleEndian.Uint64(sum[:])
	}
	const normalization = 2
	meanBits := bits.Len(uint(c.mean)) - 1
	c.strict, c.tolerant = topBits(meanBits+normalization), topBits(meanBits-normalization)
	return c
}

func topBits(n int) uint64 { return ^uint64(0) << (64 - n) }

// MaxBytes is the size of the largest chunk.
func (c *Chunker) MaxBytes() int { return c.max }

// Cut is the length of the first chunk of data. Where data is shorter than MaxBytes it must be all that is left.
func (c *Chunker) Cut(data []byte) int {
	if len(data) <= c.min {
		return len(data)
	}
	data = data[:min(len(data), c.max)]
	var h uint64
	i := c.min
	for end := min(len(data), c.mean); i < end; i++ {
		h = h<<1 + c.gear[data[i]]
		if h&c.strict == 0 {
			return i + 1
		}
	}
	for ; i < len(data); i++ {
		h = h<<1 + c.gear[data[i]]
		if h&c.tolerant == 0 {
			return i + 1
		}
	}
	return len(data)
}
