//go:build !linux

package treecmp

import (
	"errors"
	"fmt"
)

// Compare works on Linux alone.
func Compare(a, b string, _ Options) ([]Difference, error) {
	return nil, fmt.Errorf("compare %q with %q: %w", a, b, errors.ErrUnsupported)
}
