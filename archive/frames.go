package archive

import (
	"context"
	"iter"
	"sync/atomic"

	"dura/archive/format"
	"dura/archive/storage"
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

// rawFrame is a frame decompressed. Whoever has got it holds it; when nobody does any more its memory is used for another one. Who
// never says that he is done keeps it, and the garbage collector takes care of it.
type rawFrame struct {
	bytes []byte
	spare *buffers
	holds atomic.Int64
}

func newRawFrame(bytes []byte, spare *buffers) *rawFrame {
	r := &rawFrame{bytes: bytes, spare: spare}
	r.holds.Store(1)
	return r
}

func (r *rawFrame) hold() { r.holds.Add(1) }

func (r *rawFrame) drop() {
	switch n := r.holds.Add(-1); {
	case n == 0:
		buf := r.bytes
		r.bytes = nil
		r.spare.put(buf)
	case n < 0:
		panic("archive: a frame is dropped by more than hold it")
	}
}

func (r *rawFrame) memoryBytes() int64 {
	const bookkeeping = 256
	return int64(cap(r.bytes)) + bookkeeping
}

// frame gives a frame decompressed, from the cache or from storage, held for the caller.
func (a *Archive) frame(ctx context.Context, f *format.Frame) (*rawFrame, error) {
	k := keyOfFrame(f)
	if raw, ok := a.frames.Cached(k); ok {
		return raw, nil
	}
	return a.frames.Start(k, func(ctx context.Context) (*rawFrame, error) { return a.fetchFrame(ctx, f) }).Wait(ctx)
}

// fetchFrame brings a frame that somebody waits for, mended if it is damaged.
func (a *Archive) fetchFrame(ctx context.Context, f *format.Frame) (*rawFrame, error) {
	raw, err := a.frameInStorage(ctx, f)
	if mendable(err) {
		return mend(ctx, a, f.Block.Name(), err, a.frameFrom(ctx, f))
	}
	return raw, err
}

// frameFrom reads a frame from a source.
func (a *Archive) frameFrom(ctx context.Context, f *format.Frame) func(source) (*rawFrame, error) {
	return func(from source) (*rawFrame, error) {
		stored, err := a.readBlockExactly(ctx, from, f.Block, f.Offset, int64(f.StoredBytes))
		if err != nil {
			return nil, frameError(f, err)
		}
		return a.decodeFrame(f, stored)
	}
}

func (a *Archive) frameInStorage(ctx context.Context, f *format.Frame) (*rawFrame, error) {
	if raw, ok := a.frameOnDisk(f); ok {
		return raw, nil
	}
	stored, spare, err := a.readBlock(ctx, f.Block, f.Offset, int64(f.StoredBytes))
	if err == nil && len(stored) < int(f.StoredBytes) {
		err = &sizeError{int64(len(stored)), int64(f.StoredBytes)}
	}
	if err != nil {
		return nil, frameError(f, err)
	}
	checked := make(chan error, 1)
	go func() { checked <- format.CheckFrame(f, stored) }() // which takes a third of the time
	raw, err := a.decoder.DecodeFrame(f, stored, a.frameBuffer)
	if wrong := <-checked; wrong != nil {
		err = wrong
	}
	if err == nil {
		a.keepFrameOnDisk(f, stored)
	}
	a.spare.put(spare)
	return a.decoded(f, raw, err)
}

// decodeFrame checks and decodes a frame.
func (a *Archive) decodeFrame(f *format.Frame, stored []byte) (*rawFrame, error) {
	err := format.CheckFrame(f, stored)
	var raw []byte
	if err == nil {
		raw, err = a.decoder.DecodeFrame(f, stored, a.frameBuffer)
	}
	if err == nil {
		a.keepFrameOnDisk(f, stored)
	}
	return a.decoded(f, raw, err)
}

func (a *Archive) frameBuffer(bytes int) []byte { return a.spare.get(bytes + format.FrameRoom) }

func (a *Archive) decoded(f *format.Frame, raw []byte, err error) (*rawFrame, error) {
	if err != nil {
		return nil, frameError(f, err)
	}
	return newRawFrame(raw, &a.spare), nil
}

func frameError(f *format.Frame, err error) error {
	return objectError(opRead, f.Block.Band, f.Block.Name(), err)
}

// readStored reads a range of an object, as far as it goes; spare is the memory for it that may be used again, if any.
func (a *Archive) readStored(ctx context.Context, name string, offset, bytes int64) (stored, spare []byte, err error) {
	r, ok := a.storage.(storage.IntoReader)
	if !ok {
		stored, err = a.storage.Read(ctx, name, offset, int(bytes))
		return stored, nil, err
	}
	spare = a.spare.get(int(bytes))
	n, err := r.ReadInto(ctx, name, offset, spare[:bytes])
	if err != nil {
		return nil, nil, err // what was given up may still be written to
	}
	return spare[:n], spare, nil
}

// startFrames begins to fetch frames that are not cached. Neighbours in a block come in one request.
func (a *Archive) startFrames(frames []*format.Frame) []*cache.Pending[*rawFrame] {
	pending := make([]*cache.Pending[*rawFrame], 0, len(frames))
	for run := range runs(frames) {
		pending = append(pending, a.frames.StartAll(keysOf(run), a.fetchRun(run))...)
	}
	return pending
}

// prefetchFrames is startFrames for who does not wait.
func (a *Archive) prefetchFrames(frames []*format.Frame) {
	for run := range runs(frames) {
		a.frames.PrefetchAll(keysOf(run), a.fetchRun(run))
	}
}

// runs parts frames into those that are read in one request.
func runs(frames []*format.Frame) iter.Seq[[]*format.Frame] {
	return func(yield func([]*format.Frame) bool) {
		for len(frames) > 0 {
			n := neighbours(frames)
			if !yield(frames[:n:n]) {
				return
			}
			frames = frames[n:]
		}
	}
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

func keysOf(frames []*format.Frame) []frameKey {
	keys := make([]frameKey, len(frames))
	for i, f := range frames {
		keys[i] = keyOfFrame(f)
	}
	return keys
}

// fetchRun fetches those of a run of neighbours that are not there yet.
func (a *Archive) fetchRun(frames []*format.Frame) cache.Fetch[*rawFrame] {
	return func(ctx context.Context, places []int, done func(int, *rawFrame, error)) {
		places = a.fetchFromDisk(frames, places, done)
		for len(places) > 0 {
			n := 1
			for n < len(places) && places[n] == places[n-1]+1 {
				n++
			}
			first := places[0]
			a.fetchJoined(ctx, frames[first:first+n], func(i int, raw *rawFrame, err error) { done(first+i, raw, err) })
			places = places[n:]
		}
	}
}

// fetchJoined reads neighbours in one request. Where that fails each is read by itself, so that damage to one does not cost
// the others.
func (a *Archive) fetchJoined(ctx context.Context, frames []*format.Frame, done func(int, *rawFrame, error)) {
	first, last := frames[0], frames[len(frames)-1]
	var stored, spare []byte
	if len(frames) > 1 {
		stored, spare, _ = a.readBlock(ctx, first.Block, first.Offset, last.Offset-first.Offset+int64(last.StoredBytes))
	}
	for i, f := range frames {
		from := f.Offset - first.Offset
		if to := from + int64(f.StoredBytes); len(frames) > 1 && to <= int64(len(stored)) {
			raw, err := a.decodeFrame(f, stored[from:to])
			if mendable(err) {
				raw, err = mend(ctx, a, f.Block.Name(), err, a.frameFrom(ctx, f))
			}
			done(i, raw, err)
			continue
		}
		raw, err := a.fetchFrame(ctx, f)
		done(i, raw, err)
	}
	a.spare.put(spare)
}
