package format

import "fmt"

// SessionKey is the key that one object is encrypted with. No format shows it.
type SessionKey [32]byte

// SealKey is what it takes to read parts of a sealed object. The zero value says nothing.
type SealKey struct {
	Session     SessionKey
	HeaderBytes uint32 // where its content begins
}

const secretText = "(secret)"

func (SessionKey) Format(f fmt.State, _ rune)   { f.Write([]byte(secretText)) }
func (SessionKey) MarshalText() ([]byte, error) { return []byte(secretText), nil }

// IsZero reports whether k says nothing.
func (k SealKey) IsZero() bool { return k == SealKey{} }
