package dedup

import (
	"bytes"
	"cmp"
	"encoding/binary"

	"dura/archive/format"
)

const (
	recordBytes = 28
	keyBytes    = 16

	bandBits   = 24
	numberBits = 40
	entryBits  = 19
	spanBits   = 12
)

// record is content and its place, as SEGMENTS.md has it.
type record [recordBytes]byte

// key is the first 16 bytes of a content's hash.
type key struct{ high, low uint64 }

func keyOf(h format.Hash) key {
	return key{binary.BigEndian.Uint64(h[:]), binary.BigEndian.Uint64(h[8:])}
}

func (k key) less(l key) bool { return k.high < l.high || k.high == l.high && k.low < l.low }

// spot is a Place whose band is a place in a table of bands.
type spot struct {
	band   uint32
	list   bool
	number uint64
	entry  uint32
	span   uint32
}

// fits reports whether a record can hold s.
func (s spot) fits() bool {
	return s.band < 1<<bandBits && s.number < 1<<numberBits && s.entry < 1<<entryBits && s.span < 1<<spanBits
}

// newRecord makes a record of a spot that fits.
func newRecord(k key, s spot) (r record) {
	binary.BigEndian.PutUint64(r[0:], k.high)
	binary.BigEndian.PutUint64(r[8:], k.low)
	binary.BigEndian.PutUint64(r[16:], uint64(s.band)<<numberBits|s.number)
	where := s.entry<<spanBits | s.span
	if s.list {
		where |= 1 << 31
	}
	binary.BigEndian.PutUint32(r[24:], where)
	return r
}

func (r *record) key() key { return keyAt(r[:]) }

// keyAt is the key of the record that b begins with.
func keyAt(b []byte) key {
	return key{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])}
}

func (r *record) spot() spot {
	place, where := binary.BigEndian.Uint64(r[16:]), binary.BigEndian.Uint32(r[24:])
	return spot{
		band: uint32(place >> numberBits), number: place & (1<<numberBits - 1),
		list: where>>31 != 0, entry: where >> spanBits & (1<<entryBits - 1), span: where & (1<<spanBits - 1),
	}
}

func (r *record) setBand(band uint32) {
	place := binary.BigEndian.Uint64(r[16:])
	binary.BigEndian.PutUint64(r[16:], uint64(band)<<numberBits|place&(1<<numberBits-1))
}

func compareRecords(a, b record) int {
	if high := cmp.Compare(a.key().high, b.key().high); high != 0 {
		return high
	}
	return bytes.Compare(a[:], b[:])
}
