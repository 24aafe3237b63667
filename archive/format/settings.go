package format

import "dura/archive/format/pb"

// Compression names how hard frames are compressed.
type Compression string

const (
	NoCompression      Compression = "none"
	FastestCompression Compression = "fastest"
	DefaultCompression Compression = "default"
	BetterCompression  Compression = "better"
)

// Settings say how blocks and indexes are made. The zero value of each means its default.
type Settings struct {
	Compression    Compression
	BlockBytes     int64 // a block aims at no more than this, stored
	FrameBytes     int64 // a frame aims at no more than this, decompressed
	SplitBytes     int64 // a larger file is stored as chunks
	ChunkMinBytes  int64
	ChunkMeanBytes int64 // a power of two
	ChunkMaxBytes  int64
	Parity         string // none, or k+m
}

// DefaultSettings are those FORMAT.md gives, with the measurements that led to them.
func DefaultSettings() Settings {
	return Settings{
		Compression: DefaultCompression, BlockBytes: 8 << 20, FrameBytes: 1 << 20, SplitBytes: 4 << 20,
		ChunkMinBytes: 128 << 10, ChunkMeanBytes: 256 << 10, ChunkMaxBytes: 1 << 20, Parity: "none",
	}
}

// WithDefaults is s with what is not set taken from defaults.
func (s Settings) WithDefaults(defaults Settings) Settings {
	pick := func(v *int64, d int64) {
		if *v == 0 {
			*v = d
		}
	}
	if s.Compression == "" {
		s.Compression = defaults.Compression
	}
	if s.Parity == "" {
		s.Parity = defaults.Parity
	}
	pick(&s.BlockBytes, defaults.BlockBytes)
	pick(&s.FrameBytes, defaults.FrameBytes)
	pick(&s.SplitBytes, defaults.SplitBytes)
	pick(&s.ChunkMinBytes, defaults.ChunkMinBytes)
	pick(&s.ChunkMeanBytes, defaults.ChunkMeanBytes)
	pick(&s.ChunkMaxBytes, defaults.ChunkMaxBytes)
	return s
}

// AreWhole reports whether no setting is missing: every writer writes all of them.
func (s Settings) AreWhole() bool {
	return s.Compression != "" && s.BlockBytes != 0 && s.FrameBytes != 0 && s.SplitBytes != 0 && s.ChunkMinBytes != 0 &&
		s.ChunkMeanBytes != 0 && s.ChunkMaxBytes != 0 && s.Parity != ""
}

// Check says what a writer could not work with. Readers need no settings.
func (s Settings) Check() error {
	const smallest, largestBlock = 1 << 10, 1 << 30
	largest := int64(MaxFrameBytes - 1<<20) // leaves room for the headers of a member
	switch {
	case s.Compression != NoCompression && s.Compression != FastestCompression &&
		s.Compression != DefaultCompression && s.Compression != BetterCompression:
		return corrupt("settings", "unknown compression %q", s.Compression)
	case s.BlockBytes < smallest || s.BlockBytes > largestBlock:
		return corrupt("settings", "block_bytes %d out of range", s.BlockBytes)
	case s.FrameBytes < smallest || s.FrameBytes > largest:
		return corrupt("settings", "frame_bytes %d out of range", s.FrameBytes)
	case s.SplitBytes < 0 || s.SplitBytes > largest:
		return corrupt("settings", "split_bytes %d out of range", s.SplitBytes)
	case s.ChunkMinBytes < 64 || s.ChunkMeanBytes < s.ChunkMinBytes || s.ChunkMaxBytes < s.ChunkMeanBytes ||
		s.ChunkMaxBytes > largest || s.ChunkMeanBytes&(s.ChunkMeanBytes-1) != 0:
		return corrupt("settings", "chunk sizes %d, %d, %d", s.ChunkMinBytes, s.ChunkMeanBytes, s.ChunkMaxBytes)
	}
	return nil
}

func settingsToPB(s Settings) *pb.Settings {
	return &pb.Settings{
		Compression: string(s.Compression), BlockBytes: uint64(s.BlockBytes), FrameBytes: uint64(s.FrameBytes),
		SplitBytes: uint64(s.SplitBytes), ChunkMinBytes: uint64(s.ChunkMinBytes),
		ChunkMeanBytes: uint64(s.ChunkMeanBytes), ChunkMaxBytes: uint64(s.ChunkMaxBytes), Parity: s.Parity,
	}
}

// settingsFromPB leaves the judgement of the numbers to Check: a reader must not fail for settings it does not use.
func settingsFromPB(m *pb.Settings) Settings {
	return Settings{
		Compression: Compression(m.GetCompression()), BlockBytes: int64(m.GetBlockBytes()),
		FrameBytes: int64(m.GetFrameBytes()), SplitBytes: int64(m.GetSplitBytes()),
		ChunkMinBytes: int64(m.GetChunkMinBytes()), ChunkMeanBytes: int64(m.GetChunkMeanBytes()),
		ChunkMaxBytes: int64(m.GetChunkMaxBytes()), Parity: m.GetParity(),
	}
}
