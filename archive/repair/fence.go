package repair

import (
	"context"

	"dura/archive"
	"dura/archive/format"
)

// fenceOf is a fence that a band refers to.
type fenceOf struct {
	band *archive.Band
	ref  format.FenceRef
}

// refence makes a lost fence again of the hunks; nil if these do not tell. It is the same to the byte where the same encoder wrote it.
func (b *bandRun) refence(ctx context.Context, f fenceOf) []byte {
	refs, err := f.band.Refence(ctx, f.ref)
	if err != nil {
		return nil
	}
	raw, err := format.EncodeFence(refs)
	if err != nil {
		return nil
	}
	e, err := format.NewIndexEncoder()
	if err != nil {
		return nil
	}
	return e.Append(nil, raw)
}
