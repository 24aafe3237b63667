//go:build !linux

package awkward

import (
	"errors"
	"fmt"
)

// Make works on Linux alone.
func Make(dir string, _ Options) (Report, error) {
	return Report{}, fmt.Errorf("make an awkward tree in %q: %w", dir, errors.ErrUnsupported)
}

// Remove works on Linux alone.
func Remove(dir string) error {
	return fmt.Errorf("remove the tree %q: %w", dir, errors.ErrUnsupported)
}
