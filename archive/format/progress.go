package format

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/proto"

	"dura/archive/format/pb"
)

// Progress is how far a file in chunks has come at the end of a block.
type Progress struct {
	Path          Path
	Device, Inode uint64
	Size          int64
	MTime, CTime  Time
	End           int64 // it is stored up to here
	Hash          HashState
	SpanLists     []uint64 // numbers of the lists of its first spans
	Blocks        []Block  // earlier ones with chunks of it
}

// MaxProgressBlocks is how many of the earlier blocks are listed.
const MaxProgressBlocks = 160

// Of reports whether e is still the file that p is about.
func (p *Progress) Of(e *Entry) bool {
	return p.Path == e.Path && e.Kind == File && p.Device == e.Device && p.Inode == e.Inode && p.Size == e.Size && p.MTime == e.MTime && p.CTime == e.CTime
}

func (p *Progress) encode() []byte {
	m := &pb.Progress{
		Path: []byte(p.Path), Device: p.Device, Inode: p.Inode, Size: uint64(p.Size),
		MtimeSeconds: p.MTime.Seconds, MtimeNanos: p.MTime.Nanos, CtimeSeconds: p.CTime.Seconds, CtimeNanos: p.CTime.Nanos,
		End: uint64(p.End), HashedBytes: uint64(p.Hash.Bytes), Chain: p.Hash.Chain[:], Pending: p.Hash.Pending, SpanLists: p.SpanLists,
	}
	for i := range p.Blocks {
		m.Blocks = append(m.Blocks, blockToPB(&p.Blocks[i]))
	}
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		panic(err) // a message without strings from outside can be marshalled
	}
	return raw
}

func progressFromPB(m *pb.Progress) (*Progress, error) {
	blocks, err := blocksFromPB("footer", m.Blocks)
	if err != nil {
		return nil, err
	}
	p := &Progress{
		Path: Path(m.Path), Device: m.Device, Inode: m.Inode, Size: clampInt64(m.Size), MTime: Time{m.MtimeSeconds, m.MtimeNanos},
		CTime: Time{m.CtimeSeconds, m.CtimeNanos}, End: clampInt64(m.End), SpanLists: m.SpanLists, Blocks: blocks,
		Hash: HashState{Bytes: clampInt64(m.HashedBytes), Pending: m.Pending},
	}
	if !ValidPath(string(m.Path)) || p.End > p.Size || m.HashedBytes > math.MaxInt64 || p.Hash.Bytes > p.Size || len(m.Chain) != len(p.Hash.Chain) ||
		int64(len(m.Pending)) != p.Hash.Bytes%sha256BlockBytes || m.MtimeNanos > 999_999_999 || m.CtimeNanos > 999_999_999 ||
		len(blocks) > MaxProgressBlocks {
		return nil, corrupt("footer", "the progress of %q has a value out of range", m.Path)
	}
	copy(p.Hash.Chain[:], m.Chain)
	return p, nil
}

const sha256BlockBytes = 64

// HashState is a SHA-256 under way.
type HashState struct {
	Bytes   int64    // hashed so far
	Chain   [32]byte // chaining value behind the last whole 64 bytes of them
	Pending []byte   // what is behind those: Bytes % 64 of them
}

// The form that crypto/sha256 gives its state: a magic, the chaining value, 64 bytes that begin with what is pending, the length.
const (
	stateMagic = "sha\x03"
	stateBytes = len(stateMagic) + 32 + sha256BlockBytes + 8
)

// StateOf takes the state of a hash of crypto/sha256.
func StateOf(h interface{ MarshalBinary() ([]byte, error) }) (HashState, error) {
	b, err := h.MarshalBinary()
	if err != nil {
		return HashState{}, err
	}
	if len(b) != stateBytes || string(b[:len(stateMagic)]) != stateMagic {
		return HashState{}, corrupt("SHA-256", "its state is of another form")
	}
	b = b[len(stateMagic):]
	s := HashState{Bytes: int64(binary.BigEndian.Uint64(b[96:]))}
	copy(s.Chain[:], b)
	s.Pending = append(s.Pending, b[32:][:s.Bytes%sha256BlockBytes]...)
	return s, nil
}

// Restore puts a hash of crypto/sha256 into the state s.
func (s HashState) Restore(h interface{ UnmarshalBinary([]byte) error }) error {
	b := append([]byte(stateMagic), s.Chain[:]...)
	b = append(b, s.Pending...)
	b = append(b, make([]byte, sha256BlockBytes-len(s.Pending))...)
	return h.UnmarshalBinary(binary.BigEndian.AppendUint64(b, uint64(s.Bytes)))
}
