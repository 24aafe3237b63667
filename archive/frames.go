package archive

import (
	"context"

	"dura/archive/format"
	"dura/cache"
)

// What is read of a block in one request is bounded, stored and decompressed.
const (
	maxJoinedBytes    = 2 << 20
	maxJoinedRawBytes = 8 << 20
)

// frameKey names a frame by where it is and what it must be, as indexKey does index objects.
type frameKey struct {
	band                  format.BandID
	block                 uint64
	offset                int64
	storedBytes, rawBytes uint32
	sum                   format.FrameSum
}

func keyOfFrame(f *format.Frame) frameKey {
	return frameKey{f.Block.Band, f.Block.Number, f.Offset, f.StoredBytes, f.RawBytes, f.Sum}
}

func frameMemoryBytes(raw []byte) int64 {
	const bookkeeping = 256
	return int64(cap(raw)) + bookkeeping
}

// frame gives a frame decompressed, from the cache or from storage.
func (a *Archive) frame(ctx context.Context, f *format.Frame) ([]byte, error) {
	k := keyOfFrame(f)
	if raw, ok := a.frames.Cached(k); ok {
		return raw, nil
	}
	return a.frames.Start(k, func(ctx context.Context) ([]byte, error) { return a.fetchFrame(ctx, f) }).Wait(ctx)
}

func (a *Archive) fetchFrame(ctx context.Context, f *format.Frame) ([]byte, error) {
	stored, err := a.readExactly(ctx, f.Block.Name(), f.Offset, int64(f.StoredBytes))
	return a.decodeFrame(f, stored, err)
}

func (a *Archive) decodeFrame(f *format.Frame, stored []byte, err error) ([]byte, error) {
	var raw []byte
	if err == nil {
		raw, err = a.decoder.DecodeFrame(f, stored)
	}
	return raw, objectError(opRead, f.Block.Band, f.Block.Name(), err)
}

// startFrames begins to fetch frames that are not cached. Neighbours in a block come in one request.
func (a *Archive) startFrames(frames []*format.Frame) []*cache.Pending[[]byte] {
	pending := make([]*cache.Pending[[]byte], 0, len(frames))
	for len(frames) > 0 {
		n := neighbours(frames)
		pending = append(pending, a.startNeighbours(frames[:n:n])...)
		frames = frames[n:]
	}
	return pending
}

// neighbours is how many of the first frames lie behind each other in one block and are read in one request.
func neighbours(frames []*format.Frame) int {
	storedBytes, rawBytes := int64(frames[0].StoredBytes), int64(frames[0].RawBytes)
	for i, f := range frames[1:] {
		last := frames[i]
		storedBytes += int64(f.StoredBytes)
		rawBytes += int64(f.RawBytes)
		if *f.Block != *last.Block || f.Offset != last.Offset+int64(last.StoredBytes) ||
			storedBytes > maxJoinedBytes || rawBytes > maxJoinedRawBytes {
			return i + 1
		}
	}
	return len(frames)
}

func (a *Archive) startNeighbours(frames []*format.Frame) []*cache.Pending[[]byte] {
	keys := make([]frameKey, len(frames))
	for i, f := range frames {
		keys[i] = keyOfFrame(f)
	}
	return a.frames.StartAll(keys, func(ctx context.Context, places []int, done func(int, []byte, error)) {
		for len(places) > 0 {
			n := 1
			for n < len(places) && places[n] == places[n-1]+1 {
				n++
			}
			first := places[0]
			a.fetchJoined(ctx, frames[first:first+n], func(i int, raw []byte, err error) { done(first+i, raw, err) })
			places = places[n:]
		}
	})
}

// fetchJoined reads neighbours in one request. Where that fails each is read by itself, so that damage to one does not cost
// the others.
func (a *Archive) fetchJoined(ctx context.Context, frames []*format.Frame, done func(int, []byte, error)) {
	first, last := frames[0], frames[len(frames)-1]
	var stored []byte
	if len(frames) > 1 {
		stored, _ = a.storage.Read(ctx, first.Block.Name(), first.Offset, int(last.Offset-first.Offset)+int(last.StoredBytes))
	}
	for i, f := range frames {
		from := f.Offset - first.Offset
		if to := from + int64(f.StoredBytes); len(frames) > 1 && to <= int64(len(stored)) {
			raw, err := a.decodeFrame(f, stored[from:to], nil)
			done(i, raw, err)
			continue
		}
		raw, err := a.fetchFrame(ctx, f)
		done(i, raw, err)
	}
}
