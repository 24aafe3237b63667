package archive

import (
	"context"

	"dura/archive/format"
)

// BandHead reads the head of a band that need not be opened, complete or not.
func (a *Archive) BandHead(ctx context.Context, id format.BandID) (format.Head, []byte, error) {
	text, err := readText(ctx, a.storage, format.HeadName(id))
	var head format.Head
	if err == nil {
		head, err = format.DecodeHead(id, text)
	}
	return head, text, objectError(opOpenBand, id, format.HeadName(id), err)
}
