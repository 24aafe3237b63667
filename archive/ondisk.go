package archive

import (
	"dura/archive/format"
	"dura/cache/disk"
)

// What is kept on disk is as it is stored, under the hash that the index has for it. Of an encrypted archive that is index objects alone.

// keepOnDisk keeps what was checked against sum.
func (a *Archive) keepOnDisk(sum, stored []byte) {
	if a.disk != nil {
		a.disk.Put(sum, stored)
	}
}

// keepFrameOnDisk keeps a frame that was checked, unless it is one that an encrypted archive hides.
func (a *Archive) keepFrameOnDisk(f *format.Frame, stored []byte) {
	if a.keys == nil {
		a.keepOnDisk(f.Sum[:], stored)
	}
}

// onDisk fills buf with what has that sum, if it is there.
func (a *Archive) onDisk(sum, buf []byte) bool { return a.disk != nil && a.disk.Get(sum, buf) }

// frameOnDisk brings a frame from the disk.
func (a *Archive) frameOnDisk(f *format.Frame) (*rawFrame, bool) {
	if a.disk == nil {
		return nil, false
	}
	spare := a.spare.get(int(f.StoredBytes))
	defer a.spare.put(spare)
	stored := spare[:f.StoredBytes]
	if !a.onDisk(f.Sum[:], stored) {
		return nil, false
	}
	raw, err := a.decoder.DecodeFrame(f, stored, a.frameBuffer)
	if err != nil {
		return nil, false // the same is in storage: who reads it there says what is wrong
	}
	return newRawFrame(raw, &a.spare), true
}

// fetchFromDisk delivers those of the frames at some places that are on disk, and returns the other places.
func (a *Archive) fetchFromDisk(frames []*format.Frame, places []int, done func(int, *rawFrame, error)) []int {
	if a.disk == nil {
		return places
	}
	var others []int
	for _, place := range places {
		if raw, ok := a.frameOnDisk(frames[place]); ok {
			done(place, raw, nil)
		} else {
			others = append(others, place)
		}
	}
	return others
}

// DiskStats says what the cache on disk did, if there is one.
func (a *Archive) DiskStats() (disk.Stats, bool) {
	if a.disk == nil {
		return disk.Stats{}, false
	}
	return a.disk.Stats(), true
}
