package format

import (
	"encoding/hex"
	"iter"
	"time"
)

// Hash is a SHA-256.
type Hash [32]byte

func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// IsZero reports whether h is not set.
func (h Hash) IsZero() bool { return h == Hash{} }

// FrameSum is the first 16 bytes of the SHA-256 of a frame's compressed bytes.
type FrameSum [16]byte

// Kind is the type of an entry.
type Kind uint8

// The values are those of Kind in dura.proto.
const (
	File        Kind = 1
	Directory   Kind = 2
	Symlink     Kind = 3
	FIFO        Kind = 4
	Socket      Kind = 5
	CharDevice  Kind = 6
	BlockDevice Kind = 7
)

// Time is a point in time as file systems keep it: Seconds since 1970, and Nanos (0 to 999,999,999) ahead of that.
type Time struct {
	Seconds int64
	Nanos   uint32
}

// Std is t as the standard library has it, in UTC.
func (t Time) Std() time.Time { return time.Unix(t.Seconds, int64(t.Nanos)).UTC() }

// TimeOf is t as an entry keeps it.
func TimeOf(t time.Time) Time { return Time{t.Unix(), uint32(t.Nanosecond())} }

// Owner is who owns an entry, by number and, where the source knew them, by name.
type Owner struct {
	UID, GID    uint32
	User, Group string
}

// XAttr is one extended attribute, ACLs and file capabilities included, as the system call gives it.
type XAttr struct {
	Name  string // with its namespace, as user.comment
	Value []byte
}

// DeviceNumber is what a device file stands for.
type DeviceNumber struct{ Major, Minor uint32 }

// Entry is one path of a band.
type Entry struct {
	Path  Path
	Kind  Kind
	Mode  uint32 // permission bits with setuid, setgid and sticky: 0 to 07777
	Owner Owner
	MTime Time
	CTime Time

	Size      int64  // File: content, holes included
	SHA256    Hash   // File: of the content, holes read as zeros; zero where DataSHA256 is set or the content was not stored
	DataSHA   Hash   // File with more than MaxHashedHoles of holes: of the content without them
	Spans     []Span // File: the content in order; or
	SpanLists []SpanListRef

	Target string // Symlink
	Device uint64 // st_dev of the source
	Inode  uint64
	Links  uint32 // st_nlink where it is more than one; 0 otherwise, and for directories
	LinkTo Path   // first name in the band of the same file; empty on that one itself
	Rdev   DeviceNumber
	XAttrs []XAttr // by name

	Unstable   bool // the source changed while it was read
	AsInParent bool // content and hash are those of this path in the parent
}

// MaxHashedHoles is how many bytes of holes a file may have for SHA256 to cover them.
const MaxHashedHoles = 1 << 30

// Block is where frames lie.
type Block struct {
	Band        BandID
	Number      uint64
	StoredBytes int64
	SHA256      Hash    // of the stored object
	Seal        SealKey // in an archive that is encrypted
}

// Name is the name of the block's object.
func (b *Block) Name() string { return BlockName(b.Band, b.Number) }

// Frame is a part of a block that decompresses on its own.
type Frame struct {
	Block       *Block
	Offset      int64
	StoredBytes uint32
	RawBytes    uint32
	Sum         FrameSum
}

// Span is a piece of a file's content: Bytes bytes at Offset of a decompressed frame.
type Span struct {
	Frame     *Frame
	Offset    uint32
	Bytes     uint32
	HoleBytes int64 // hole ahead of it
	SHA256    Hash  // of its bytes; zero in a file of one span
}

// SpannedBytes is how much of a file's content spans cover, holes included, and how much of that is data.
func SpannedBytes(spans []Span) (contentBytes, dataBytes int64) {
	for i := range spans {
		contentBytes += spans[i].HoleBytes
		dataBytes += int64(spans[i].Bytes)
	}
	return contentBytes + dataBytes, dataBytes
}

// BlocksOf yields the blocks that spans lie in: once where spans in a row lie in the same one.
func BlocksOf(spans []Span) iter.Seq[*Block] {
	return func(yield func(*Block) bool) {
		var last *Block
		for i := range spans {
			b := spans[i].Frame.Block
			if b != last && !yield(b) {
				return
			}
			last = b
		}
	}
}

// HunkRef points to a hunk.
type HunkRef struct {
	Band        BandID
	Number      uint64
	StoredBytes int64
	SHA256      Hash
	Entries     int64
	FirstPath   Path
}

// FenceRef points to a fence.
type FenceRef HunkRef

// SpanListRef points to a span list, which holds MaxSpansInline spans of a large file, or the rest of them.
type SpanListRef struct {
	Band         BandID
	Number       uint64
	StoredBytes  int64
	SHA256       Hash
	ContentBytes int64 // what its spans cover, holes included
	DataBytes    int64 // what they hold
}

// MaxSpansInline is how many spans an entry has at the most; beyond that they are in span lists of as many each.
const MaxSpansInline = 1024
