package format

import (
	"crypto/sha256"
	"fmt"
)

// MismatchError says that bytes don't have the hash that what refers to them gives.
type MismatchError struct{ What string }

func (e *MismatchError) Error() string {
	return fmt.Sprintf("the %s is not the one that was stored: its SHA-256 differs", e.What)
}

// SumFrame is the sum of a frame's compressed bytes.
func SumFrame(stored []byte) FrameSum {
	h := sha256.Sum256(stored)
	return FrameSum(h[:16])
}

// SumBytes is the hash of all parts in a row.
func SumBytes(parts ...[]byte) Hash {
	if len(parts) == 1 {
		return sha256.Sum256(parts[0])
	}
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
	}
	return Hash(h.Sum(nil))
}
