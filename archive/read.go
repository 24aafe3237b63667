package archive

import (
	"context"
	"fmt"

	"dura/archive/format"
)

// The operations, as Error.Op names them.
const (
	opCreate   = "create the archive"
	opOpen     = "open the archive"
	opList     = "list bands"
	opFind     = "find the band"
	opOpenBand = "open the band"
	opLookup   = "look up"
	opRead     = "read"
)

// readText reads a text object, as far as one may go.
func readText(ctx context.Context, st source, name string) ([]byte, error) {
	return st.Read(ctx, name, 0, format.MaxTextBytes+1)
}

// sizeError says that an object, or a part of one, is shorter than what refers to it says.
type sizeError struct{ readBytes, wantBytes int64 }

func (e *sizeError) Error() string {
	return fmt.Sprintf("it ends after %d of %d bytes", e.readBytes, e.wantBytes)
}

// readExactly reads a range of an object that must be there in full.
func (a *Archive) readExactly(ctx context.Context, object string, offset, bytes int64) ([]byte, error) {
	return readExactly(ctx, a.storage, object, offset, bytes)
}

func readExactly(ctx context.Context, from source, object string, offset, bytes int64) ([]byte, error) {
	stored, err := from.Read(ctx, object, offset, int(bytes))
	if err != nil {
		return nil, err
	}
	if int64(len(stored)) != bytes {
		return nil, &sizeError{int64(len(stored)), bytes}
	}
	return stored, nil
}
