package format

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"math"

	"dura/archive/format/pb"
)

// A block is: frames, the end frame, the footer in a skippable frame, the seek table in another.

const (
	footerMagic    = 0x184D2A50
	seekTableMagic = 0x184D2A5E
	seekEndMagic   = 0x8F92EAB1
	skippableHead  = 8
	seekEntryBytes = 8
	seekEndBytes   = 9
)

// endFrame decompresses to the 1,024 zeros that end a tar: one zstd RLE block.
var endFrame = [...]byte{0x28, 0xB5, 0x2F, 0xFD, 0x60, 0x00, 0x03, 0x03, 0x20, 0x00, 0x00}

const endFrameRawBytes = 2 * tarUnit

// Member is what a footer says of one tar member.
type Member struct {
	Path   Path // of the entry, without PartSuffix
	Kind   Kind
	Frame  uint32 // place among the block's frames
	Offset uint32 // of the content, in the decompressed frame
	Bytes  uint32 // of the content
	SHA256 Hash   // of the content
	Chunk  bool   // one piece of a file
	Start  int64  // Chunk: its offset in the file
}

// Footer says what a block holds. The frames' Block is not set.
type Footer struct {
	Band     BandID
	Number   uint64
	Frames   []Frame
	Members  []Member
	Progress *Progress // of the file in chunks that goes on in a later block; nil: none does
}

// BlockBuilder puts a block together. The zero value is an empty block.
type BlockBuilder struct {
	parts       [][]byte
	frames      int
	footer      footerWriter
	table       []byte // seek table entries
	storedBytes int64
	sum         hash.Hash
}

// AddFrame appends one compressed frame, which the builder keeps, and the members in it, whose Frame it sets. It returns
// the frame's offset.
func (b *BlockBuilder) AddFrame(stored []byte, rawBytes uint32, sum FrameSum, members []Member) int64 {
	offset := b.storedBytes
	for i := range members {
		members[i].Frame = uint32(b.frames)
		b.footer.member(&members[i])
	}
	b.footer.frame(&Frame{StoredBytes: uint32(len(stored)), RawBytes: rawBytes, Sum: sum})
	b.frames++
	b.add(stored, rawBytes)
	return offset
}

func (b *BlockBuilder) add(part []byte, rawBytes uint32) {
	if b.sum == nil {
		b.sum = sha256.New()
	}
	b.sum.Write(part)
	b.parts = append(b.parts, part)
	b.storedBytes += int64(len(part))
	b.table = binary.LittleEndian.AppendUint32(b.table, uint32(len(part)))
	b.table = binary.LittleEndian.AppendUint32(b.table, rawBytes)
}

// SetProgress says how far the file in chunks has come that goes on in a later block.
func (b *BlockBuilder) SetProgress(p *Progress) { b.footer.progress = p }

// Finish ends the block with end frame, footer and seek table, and returns the object in parts and what refers to it.
func (b *BlockBuilder) Finish(band BandID, number uint64, enc *Encoder) ([][]byte, Block) {
	footer := b.footer.finish(band, number)
	b.add(endFrame[:], endFrameRawBytes)
	part := binary.LittleEndian.AppendUint32(nil, footerMagic)
	part = enc.Append(append(part, 0, 0, 0, 0), footer)
	binary.LittleEndian.PutUint32(part[4:], uint32(len(part)-skippableHead))
	b.add(part, 0)

	entries := uint32(len(b.table) / seekEntryBytes)
	table := binary.LittleEndian.AppendUint32(nil, seekTableMagic)
	table = binary.LittleEndian.AppendUint32(table, uint32(len(b.table)+seekEndBytes))
	table = append(table, b.table...)
	table = append(binary.LittleEndian.AppendUint32(table, entries), 0)
	table = binary.LittleEndian.AppendUint32(table, seekEndMagic)
	b.sum.Write(table)
	b.parts = append(b.parts, table)
	b.storedBytes += int64(len(table))
	return b.parts, Block{Band: band, Number: number, StoredBytes: b.storedBytes, SHA256: Hash(b.sum.Sum(nil))}
}

// Extent is a range of an object.
type Extent struct{ Offset, Bytes int64 }

// FindFooter says where a block of blockBytes has its footer frame, given its end: tail is its last bytes. Where tail is
// too short to tell, need is how many of the last bytes it takes.
func FindFooter(tail []byte, blockBytes int64) (footer Extent, need int64, err error) {
	if int64(len(tail)) > blockBytes || len(tail) < seekEndBytes {
		return Extent{}, seekEndBytes, corrupt("block", "%d bytes are too few for a seek table", len(tail))
	}
	end := tail[len(tail)-seekEndBytes:]
	if binary.LittleEndian.Uint32(end[5:]) != seekEndMagic || end[4] != 0 {
		return Extent{}, 0, corrupt("block", "it does not end in a seek table")
	}
	entries := int64(binary.LittleEndian.Uint32(end))
	tableBytes := skippableHead + entries*seekEntryBytes + seekEndBytes
	if entries < 2 || tableBytes > blockBytes {
		return Extent{}, 0, corrupt("block", "a seek table of %d entries", entries)
	}
	if tableBytes > int64(len(tail)) {
		return Extent{}, tableBytes, nil
	}
	table := tail[int64(len(tail))-tableBytes:]
	if binary.LittleEndian.Uint32(table) != seekTableMagic {
		return Extent{}, 0, corrupt("block", "it has no seek table where its end says")
	}
	last := table[tableBytes-seekEndBytes-seekEntryBytes:]
	size := int64(binary.LittleEndian.Uint32(last))
	footer = Extent{blockBytes - tableBytes - size, size}
	if footer.Offset < 0 || size <= skippableHead || size > MaxIndexBytes || binary.LittleEndian.Uint32(last[4:]) != 0 {
		return Extent{}, 0, corrupt("block", "a footer of %d bytes", size)
	}
	return footer, 0, nil
}

// DecodeFooter undoes what Finish does to a footer frame, and checks every value.
func DecodeFooter(frame []byte, dec *Decoder) (Footer, error) {
	if len(frame) < skippableHead || binary.LittleEndian.Uint32(frame) != footerMagic ||
		int(binary.LittleEndian.Uint32(frame[4:])) != len(frame)-skippableHead {
		return Footer{}, corrupt("footer", "not a footer frame")
	}
	raw, err := dec.Decode("footer", frame[skippableHead:], MaxIndexBytes)
	if err != nil {
		return Footer{}, err
	}
	var m pb.Footer
	if err := unmarshal("footer", raw, &m); err != nil {
		return Footer{}, err
	}
	if _, err := ParseBandID(m.Band); err != nil {
		return Footer{}, corrupt("footer", "it is of band %q", m.Band)
	}
	f := Footer{Band: BandID(m.Band), Number: m.Number, Frames: make([]Frame, len(m.Frames)), Members: make([]Member, len(m.Members))}
	var offset int64
	for i, fr := range m.Frames {
		if fr.RawBytes > MaxFrameBytes || fr.StoredBytes > MaxFrameStoredBytes || len(fr.Sum) != len(FrameSum{}) {
			return Footer{}, corrupt("footer", "frame %d", i)
		}
		f.Frames[i] = Frame{Offset: offset, StoredBytes: fr.StoredBytes, RawBytes: fr.RawBytes, Sum: FrameSum(fr.Sum)}
		offset += int64(fr.StoredBytes)
	}
	for i, me := range m.Members {
		if f.Members[i], err = memberFromPB(me, f.Frames); err != nil {
			return Footer{}, err
		}
	}
	if m.Progress != nil {
		f.Progress, err = progressFromPB(m.Progress)
	}
	return f, err
}

func memberFromPB(m *pb.Member, frames []Frame) (Member, error) {
	if !ValidPath(string(m.Path)) || m.Kind < pb.Kind(File) || m.Kind > pb.Kind(BlockDevice) || int64(m.Frame) >= int64(len(frames)) ||
		uint64(m.Offset)+uint64(m.Bytes) > uint64(frames[m.Frame].RawBytes) || m.Start > math.MaxInt64 {
		return Member{}, corrupt("footer", "the member of %q", m.Path)
	}
	out := Member{
		Path: Path(m.Path), Kind: Kind(m.Kind), Frame: m.Frame, Offset: m.Offset, Bytes: m.Bytes, Chunk: m.Chunk, Start: int64(m.Start),
	}
	if len(m.Sha256) > 0 {
		sum, err := hashFromPB("footer", m.Sha256)
		if err != nil {
			return Member{}, err
		}
		out.SHA256 = sum
	}
	return out, nil
}
