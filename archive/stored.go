package archive

import (
	"context"
	"math"
	"slices"

	"dura/archive/format"
	"dura/archive/storage"
)

// maxReusedBytes is how much memory Stored keeps for the next object.
const maxReusedBytes = 32 << 20

// Stored reads all of an object as it is stored, and lets accept see it. Buf is memory to read into, which is grown where it is too short for
// sizeBytes, what a listing says of the object; below 0 it is not known. The error is one that IsDamage knows if the object is not
// there, or is not what accept takes.
func (a *Archive) Stored(ctx context.Context, name string, sizeBytes int64, buf *[]byte, accept func([]byte) bool) (bytes int64, err error) {
	var object []byte
	if into, can := a.storage.(storage.IntoReader); can && sizeBytes >= 0 && sizeBytes < maxReusedBytes {
		object, err = readReusing(ctx, into, name, 0, int(sizeBytes)+1, buf) // one more tells whether it is longer
	} else {
		object, err = a.storage.Read(ctx, name, 0, math.MaxInt32)
	}
	if err == nil && !accept(object) {
		err = &format.MismatchError{What: "object"}
	}
	return int64(len(object)), objectError(opRead, bandOf(name), name, err)
}

// readReusing reads a range of an object into buf, which is grown where it is too short, and lost after an error: a read that was given up may
// still write there.
func readReusing(ctx context.Context, r storage.IntoReader, name string, offset int64, maxBytes int, buf *[]byte) ([]byte, error) {
	room := slices.Grow((*buf)[:0], maxBytes)[:maxBytes]
	*buf = nil
	n, err := r.ReadInto(ctx, name, offset, room)
	if err != nil {
		return nil, err
	}
	*buf = room
	return room[:n], nil
}

// IsDamage reports whether err says that one object is not there, or is not what it should be. A storage that can't be had says nothing of its objects.
func IsDamage(err error) bool { return mendable(err) }
