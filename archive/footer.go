package archive

import (
	"context"
	"crypto/sha256"

	"dura/archive/format"
)

// footerReadBytes is what one read of a block's end brings: most footers and seek tables take less.
const footerReadBytes = 64 << 10

// Footer reads the footer of a block, of which Band, Number and StoredBytes are known.
func (a *Archive) Footer(ctx context.Context, b *format.Block) (format.Footer, error) {
	footer, err := a.footer(ctx, b)
	if err == nil && (footer.Band != b.Band || footer.Number != b.Number) {
		err = &format.CorruptError{What: "footer", Reason: "it is that of another block"}
	}
	return footer, objectError(opRead, b.Band, b.Name(), err)
}

func (a *Archive) footer(ctx context.Context, b *format.Block) (format.Footer, error) {
	bytes := min(footerReadBytes, b.StoredBytes)
	for {
		tail, err := a.readExactly(ctx, b.Name(), b.StoredBytes-bytes, bytes)
		if err != nil {
			return format.Footer{}, err
		}
		extent, need, err := format.FindFooter(tail, b.StoredBytes)
		if err != nil {
			return format.Footer{}, err
		}
		if need == 0 {
			need = b.StoredBytes - extent.Offset
		}
		if need <= bytes {
			frame := tail[extent.Offset-(b.StoredBytes-bytes):][:extent.Bytes]
			return format.DecodeFooter(frame, a.decoder)
		}
		bytes = need
	}
}

const sumReadBytes = 4 << 20

// SumBlock reads all of a block, of which Band, Number and StoredBytes are known, and gives its hash.
func (a *Archive) SumBlock(ctx context.Context, b *format.Block) (format.Hash, error) {
	h := sha256.New()
	for offset := int64(0); offset < b.StoredBytes; {
		part, err := a.readExactly(ctx, b.Name(), offset, min(sumReadBytes, b.StoredBytes-offset))
		if err != nil {
			return format.Hash{}, objectError(opRead, b.Band, b.Name(), err)
		}
		h.Write(part)
		offset += int64(len(part))
	}
	return format.Hash(h.Sum(nil)), nil
}
