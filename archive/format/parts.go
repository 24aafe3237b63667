package format

import (
	"encoding/binary"

	"google.golang.org/protobuf/proto"
)

// maxParts bounds the messages and byte strings in an index object. A few bytes of protobuf can become hundreds when they are
// decoded, and a few of zstd millions of those: without a bound a small object could take all memory. A hunk as large as a
// writer makes it has half as many at the most.
const maxParts = 1 << 19

// Some fields have many parts themselves: entries in a Hunk, members in a Footer; and, of bounded size, the references in a
// Hunk and the progress in a Footer.
const (
	fieldOfMany  = 4
	fieldOfSome  = 5
	maxSomeBytes = 1 << 20
)

// unmarshal decodes a protobuf that is not larger in memory than maxParts allows.
func unmarshal(what string, raw []byte, m proto.Message) error {
	if countParts(raw, true, maxParts) > maxParts {
		return corrupt(what, "it has more parts than any writer makes")
	}
	if err := proto.Unmarshal(raw, m); err != nil {
		return &CorruptError{What: what, Reason: "not a protobuf", Err: err}
	}
	return nil
}

// countParts counts the length-delimited fields of a message, and, if it is the whole object, those of the fields that have many,
// until there are more than most.
func countParts(raw []byte, whole bool, most int) (count int) {
	for len(raw) > 0 && count <= most {
		tag, n := binary.Uvarint(raw)
		if n <= 0 {
			return count
		}
		raw = raw[n:]
		n, bytes := fieldSize(tag, raw)
		if n < 0 || bytes > uint64(len(raw)-n) {
			return count
		}
		raw = raw[n:]
		if tag&7 == lengthDelimited {
			count++
			switch field := tag >> 3; {
			case whole && field == fieldOfSome && bytes > maxSomeBytes:
				return most + 1
			case whole && (field == fieldOfMany || field == fieldOfSome):
				count += countParts(raw[:bytes], false, most-count)
			}
		}
		raw = raw[bytes:]
	}
	return count
}

const lengthDelimited = 2

// fieldSize is how many bytes of length and how many of value follow a tag. What is in a group counts as if it were not in one.
func fieldSize(tag uint64, raw []byte) (lengthBytes int, bytes uint64) {
	switch tag & 7 {
	case 0:
		if _, n := binary.Uvarint(raw); n > 0 {
			return n, 0
		}
	case 1:
		return 0, 8
	case lengthDelimited:
		if size, n := binary.Uvarint(raw); n > 0 {
			return n, size
		}
	case 3, 4:
		return 0, 0
	case 5:
		return 0, 4
	}
	return -1, 0
}
