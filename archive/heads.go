package archive

import (
	"context"

	"dura/archive/format"
)

// BandHead reads the head of a band that need not be opened, complete or not, and gives it as it is stored, too.
func (a *Archive) BandHead(ctx context.Context, id format.BandID) (format.Head, []byte, error) {
	return a.bandHead(ctx, id, format.Hash{})
}

// bandHead reads a head whose hash is sum, if that is known.
func (a *Archive) bandHead(ctx context.Context, id format.BandID, sum format.Hash) (head format.Head, stored []byte, err error) {
	name := format.HeadName(id)
	stored, err = mended(ctx, a, name, func(from source) ([]byte, error) {
		text, stored, err := a.readOpened(ctx, from, name)
		if stored != nil && !sum.IsZero() && format.SumBytes(stored) != sum {
			err = &format.MismatchError{What: "head"}
		}
		if err == nil {
			head, err = format.DecodeHead(id, text)
		}
		return stored, objectError(opOpenBand, id, name, err)
	})
	return head, stored, err
}
