package archive

import (
	"context"
	"crypto/sha256"

	"dura/archive/format"
)

// footerReadBytes is what one read of a block's end brings: most footers and seek tables take less.
const footerReadBytes = 64 << 10

// Footer reads the footer of a block, of which Band, Number and StoredBytes are known, and completes its Seal.
func (a *Archive) Footer(ctx context.Context, b *format.Block) (format.Footer, error) {
	footer, err := a.footer(ctx, b)
	if err == nil && (footer.Band != b.Band || footer.Number != b.Number) {
		err = &format.CorruptError{What: "footer", Reason: "it is that of another block"}
	}
	return footer, objectError(opRead, b.Band, b.Name(), err)
}

func (a *Archive) footer(ctx context.Context, b *format.Block) (format.Footer, error) {
	if err := a.findKey(ctx, a.storage, b); err != nil {
		return format.Footer{}, err
	}
	all := a.contentBytes(b)
	bytes := min(footerReadBytes, all)
	for {
		tail, err := a.readBlockExactly(ctx, a.storage, b, all-bytes, bytes)
		if err != nil {
			return format.Footer{}, err
		}
		extent, need, err := format.FindFooter(tail, all)
		if err != nil {
			return format.Footer{}, err
		}
		if need == 0 {
			need = all - extent.Offset
		}
		if need <= bytes {
			frame := tail[extent.Offset-(all-bytes):][:extent.Bytes]
			return format.DecodeFooter(frame, a.decoder)
		}
		bytes = need
	}
}

const sumReadBytes = 4 << 20

// SumBlock reads all of a block, of which Band, Number and StoredBytes are known, and gives its hash. Where it is encrypted it has been
// checked that nothing of it was changed.
func (a *Archive) SumBlock(ctx context.Context, b *format.Block) (format.Hash, error) {
	if a.keys != nil {
		return a.sumMessage(ctx, b)
	}
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

func (a *Archive) sumMessage(ctx context.Context, b *format.Block) (format.Hash, error) {
	if b.StoredBytes > maxMessageBytes {
		return format.Hash{}, contradiction(b.Band, b.Name(), "it has %d bytes, and %d are the most", b.StoredBytes, maxMessageBytes)
	}
	stored, err := a.readExactly(ctx, b.Name(), 0, b.StoredBytes)
	if err == nil {
		_, err = a.Opened(b.Name(), stored)
	}
	return format.SumBytes(stored), objectError(opRead, b.Band, b.Name(), err)
}

// maxMessageBytes bounds what of a block is in memory at a time. Writers make smaller ones.
const maxMessageBytes = 256 << 20
