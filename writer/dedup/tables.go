package dedup

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"dura/archive/format"
)

const (
	footerBytes  = 84
	version      = 1
	magic        = "dura-dedup\x00\x00"
	bandIDBytes  = 24
	maxBands     = 1 << 20
	maxReplaced  = 4096
	maxRecords   = 1 << 36
	bandMinBytes = bandIDBytes + 16
)

// archiveSum tells the segments of one archive from those of others.
type archiveSum [16]byte

func sumOf(archiveID string) archiveSum {
	sum := sha256.Sum256([]byte(archiveID))
	return archiveSum(sum[:16])
}

// segmentID names a segment.
type segmentID [16]byte

func (id segmentID) String() string { return hex.EncodeToString(id[:]) }

// footer is the end of a segment.
type footer struct {
	archive    archiveSum
	id         segmentID
	sequence   uint64
	records    int64
	tableBytes int64
	tableSum   uint32
}

func (f footer) append(b []byte) []byte {
	at := len(b)
	b = append(b, f.archive[:]...)
	b = append(b, f.id[:]...)
	b = binary.BigEndian.AppendUint64(b, f.sequence)
	b = binary.BigEndian.AppendUint64(b, uint64(f.records))
	b = binary.BigEndian.AppendUint64(b, uint64(f.tableBytes))
	b = binary.BigEndian.AppendUint32(b, f.tableSum)
	b = binary.BigEndian.AppendUint32(b, 0)
	b = binary.BigEndian.AppendUint32(b, checksum(b[at:]))
	b = binary.BigEndian.AppendUint32(b, version)
	return append(b, magic...)
}

var (
	errNoSegment = errors.New("it is no segment, or the end of one is missing")
	errVersion   = errors.New("it has a version that is not known here")
	errFooter    = errors.New("its footer is damaged")
	errTables    = errors.New("its tables are damaged")
	errSize      = errors.New("it has the wrong size")
)

// decodeFooter decodes the last footerBytes of a segment of sizeBytes.
func decodeFooter(b []byte, sizeBytes int64) (f footer, err error) {
	if len(b) != footerBytes || string(b[footerBytes-len(magic):]) != magic {
		return f, errNoSegment
	}
	if v := binary.BigEndian.Uint32(b[68:]); v != version {
		return f, fmt.Errorf("%w: %d", errVersion, v)
	}
	if binary.BigEndian.Uint32(b[64:]) != checksum(b[:64]) || binary.BigEndian.Uint32(b[60:]) != 0 {
		return f, errFooter
	}
	records, tableBytes := binary.BigEndian.Uint64(b[40:]), binary.BigEndian.Uint64(b[48:])
	if records > maxRecords || tableBytes > uint64(sizeBytes) ||
		pagesOf(int64(records))*pageBytes+int64(tableBytes)+footerBytes != sizeBytes {
		return f, errSize
	}
	return footer{
		archive: archiveSum(b[0:16]), id: segmentID(b[16:32]), sequence: binary.BigEndian.Uint64(b[32:]),
		records: int64(records), tableBytes: int64(tableBytes), tableSum: binary.BigEndian.Uint32(b[56:]),
	}, nil
}

// bandTable is what a segment has of one band.
type bandTable struct {
	id      format.BandID
	records int64
	Coverage
}

// tables stand between pages and footer.
type tables struct {
	directory []uint64    // for each page: the high half of its first key
	bands     []bandTable // in ascending order
	replaced  []segmentID
}

func (t *tables) append(b []byte) []byte {
	for _, high := range t.directory {
		b = binary.BigEndian.AppendUint64(b, high)
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(t.bands)))
	for i := range t.bands {
		band := &t.bands[i]
		b = append(b, band.id...)
		b = binary.BigEndian.AppendUint64(b, uint64(band.records))
		b = binary.BigEndian.AppendUint32(b, uint32(len(band.Hunks)))
		b = binary.BigEndian.AppendUint32(b, uint32(len(band.Lists)))
		for _, r := range slices.Concat(band.Hunks, band.Lists) {
			b = binary.BigEndian.AppendUint64(b, r.First)
			b = binary.BigEndian.AppendUint64(b, r.Last)
		}
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(t.replaced)))
	for _, id := range t.replaced {
		b = append(b, id[:]...)
	}
	return b
}

// decodeTables undoes append and checks every value, for a segment of this many records.
func decodeTables(b []byte, records int64) (tables, error) {
	r := &tableReader{rest: b}
	var t tables
	if n := pagesOf(records); r.has(n, 8) {
		t.directory = make([]uint64, n)
		for i := range t.directory {
			t.directory[i] = r.uint64()
		}
	}
	if !slices.IsSorted(t.directory) {
		r.bad = true
	}
	if n := int64(r.uint32()); n <= maxBands && r.has(n, bandMinBytes) {
		t.bands = make([]bandTable, 0, n)
		for range n {
			t.bands = append(t.bands, r.band())
		}
	} else {
		r.bad = true
	}
	t.replaced = r.ids()
	var sum int64
	for i := range t.bands {
		if i > 0 && t.bands[i-1].id >= t.bands[i].id || t.bands[i].records > records {
			r.bad = true
		}
		sum += t.bands[i].records
	}
	if r.bad || len(r.rest) > 0 || sum != records {
		return tables{}, errTables
	}
	return t, nil
}

// tableReader takes values off rest. Once something is bad it returns zeros.
type tableReader struct {
	rest []byte
	bad  bool
}

// has reports whether n more items of this size may follow.
func (r *tableReader) has(n, itemBytes int64) bool {
	r.bad = r.bad || n > int64(len(r.rest))/itemBytes
	return !r.bad
}

func (r *tableReader) bytes(n int) []byte {
	if !r.has(int64(n), 1) {
		return make([]byte, n)
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *tableReader) uint32() uint32 { return binary.BigEndian.Uint32(r.bytes(4)) }
func (r *tableReader) uint64() uint64 { return binary.BigEndian.Uint64(r.bytes(8)) }

func (r *tableReader) band() (t bandTable) {
	id, err := format.ParseBandID(string(r.bytes(bandIDBytes)))
	records, hunks, lists := r.uint64(), r.uint32(), r.uint32()
	t = bandTable{id, int64(records), Coverage{r.ranges(hunks), r.ranges(lists)}}
	r.bad = r.bad || err != nil || records > maxRecords
	return t
}

func (r *tableReader) ranges(n uint32) Ranges {
	if n == 0 || !r.has(int64(n), 16) {
		return nil
	}
	s := make(Ranges, n)
	for i := range s {
		s[i] = Range{r.uint64(), r.uint64()}
	}
	r.bad = r.bad || !s.valid()
	return s
}

func (r *tableReader) ids() []segmentID {
	n := int64(r.uint32())
	if n == 0 || n > maxReplaced || !r.has(n, int64(len(segmentID{}))) {
		r.bad = r.bad || n > maxReplaced
		return nil
	}
	ids := make([]segmentID, n)
	for i := range ids {
		copy(ids[i][:], r.bytes(len(ids[i])))
	}
	return ids
}
