package parity

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// A parity object is label, description, shard, description, label: each end tells all, should the other be damaged.

// LabelBytes is how long the label is at either end.
const LabelBytes = 48

const magic = "DURA-RS\n"

// sumBytes is how much of the hash over label and description a label has.
const sumBytes = LabelBytes - 24

// Label is what stands at either end of a parity object.
type Label struct {
	Place            int // of the object among those of its group, from 0
	DescriptionBytes int64
	ShardBytes       int64
	sum              [sumBytes]byte
}

// ShardOffset is where the shard begins in the object.
func (l Label) ShardOffset() int64 { return LabelBytes + l.DescriptionBytes }

// ObjectBytes is how long the object is.
func (l Label) ObjectBytes() int64 { return 2*l.ShardOffset() + l.ShardBytes }

func labelSum(start, description []byte) [sumBytes]byte {
	h := sha256.New()
	h.Write(start)
	h.Write(description)
	return [sumBytes]byte(h.Sum(nil)[:sumBytes])
}

func encodeLabel(place int, description []byte, shardBytes int64) []byte {
	b := make([]byte, 0, LabelBytes)
	b = append(b, magic...)
	b = binary.LittleEndian.AppendUint32(b, uint32(place))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(description)))
	b = binary.LittleEndian.AppendUint64(b, uint64(shardBytes))
	sum := labelSum(b, description)
	return append(b, sum[:]...)
}

// DecodeLabel parses a label. What it says is within bounds, and true only once Describe has said so.
func DecodeLabel(b []byte) (Label, error) {
	if len(b) != LabelBytes || string(b[:8]) != magic {
		return Label{}, corrupt("no label")
	}
	l := Label{
		Place: int(binary.LittleEndian.Uint32(b[8:])), DescriptionBytes: int64(binary.LittleEndian.Uint32(b[12:])),
		ShardBytes: int64(binary.LittleEndian.Uint64(b[16:])), sum: [sumBytes]byte(b[24:]),
	}
	if l.Place >= maxPlaces || l.DescriptionBytes > maxGroupBytes || l.ShardBytes < 0 || l.ShardBytes > maxMemberBytes {
		return Label{}, corrupt("place %d, a description of %d bytes, a shard of %d", l.Place, l.DescriptionBytes, l.ShardBytes)
	}
	return l, nil
}

// Describe parses the description that belongs to the label.
func (l Label) Describe(description []byte) (*Group, error) {
	label := encodeLabel(l.Place, description, l.ShardBytes)
	if int64(len(description)) != l.DescriptionBytes || [sumBytes]byte(label[24:]) != l.sum {
		return nil, corrupt("its description is not the one that was stored")
	}
	g, err := decodeGroup(description)
	if err == nil && (l.Place >= len(g.Parity) || l.ShardBytes != g.ShardBytes) {
		err = corrupt("place %d and a shard of %d bytes, where there are %d of %d", l.Place, l.ShardBytes, len(g.Parity), g.ShardBytes)
	}
	if err != nil {
		return nil, err
	}
	return g, nil
}

// IsObject reports whether object is, to the byte, the parity object at a place.
func (g *Group) IsObject(place int, object []byte) bool {
	description, err := encodeGroup(g)
	if err != nil || place >= len(g.Parity) {
		return false
	}
	label := encodeLabel(place, description, g.ShardBytes)
	rest := object
	for _, part := range [][]byte{label, description} {
		if !bytes.HasPrefix(rest, part) {
			return false
		}
		rest = rest[len(part):]
	}
	if int64(len(rest)) < g.ShardBytes || !bytes.Equal(rest[g.ShardBytes:], append(description, label...)) {
		return false
	}
	return slices.Equal(SumSlices(rest[:g.ShardBytes]), g.Parity[place])
}

// Object is a parity object to store.
type Object struct {
	Name  string
	Parts [][]byte
}

// Objects are the parity objects of a group with these shards.
func (g *Group) Objects(shards [][]byte) ([]Object, error) {
	description, err := encodeGroup(g)
	if err != nil {
		return nil, err
	}
	objects := make([]Object, len(shards))
	for i, shard := range shards {
		label := encodeLabel(i, description, int64(len(shard)))
		objects[i] = Object{g.ObjectName(i), [][]byte{label, description, shard, description, label}}
	}
	return objects, nil
}
