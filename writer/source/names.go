package source

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
)

// names is a list of names with their types, without a pointer or an allocation for each.
type names struct {
	bytes []byte
	refs  []nameRef
}

type nameRef struct {
	prefix uint64 // the first bytes, padded with zeros: most comparisons end here
	offset uint32
	length uint16
	typ    uint8 // DT_DIR and so on, as in a directory
}

const nameRefBytes = 16

// maxNameBytes is beyond what any system call takes, and within what a nameRef holds.
const maxNameBytes = 4000

func (l *names) add(name []byte, typ uint8) {
	var prefix [8]byte
	copy(prefix[:], name)
	l.refs = append(l.refs, nameRef{
		prefix: binary.BigEndian.Uint64(prefix[:]), offset: uint32(len(l.bytes)), length: uint16(len(name)), typ: typ,
	})
	l.bytes = append(l.bytes, name...)
}

// at is a name; the slice is good until the list changes.
func (l *names) at(i int) []byte { return l.name(l.refs[i]) }

func (l *names) name(r nameRef) []byte { return l.bytes[r.offset:][:r.length] }

// sizeBytes is what the list takes up in memory.
func (l *names) sizeBytes() int64 { return int64(len(l.bytes)) + nameRefBytes*int64(len(l.refs)) }

// truncate drops the names from i on, the first of which begins at offset.
func (l *names) truncate(i, offset int) { l.refs, l.bytes = l.refs[:i], l.bytes[:offset] }

func (l *names) sort() {
	slices.SortFunc(l.refs, func(a, b nameRef) int {
		if a.prefix != b.prefix {
			return cmp.Compare(a.prefix, b.prefix)
		}
		return bytes.Compare(l.name(a), l.name(b))
	})
}
