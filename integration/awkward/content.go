package awkward

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
)

// randomBytes returns bytes that don't compress.
func randomBytes(r *rand.Rand, size int) []byte {
	data := make([]byte, (size+7)&^7)
	for at := 0; at < len(data); at += 8 {
		binary.LittleEndian.PutUint64(data[at:], r.Uint64())
	}
	return data[:size]
}

// textBytes returns lines of words, which compress about as well as source code does.
func textBytes(r *rand.Rand, size int) []byte {
	words := strings.Fields(`archive band block chunk entry fence frame hunk member object parent source span storage tar
		the a of to and is in that it for func return if err nil := { } ( ) 0 1 42 "text"`)
	data := make([]byte, 0, size+16)
	for len(data) < size {
		data = append(data, words[r.IntN(len(words))]...)
		if r.IntN(9) == 0 {
			data = append(data, '\n')
		} else {
			data = append(data, ' ')
		}
	}
	return data[:size]
}

// everyByte returns size bytes that count up from 0, over and over.
func everyByte(size int) []byte {
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(i)
	}
	return data
}

type aclEntry struct {
	tag, permissions uint16
	id               uint32
}

// The tags of a POSIX ACL, and the id of entries that name nobody.
const (
	aclUserObj  = 0x01
	aclUser     = 0x02
	aclGroupObj = 0x04
	aclGroup    = 0x08
	aclMask     = 0x10
	aclOther    = 0x20
	aclNoID     = 0xffffffff
)

// aclBytes returns the value of the extended attribute that holds an ACL. Entries stand in the order of tags and ids.
func aclBytes(entries ...aclEntry) []byte {
	data := binary.LittleEndian.AppendUint32(nil, 2) // version
	for _, e := range entries {
		data = binary.LittleEndian.AppendUint16(data, e.tag)
		data = binary.LittleEndian.AppendUint16(data, e.permissions)
		data = binary.LittleEndian.AppendUint32(data, e.id)
	}
	return data
}

// capabilityBytes returns the value of security.capability: permitted capabilities that are effective at once, of version
// 3 where rootID, the root of a user namespace, isn't 0.
func capabilityBytes(permitted uint64, rootID uint32) []byte {
	const version2, version3, effective = 0x02000000, 0x03000000, 1
	magic := uint32(version2 | effective)
	if rootID != 0 {
		magic = version3 | effective
	}
	data := binary.LittleEndian.AppendUint32(nil, magic)
	for _, word := range []uint32{uint32(permitted), 0, uint32(permitted >> 32), 0} { // permitted and inheritable, twice
		data = binary.LittleEndian.AppendUint32(data, word)
	}
	if rootID != 0 {
		data = binary.LittleEndian.AppendUint32(data, rootID)
	}
	return data
}
