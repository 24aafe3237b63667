package format

import (
	"encoding/binary"

	"github.com/klauspost/compress/zstd"
)

const (
	// MaxFrameBytes bounds what a frame of a block decompresses to, and, within MaxFrameStoredBytes, what it takes up.
	MaxFrameBytes       = 16 << 20
	MaxFrameStoredBytes = MaxFrameBytes + MaxFrameBytes/128
	// MaxIndexBytes bounds what a hunk, a fence, a span list, a footer or alarms decompress to.
	MaxIndexBytes = 64 << 20
)

// Encoder makes zstd frames. It is safe for one goroutine at a time.
type Encoder struct {
	zstd *zstd.Encoder // nil: no compression
}

// NewEncoder makes an encoder for frames of blocks. FORMAT.md has what each level costs and gives.
func NewEncoder(level Compression) (*Encoder, error) {
	switch level {
	case NoCompression:
		return &Encoder{}, nil
	case FastestCompression:
		return newEncoder(zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithNoEntropyCompression(true))
	case DefaultCompression:
		return newEncoder(zstd.WithEncoderLevel(zstd.SpeedFastest))
	case BetterCompression:
		return newEncoder(zstd.WithEncoderLevel(zstd.SpeedBetterCompression))
	}
	return nil, corrupt("settings", "unknown compression %q", level)
}

// NewIndexEncoder makes an encoder for index objects and footers, which are small and many times read.
func NewIndexEncoder() (*Encoder, error) {
	return newEncoder(zstd.WithEncoderLevel(zstd.SpeedDefault))
}

// windowBytes bounds how far back a frame refers, and so the encoder's memory. Twice as much gains less than 0.1 %.
const windowBytes = 1 << 20

func newEncoder(o ...zstd.EOption) (*Encoder, error) {
	z, err := zstd.NewWriter(nil, append(o, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true),
		zstd.WithWindowSize(windowBytes), zstd.WithZeroFrames(true), zstd.WithSingleSegment(true))...)
	return &Encoder{zstd: z}, err
}

// Append compresses raw into one frame, with its content size and checksum, and appends that to dst. The same raw bytes
// always give the same frame.
func (e *Encoder) Append(dst, raw []byte) []byte {
	if e.zstd == nil {
		return appendRawFrame(dst, raw)
	}
	return e.zstd.EncodeAll(raw, dst)
}

// appendRawFrame is a frame that holds raw as it is, in raw zstd blocks.
func appendRawFrame(dst, raw []byte) []byte {
	const (
		magic         = 0xFD2FB528
		size4Single   = 2<<6 | 1<<5 // content size in four bytes, single segment
		maxBlockBytes = 128 << 10
	)
	dst = binary.LittleEndian.AppendUint32(dst, magic)
	dst = append(dst, size4Single)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(raw)))
	for {
		n := min(len(raw), maxBlockBytes)
		header := uint32(n) << 3
		if n == len(raw) {
			header |= 1 // last
		}
		dst = append(dst, byte(header), byte(header>>8), byte(header>>16))
		dst = append(dst, raw[:n]...)
		if raw = raw[n:]; len(raw) == 0 {
			return dst
		}
	}
}

// Decoder undoes Encoder. It is safe for concurrent use.
type Decoder struct {
	zstd   *zstd.Decoder
	summed *zstd.Decoder // for what was checked against a hash: zstd's own checksum, which takes a seventh of the time, adds nothing
}

// NewDecoder makes a decoder that runs up to concurrency decompressions at a time, of frames of blocks and of everything else.
func NewDecoder(concurrency int) (*Decoder, error) {
	options := []zstd.DOption{
		zstd.WithDecoderConcurrency(concurrency), zstd.WithDecoderMaxMemory(MaxIndexBytes), zstd.WithDecodeAllCapLimit(true),
	}
	z, err := zstd.NewReader(nil, options...)
	if err != nil {
		return nil, err
	}
	summed, err := zstd.NewReader(nil, append(options, zstd.IgnoreChecksum(true))...)
	return &Decoder{z, summed}, err
}

// Decode decompresses one frame. It allocates, once, what the frame's header says, and refuses a frame whose header says
// nothing or more than maxBytes, and one that holds another amount.
func (d *Decoder) Decode(what string, stored []byte, maxBytes int64) ([]byte, error) {
	return decode(d.zstd, what, stored, maxBytes, nil)
}

// FrameRoom is how much more than a frame the buffer for DecodeFrame may have: the decoder is quicker where it need not mind the end.
const FrameRoom = 64

// CheckFrame checks stored, the bytes of f, against f's sum.
func CheckFrame(f *Frame, stored []byte) error {
	if int64(len(stored)) != int64(f.StoredBytes) {
		return corrupt("frame", "%d bytes where %d are expected", len(stored), f.StoredBytes)
	}
	if SumFrame(stored) != f.Sum {
		return &MismatchError{What: "frame"}
	}
	return nil
}

// DecodeFrame decompresses stored, the bytes of f, into a buffer of no length that into gives, with room for f and at best for
// FrameRoom bytes more; nil: it allocates. What CheckFrame refuses may decompress to anything.
func (d *Decoder) DecodeFrame(f *Frame, stored []byte, into func(bytes int) []byte) ([]byte, error) {
	raw, err := decode(d.summed, "frame", stored, int64(f.RawBytes), into)
	if err == nil && len(raw) != int(f.RawBytes) {
		err = corrupt("frame", "it decompresses to %d bytes, not %d", len(raw), f.RawBytes)
	}
	return raw, err
}

// decode decompresses one frame into what into gives for as many bytes as its header says.
func decode(z *zstd.Decoder, what string, stored []byte, maxBytes int64, into func(bytes int) []byte) ([]byte, error) {
	var header zstd.Header
	if err := header.Decode(stored); err != nil {
		return nil, &CorruptError{What: what, Reason: "not a zstd frame", Err: err}
	}
	if header.Skippable || !header.HasFCS {
		return nil, corrupt(what, "a frame that does not say its size")
	}
	if header.FrameContentSize > uint64(maxBytes) {
		return nil, corrupt(what, "it decompresses to %d bytes, more than the %d expected", header.FrameContentSize, maxBytes)
	}
	if into == nil {
		into = func(bytes int) []byte { return make([]byte, 0, bytes) }
	}
	raw, err := z.DecodeAll(stored, into(int(header.FrameContentSize)))
	if err != nil {
		return nil, &CorruptError{What: what, Reason: "it does not decompress", Err: err}
	}
	if uint64(len(raw)) != header.FrameContentSize {
		return nil, corrupt(what, "it decompresses to %d bytes and says %d", len(raw), header.FrameContentSize)
	}
	return raw, nil
}
