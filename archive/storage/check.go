package storage

import (
	"context"
	"errors"
	"fmt"
)

// The operations, as Error.Op names them.
const (
	OpCreate = "create"
	OpRead   = "read"
	OpList   = "list"
	OpStat   = "stat"
	OpDelete = "delete"
	OpOpen   = "open"
	OpSettle = "settle"
)

// Check is what every operation on a named object begins with: it returns ctx's error once ctx is done, and an error of
// KindInvalid unless name is valid.
func Check(ctx context.Context, op, name string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s %s: %w", op, name, err)
	}
	if !ValidName(name) {
		return &Error{Op: op, Object: name, Kind: KindInvalid, Err: errors.New("not a name that an object can have")}
	}
	return nil
}

// CheckRead is Check for a read, and an error of KindInvalid if its range is negative.
func CheckRead(ctx context.Context, name string, offset int64, maxBytes int) error {
	if err := Check(ctx, OpRead, name); err != nil {
		return err
	}
	if offset < 0 || maxBytes < 0 {
		cause := fmt.Errorf("no range of an object: %d bytes at %d", maxBytes, offset)
		return &Error{Op: OpRead, Object: name, Kind: KindInvalid, Err: cause}
	}
	return nil
}
