package format

import (
	"google.golang.org/protobuf/proto"

	"dura/archive/format/pb"
)

// EncodeFence is a fence before compression.
func EncodeFence(hunks []HunkRef) ([]byte, error) {
	m := &pb.Fence{Hunks: make([]*pb.HunkRef, len(hunks))}
	for i := range hunks {
		m.Hunks[i] = refToPB(&hunks[i])
	}
	return marshal(m)
}

func refToPB(r *HunkRef) *pb.HunkRef {
	return &pb.HunkRef{
		Band: string(r.Band), Number: r.Number, StoredBytes: uint64(r.StoredBytes), Sha256: r.SHA256[:],
		Entries: uint64(r.Entries), FirstPath: []byte(r.FirstPath),
	}
}

// DecodeFence undoes EncodeFence and checks every value.
func DecodeFence(raw []byte) ([]HunkRef, error) {
	var m pb.Fence
	if err := unmarshal("fence", raw, &m); err != nil {
		return nil, err
	}
	return refsFromPB("fence", m.Hunks)
}

// refsFromPB is references in path order.
func refsFromPB(what string, refs []*pb.HunkRef) ([]HunkRef, error) {
	if len(refs) == 0 {
		return nil, nil
	}
	hunks := make([]HunkRef, len(refs))
	var entries int64
	for i, h := range refs {
		sum, err := hashFromPB(what, h.Sha256)
		if err != nil {
			return nil, err
		}
		hunks[i], err = checkRef(what, HunkRef{
			Band: BandID(h.Band), Number: h.Number, StoredBytes: clampInt64(h.StoredBytes), SHA256: sum,
			Entries: clampInt64(h.Entries), FirstPath: Path(h.FirstPath),
		}, "")
		if err != nil {
			return nil, err
		}
		if i > 0 && Compare(hunks[i-1].FirstPath, hunks[i].FirstPath) >= 0 {
			return nil, corrupt(what, "hunks out of order")
		}
		if entries += hunks[i].Entries; entries < 0 {
			return nil, corrupt(what, "too many entries")
		}
	}
	return hunks, nil
}

// checkRef checks a reference to an index object; an empty band stands for band.
func checkRef(what string, r HunkRef, band BandID) (HunkRef, error) {
	if r.Band == "" {
		r.Band = band
	}
	if _, err := ParseBandID(string(r.Band)); err != nil {
		return r, corrupt(what, "a reference to band %q", r.Band)
	}
	if !ValidPath(string(r.FirstPath)) {
		return r, corrupt(what, "path %q", r.FirstPath)
	}
	if r.StoredBytes <= 0 || r.StoredBytes > MaxIndexBytes || r.Entries <= 0 {
		return r, corrupt(what, "a reference to %d entries in %d bytes", r.Entries, r.StoredBytes)
	}
	return r, nil
}

// EncodeSpanList is a span list before compression.
func EncodeSpanList(spans []Span) ([]byte, error) {
	var t tables
	m := &pb.SpanList{Spans: t.spans(spans)}
	m.Blocks, m.Frames = t.blocks, t.frames
	return marshal(m)
}

// DecodeSpanList undoes EncodeSpanList and checks every value.
func DecodeSpanList(raw []byte) ([]Span, error) {
	var m pb.SpanList
	if err := unmarshal("span list", raw, &m); err != nil {
		return nil, err
	}
	frames, err := framesFromPB("span list", m.Blocks, m.Frames)
	if err != nil {
		return nil, err
	}
	return spansFromPB("span list", frames, m.Spans)
}

// tables collects the blocks and frames that the spans of one index object refer to, in order of first use.
type tables struct {
	blocks     []*pb.Block
	frames     []*pb.Frame
	blockPlace map[blockKey]uint32
	framePlace map[frameKey]uint32
	lastFrame  *Frame
	lastPlace  uint32
}

type blockKey struct {
	band   BandID
	number uint64
}

type frameKey struct {
	block  uint32
	offset int64
}

func (t *tables) spans(spans []Span) []*pb.Span {
	if len(spans) == 0 {
		return nil
	}
	out := make([]*pb.Span, len(spans))
	for i := range spans {
		s := &spans[i]
		out[i] = &pb.Span{
			Frame: t.frame(s.Frame), Offset: s.Offset, Bytes: s.Bytes, HoleBytes: uint64(s.HoleBytes), Sha256: hashToPB(s.SHA256),
		}
	}
	return out
}

func (t *tables) frame(f *Frame) uint32 {
	if f == t.lastFrame {
		return t.lastPlace
	}
	if t.framePlace == nil {
		t.framePlace, t.blockPlace = map[frameKey]uint32{}, map[blockKey]uint32{}
	}
	key := frameKey{t.block(f.Block), f.Offset}
	place, ok := t.framePlace[key]
	if !ok {
		place = uint32(len(t.frames))
		t.framePlace[key] = place
		t.frames = append(t.frames, &pb.Frame{
			Block: key.block, Offset: uint64(f.Offset), StoredBytes: f.StoredBytes, RawBytes: f.RawBytes, Sum: f.Sum[:],
		})
	}
	t.lastFrame, t.lastPlace = f, place
	return place
}

func (t *tables) block(b *Block) uint32 {
	key := blockKey{b.Band, b.Number}
	place, ok := t.blockPlace[key]
	if !ok {
		place = uint32(len(t.blocks))
		t.blockPlace[key] = place
		t.blocks = append(t.blocks, blockToPB(b))
	}
	return place
}

func blockToPB(b *Block) *pb.Block {
	m := &pb.Block{Band: string(b.Band), Number: b.Number, StoredBytes: uint64(b.StoredBytes), Sha256: b.SHA256[:]}
	if !b.Seal.IsZero() {
		m.SessionKey, m.HeaderBytes = b.Seal.Session[:], b.Seal.HeaderBytes
	}
	return m
}

func blocksFromPB(what string, blocks []*pb.Block) ([]Block, error) {
	bs := make([]Block, len(blocks))
	for i, b := range blocks {
		sum, err := hashFromPB(what, b.Sha256)
		if err != nil {
			return nil, err
		}
		if _, err := ParseBandID(b.Band); err != nil {
			return nil, corrupt(what, "a block of band %q", b.Band)
		}
		bs[i] = Block{Band: BandID(b.Band), Number: b.Number, StoredBytes: clampInt64(b.StoredBytes), SHA256: sum}
		if len(b.SessionKey) == 0 {
			continue
		}
		if len(b.SessionKey) != len(SessionKey{}) {
			return nil, corrupt(what, "a session key of %d bytes", len(b.SessionKey))
		}
		bs[i].Seal = SealKey{SessionKey(b.SessionKey), b.HeaderBytes}
	}
	return bs, nil
}

func framesFromPB(what string, blocks []*pb.Block, frames []*pb.Frame) ([]Frame, error) {
	bs, err := blocksFromPB(what, blocks)
	if err != nil {
		return nil, err
	}
	fs := make([]Frame, len(frames))
	for i, f := range frames {
		if int(f.Block) >= len(bs) || len(f.Sum) != len(FrameSum{}) {
			return nil, corrupt(what, "frame %d", i)
		}
		block := &bs[f.Block]
		end := f.Offset + uint64(f.StoredBytes)
		if f.RawBytes > MaxFrameBytes || f.StoredBytes > MaxFrameStoredBytes || end < f.Offset || end > uint64(block.StoredBytes) {
			return nil, corrupt(what, "frame %d: %d bytes at %d, decompressed %d", i, f.StoredBytes, f.Offset, f.RawBytes)
		}
		fs[i] = Frame{block, int64(f.Offset), f.StoredBytes, f.RawBytes, FrameSum(f.Sum)}
	}
	return fs, nil
}

func spansFromPB(what string, frames []Frame, spans []*pb.Span) ([]Span, error) {
	if len(spans) == 0 {
		return nil, nil
	}
	out := make([]Span, len(spans))
	for i, s := range spans {
		if int64(s.Frame) >= int64(len(frames)) {
			return nil, corrupt(what, "a span in frame %d of %d", s.Frame, len(frames))
		}
		f := &frames[s.Frame]
		if uint64(s.Offset)+uint64(s.Bytes) > uint64(f.RawBytes) {
			return nil, corrupt(what, "a span of %d bytes at %d in a frame of %d", s.Bytes, s.Offset, f.RawBytes)
		}
		out[i] = Span{Frame: f, Offset: s.Offset, Bytes: s.Bytes, HoleBytes: clampInt64(s.HoleBytes)}
		if len(s.Sha256) > 0 {
			sum, err := hashFromPB(what, s.Sha256)
			if err != nil {
				return nil, err
			}
			out[i].SHA256 = sum
		}
	}
	return out, nil
}

func hashToPB(h Hash) []byte {
	if h.IsZero() {
		return nil
	}
	return append([]byte(nil), h[:]...)
}

func hashFromPB(what string, b []byte) (Hash, error) {
	if len(b) != len(Hash{}) {
		return Hash{}, corrupt(what, "a SHA-256 of %d bytes", len(b))
	}
	return Hash(b), nil
}

// marshal gives the same bytes for the same message.
func marshal(m proto.Message) ([]byte, error) {
	return proto.MarshalOptions{Deterministic: true}.Marshal(m)
}
