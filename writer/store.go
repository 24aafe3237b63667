package writer

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"

	"dura/archive/format"
	"dura/archive/storage"
)

// How many objects are on their way to storage at a time, and so in memory.
const (
	blocksUnderWay = 2
	indexUnderWay  = 8
)

// store puts the objects of a band into storage, and keeps their sums.
type store struct {
	storage     storage.Storage
	band        format.BandID
	blocks      chan struct{}                 // a place for each block under way
	last        [blocksUnderWay]chan struct{} // of the last blocks: closed once they are stored
	index       chan struct{}
	group       *errgroup.Group // of the run
	ctx         context.Context // of the run
	raw         chan []byte     // buffers of frames, for use again
	mu          sync.Mutex
	protection  *protection // nil: the band has no parity
	running     bool        // there is a group for what is done in the background
	sums        map[string]format.Hash
	objects     int64
	storedBytes int64
	blockCount  int64 // the assembler's alone while the run lasts
	blockBytes  int64
}

func newStore(s storage.Storage, band format.BandID) *store {
	return &store{
		storage: s, band: band, sums: map[string]format.Hash{}, blocks: make(chan struct{}, blocksUnderWay),
		index: make(chan struct{}, indexUnderWay), raw: make(chan []byte, 2*framesAhead),
	}
}

// object stores one object, protects it and keeps its sum.
func (s *store) object(ctx context.Context, name string, parts ...[]byte) error {
	return s.protected(ctx, name, format.SumBytes(parts...), parts...)
}

// protected does so for an object whose sum is known.
func (s *store) protected(ctx context.Context, name string, sum format.Hash, parts ...[]byte) error {
	if err := s.summed(ctx, name, sum, parts...); err != nil {
		return err
	}
	return s.protection.add(ctx, name, sum, parts...)
}

func (s *store) summed(ctx context.Context, name string, sum format.Hash, parts ...[]byte) error {
	if err := s.storage.Create(ctx, name, parts...); err != nil {
		if storage.Is(err, storage.KindExists) {
			return &takenError{band: s.band, err: err}
		}
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sums[name] = sum
	s.objects++
	for _, p := range parts {
		s.storedBytes += int64(len(p))
	}
	return nil
}

func (s *store) totals() (storedBytes, objects int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.storedBytes, s.objects
}

// sum is the hash of an object that this run stored, or knows of.
func (s *store) sum(name string) format.Hash {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sums[name]
}

func (s *store) blockTotals() (blocks, storedBytes int64) { return s.blockCount, s.blockBytes }

// later protects an object and stores it in the background, once one of places is free, and closes stored when that is done.
func (s *store) later(ctx context.Context, places chan struct{}, name string, sum format.Hash, stored chan struct{}, parts ...[]byte) error {
	if err := s.protection.add(ctx, name, sum, parts...); err != nil {
		return err
	}
	if err := send(ctx, places, struct{}{}); err != nil {
		return err
	}
	s.group.Go(func() error {
		defer func() { <-places }()
		if err := s.summed(s.ctx, name, sum, parts...); err != nil {
			return err
		}
		close(stored)
		return nil
	})
	return nil
}

// block stores a block in the background. No more than the last few blocks are ever missing, so that little is lost when the
// backup ends there.
func (s *store) block(ctx context.Context, b *block, parts [][]byte) error {
	oldest := &s.last[s.blockCount%blocksUnderWay]
	if *oldest != nil {
		if err := await(ctx, *oldest); err != nil {
			return err
		}
	}
	*oldest = b.stored
	s.blockCount++
	s.blockBytes += b.StoredBytes
	return s.later(ctx, s.blocks, b.Name(), b.SHA256, b.stored, parts...)
}

// rawBuffer is an empty buffer for a frame.
func (s *store) rawBuffer() []byte {
	select {
	case buf := <-s.raw:
		return buf
	default:
		return make([]byte, 0, batchBytes+batchBytes/8)
	}
}

func (s *store) recycleRaw(buf []byte) {
	if cap(buf) > 2*batchBytes {
		return // grown for one large file
	}
	select {
	case s.raw <- buf[:0]:
	default:
	}
}
