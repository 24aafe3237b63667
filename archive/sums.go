package archive

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"

	"dura/archive/format"
)

// Sums yields the lines of a band's .sha256, or of its last repaired copy, with the names of the objects as they stand there. An
// error ends it.
func (a *Archive) Sums(ctx context.Context, band format.BandID) iter.Seq2[format.Sum, error] {
	return func(yield func(format.Sum, error) bool) {
		name := format.SumsName(band)
		stored, repaired, err := a.LastRepaired(ctx, name)
		if err != nil {
			yield(format.Sum{}, err)
			return
		}
		if !repaired {
			stored = name
		}
		lines := bufio.NewScanner(&objectReader{ctx: ctx, from: a.storage, name: stored})
		for number := 1; lines.Scan(); number++ {
			sums, err := format.DecodeSums(append(lines.Bytes(), '\n'))
			if err != nil {
				err = &format.CorruptError{What: "sums", Reason: fmt.Sprintf("line %d is not a hash and a name", number)}
				yield(format.Sum{}, objectError(opRead, band, name, err))
				return
			}
			if !yield(sums[0], nil) {
				return
			}
		}
		err = lines.Err()
		if err == bufio.ErrTooLong {
			err = &format.CorruptError{What: "sums", Reason: err.Error()}
		}
		if err != nil {
			yield(format.Sum{}, objectError(opRead, band, name, err))
		}
	}
}

// objectReader reads an object from its start, a piece at a time.
type objectReader struct {
	ctx    context.Context
	from   source
	name   string
	offset int64
	piece  []byte
}

const pieceBytes = 1 << 20

func (o *objectReader) Read(p []byte) (int, error) {
	if len(o.piece) == 0 {
		var err error
		if o.piece, err = o.from.Read(o.ctx, o.name, o.offset, pieceBytes); err != nil {
			return 0, err
		}
		if len(o.piece) == 0 {
			return 0, io.EOF
		}
		o.offset += int64(len(o.piece))
	}
	n := copy(p, o.piece)
	o.piece = o.piece[n:]
	return n, nil
}
