package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"dura/archive/format"
)

// profile is what a seed says of a history before it begins. Each kind of fault is left out of half of them: what one hides,
// another history shows.
type profile struct {
	seed uint64
	faults
	quirks
	settings   format.Settings
	shape      shape
	treeCount  int
	writers    []int           // which tree each backs up
	clocks     []time.Duration // of the hosts: how far ahead of the true time
	runs       int             // of each writer
	edits      int             // between runs, at most
	readers    int
	looks      int // of each reader
	workers    int
	sameRandom bool          // all writers draw the same numbers
	grain      time.Duration // of the times of files
	indexed    bool          // hosts keep an index of the archive's content
	pauses     int           // one look of a walk in so many lets others go ahead; 0: none
}

func newProfile(seed uint64) profile {
	rng := rand.New(rand.NewPCG(seed, 1))
	oneOf := func(numbers ...int) int { return numbers[rng.IntN(len(numbers))] }
	p := profile{seed: seed, runs: oneOf(1, 2, 2, 3, 4), edits: oneOf(0, 1, 2, 4, 12), readers: oneOf(0, 0, 1, 2), looks: 3, workers: oneOf(1, 1, 2, 3)}
	p.treeCount = oneOf(1, 1, 1, 2, 3)
	for range oneOf(1, 1, 2, 2, 3, 4) {
		p.writers = append(p.writers, rng.IntN(p.treeCount))
	}
	for range p.treeCount {
		p.clocks = append(p.clocks, time.Duration(oneOf(0, 0, 0, 1, 3600, -3600))*time.Second)
	}
	p.settings = someSettings(oneOf)
	p.shape = shape{entries: oneOf(0, 3, 10, 25), fileBytes: oneOf(100, 400, 1500), bulkBytes: oneOf(2000, 20_000)}
	if rng.IntN(12) == 0 {
		p.shape.flood = 600 + rng.IntN(1500)
		p.runs, p.looks = min(p.runs, 2), 1
	}
	p.quirks = quirks{folds: oneOf(0, 0, 0, 1) == 1, volatile: oneOf(0, 1) == 1}
	p.sameRandom = oneOf(0, 0, 0, 0, 1) == 1
	p.faults = faults{
		failed: oneOf(0, 0, 20, 100), unacknowledged: oneOf(0, 0, 20, 100), late: oneOf(0, 0, 0, 30, 100), repeated: oneOf(0, 0, 5, 50),
		full: oneOf(0, 0, 0, 50, 200), crashes: oneOf(0, 0, 100, 400), changes: oneOf(0, 0, 10, 40), kills: oneOf(0, 1, 2, 4),
		stops: oneOf(0, 0, 4), staleMoments: oneOf(0, 0, 10, 100), spoils: oneOf(0, 2), losses: oneOf(0, 0, 0, 3),
	}
	p.indexed = oneOf(0, 1) == 1
	p.grain = time.Duration(oneOf(0, 0, 0, 0, 4, 1000, 2000)) * time.Millisecond
	if p.grain > 0 { // what changes within a grain can't be told from what does not
		p.changes, p.treeCount = 0, len(p.writers)
		for i := range p.writers {
			p.writers[i] = i
		}
		for len(p.clocks) < p.treeCount {
			p.clocks = append(p.clocks, 0)
		}
	}
	if p.volatile {
		p.late, p.repeated = 0, 0 // a disk has no such queues
	}
	if p.changes > 0 {
		p.pauses = oneOf(2, 5, 20)
	}
	if p.shape.flood > 0 {
		p.changes, p.pauses = p.changes*5, p.pauses*30 // few will do to come in between
	}
	p.settings.Parity = []string{"", "", "2+1", "3+2"}[rng.IntN(4)]
	return p
}

// blockTrailer is what a writer keeps free in each block.
const blockTrailer = 192 << 10

// someSettings make many blocks, frames, chunks and span lists of little content.
func someSettings(oneOf func(...int) int) format.Settings {
	s := format.Settings{
		Compression: format.NoCompression, FrameBytes: int64(oneOf(1<<10, 4<<10, 16<<10)),
		BlockBytes: int64(oneOf(1<<10, blockTrailer+4<<10, blockTrailer+20<<10, blockTrailer+100<<10)),
		SplitBytes: int64(oneOf(0, 256, 1000)), ChunkMinBytes: 64, ChunkMeanBytes: int64(oneOf(64, 128, 512)),
	}
	s.ChunkMaxBytes = s.ChunkMeanBytes * int64(oneOf(1, 4))
	if oneOf(0, 0, 0, 1) == 1 {
		s.Compression = format.FastestCompression
	}
	return s
}

func (p *profile) String() string {
	return fmt.Sprintf("seed %d: trees %d, writers %v, runs %d, readers %d, workers %d, same random %v, indexed %v, grain %v, clocks %v\nfaults %+v\nquirks %+v\nshape %+v\nsettings %+v",
		p.seed, p.treeCount, p.writers, p.runs, p.readers, p.workers, p.sameRandom, p.indexed, p.grain, p.clocks, p.faults, p.quirks, p.shape, p.settings)
}
