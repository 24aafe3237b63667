package seal

import (
	"crypto/aes"

	"dura/archive/format"
)

// A part of a message is decrypted by itself, given the 16 encrypted bytes ahead of it. Nothing in the message checks a part: whoever
// reads one has the hash of what it must be.

// ContentBytes is how much content a message named name of storedBytes has, given where that begins. It is negative where that can't be.
func ContentBytes(k format.SealKey, storedBytes int64) int64 {
	return storedBytes - int64(k.HeaderBytes) - checkBytes
}

// StoredRange is what to read of a message named name for bytes bytes of its content from offset on.
func StoredRange(k format.SealKey, name string, offset, bytes int64) format.Extent {
	start := encryptedAt(k, name)
	from := int64(k.HeaderBytes) - start + offset // in what is encrypted
	first := from - from%aes.BlockSize - aes.BlockSize
	return format.Extent{Offset: start + first, Bytes: from + bytes - first}
}

// OpenRange gives the bytes of the content from offset on, given what StoredRange said, or as much of that as there is.
func OpenRange(k format.SealKey, name string, offset int64, stored []byte) ([]byte, error) {
	if len(stored) < aes.BlockSize {
		return nil, nil
	}
	plain, err := decrypt(stored[aes.BlockSize:], stored[:aes.BlockSize], k.Session)
	if err != nil {
		return nil, err
	}
	skip := (int64(k.HeaderBytes) - encryptedAt(k, name) + offset) % aes.BlockSize
	return plain[min(skip, int64(len(plain))):], nil
}

// encryptedAt is where what is encrypted begins.
func encryptedAt(k format.SealKey, name string) int64 {
	return int64(k.HeaderBytes) - prefixBytes - literalHeadBytes - int64(len(name))
}

// CheckRange says whether a message named name with this key and size may be: what StoredRange gives lies inside it then.
func CheckRange(k format.SealKey, name string, storedBytes int64) error {
	if encryptedAt(k, name) < sealedHeadBytes || ContentBytes(k, storedBytes) < 0 {
		return corrupt("its content can't begin at %d of %d bytes", k.HeaderBytes, storedBytes)
	}
	return nil
}
