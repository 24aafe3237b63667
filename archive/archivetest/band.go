// Package archivetest makes small archives for tests, out of entries and contents, with the encoders of archive/format. It knows
// neither a writer nor how one decides.
package archivetest

import (
	"context"
	"testing"
	"time"

	"dura/archive"
	"dura/archive/format"
	"dura/archive/seal"
	"dura/archive/storage"
	"dura/archive/storage/memory"
)

// Time is when everything here happens.
var Time = time.Date(2026, 11, 23, 10, 15, 0, 0, time.UTC)

// ArchiveID is the id of the archives made here.
const ArchiveID = "0123456789abcdef0123456789abcdef"

// BandID is the id of the n-th band, a day later each.
func BandID(n int) format.BandID {
	return format.NewBandID(Time.AddDate(0, 0, n), [3]byte{0x4f, 0x2a, byte(n)})
}

// NewArchive makes an archive without bands in memory.
func NewArchive(t testing.TB) *memory.Storage {
	t.Helper()
	st := memory.New()
	if err := archive.Create(context.Background(), st, archive.CreateOptions{ID: ArchiveID, Now: Time}); err != nil {
		t.Fatal(err)
	}
	return st
}

// NewSealedArchive makes an encrypted archive without bands in memory.
func NewSealedArchive(t testing.TB, key *seal.SecretKey, secrets ...[]byte) *memory.Storage {
	t.Helper()
	st := memory.New()
	o := archive.CreateOptions{ID: ArchiveID, Now: Time, Key: &key.PublicKey, Secrets: secrets}
	if err := archive.Create(context.Background(), st, o); err != nil {
		t.Fatal(err)
	}
	return st
}

// Unlock is for archive.Options: it gives these keys.
func Unlock(keys *seal.Keys) func(context.Context, storage.Storage, format.ArchiveHead) (*seal.Keys, error) {
	return func(context.Context, storage.Storage, format.ArchiveHead) (*seal.Keys, error) { return keys, nil }
}

// Band writes one band, object by object. The zero values of sizes mean what a writer would take.
type Band struct {
	Storage     storage.Storage
	ID          format.BandID
	Parent      format.BandID
	HunkEntries int    // entries a hunk; 0: 1000
	FenceHunks  int    // hunks a fence; 0: 1000
	FrameBytes  int    // of contents; 0: 1 MiB
	BlockFrames int    // frames a block; 0: 16
	SpanBytes   int    // a file with more is split into spans of so many; 0: 1 MiB
	SpansInline int    // a file with more has span lists of so many; 0: format.MaxSpansInline
	Parity      string // what the head says of it; "": none
	Metadata    bool   // what has no content is a member, too
	// BareLists leaves out how much data span lists hold, as archives may.
	BareLists bool
	Keys      *seal.Keys // of an encrypted archive

	t       testing.TB
	encoder *format.Encoder
	sums    map[string]format.Hash
	head    format.Hash
	counts  [format.FenceObject + 1]uint64 // objects of each kind
	open    openFrame
	frames  []openFrame // of the open block
}

// NewBand begins a band, of which it writes the head.
func NewBand(t testing.TB, b Band) *Band {
	t.Helper()
	enc, err := format.NewEncoder(format.DefaultCompression)
	if err != nil {
		t.Fatal(err)
	}
	b.t, b.encoder, b.sums = t, enc, map[string]format.Hash{}
	for _, d := range []struct {
		size *int
		def  int
	}{
		{&b.HunkEntries, 1000}, {&b.FenceHunks, 1000}, {&b.FrameBytes, 1 << 20}, {&b.BlockFrames, 16}, {&b.SpanBytes, 1 << 20},
		{&b.SpansInline, format.MaxSpansInline},
	} {
		if *d.size == 0 {
			*d.size = d.def
		}
	}
	settings := format.DefaultSettings()
	if b.Parity != "" {
		settings.Parity = b.Parity
	}
	text := format.EncodeHead(format.Head{
		Archive: ArchiveID, Band: b.ID, Started: b.ID.Time(), Host: "host", Program: "archivetest", Sources: []string{"/src"}, Parent: b.Parent,
		Settings: settings,
	})
	_, b.head, _ = b.put(format.HeadName(b.ID), text)
	return &b
}

// Put stores an object of the band.
func (b *Band) Put(name string, parts ...[]byte) {
	b.t.Helper()
	b.put(name, parts...)
}

func (b *Band) put(name string, parts ...[]byte) (storedBytes int64, sum format.Hash, key format.SealKey) {
	b.t.Helper()
	if b.Keys != nil && format.IsSealed(name) {
		stored, k, err := b.Keys.Seal(name, parts...)
		if err != nil {
			b.t.Fatal(err)
		}
		name, parts, key = format.StoredName(name, true), [][]byte{stored}, k
	}
	if err := b.Storage.Create(context.Background(), name, parts...); err != nil {
		b.t.Fatal(err)
	}
	for _, p := range parts {
		storedBytes += int64(len(p))
	}
	b.sums[name] = format.SumBytes(parts...)
	return storedBytes, b.sums[name], key
}

func (b *Band) next(kind format.ObjectKind) uint64 {
	b.counts[kind]++
	return b.counts[kind] - 1
}

// putIndex compresses and stores an index object.
func (b *Band) putIndex(name string, raw []byte, err error) (storedBytes int64, sum format.Hash) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	storedBytes, sum, _ = b.put(name, b.encoder.Append(nil, raw))
	return storedBytes, sum
}

// Hunk stores a hunk.
func (b *Band) Hunk(entries []format.Entry) format.HunkRef {
	b.t.Helper()
	r := format.HunkRef{Band: b.ID, Number: b.next(format.HunkObject), Entries: int64(len(entries))}
	if len(entries) > 0 {
		r.FirstPath = entries[0].Path
	}
	raw, err := format.EncodeHunk(format.Hunk{Entries: entries})
	r.StoredBytes, r.SHA256 = b.putIndex(format.HunkName(b.ID, r.Number), raw, err)
	return r
}

// Fence stores a fence.
func (b *Band) Fence(hunks []format.HunkRef) format.FenceRef {
	b.t.Helper()
	r := format.FenceRef{Band: b.ID, Number: b.next(format.FenceObject)}
	for i := range hunks {
		r.Entries += hunks[i].Entries
	}
	if len(hunks) > 0 {
		r.FirstPath = hunks[0].FirstPath
	}
	raw, err := format.EncodeFence(hunks)
	r.StoredBytes, r.SHA256 = b.putIndex(format.FenceName(b.ID, r.Number), raw, err)
	return r
}

// Spans stores a span list.
func (b *Band) Spans(spans []format.Span) format.SpanListRef {
	b.t.Helper()
	r := format.SpanListRef{Band: b.ID, Number: b.next(format.SpansObject)}
	r.ContentBytes, r.DataBytes = format.SpannedBytes(spans)
	if b.BareLists {
		r.DataBytes = 0
	}
	raw, err := format.EncodeSpanList(spans)
	r.StoredBytes, r.SHA256 = b.putIndex(format.SpansName(b.ID, r.Number), raw, err)
	return r
}

// Tail stores alarms, tail and sums: the band is complete.
func (b *Band) Tail(fences []format.FenceRef) format.Tail {
	b.t.Helper()
	raw, err := format.EncodeAlarms([]format.StoredAlarm{{Area: "source", Condition: "denied", Filename: "/src/secret"}}, 0)
	tail := format.Tail{
		Band: b.ID, Ended: b.ID.Time().Add(time.Minute), HeadSHA256: b.head, Fences: fences,
		AlarmCounts: []format.AlarmCount{{Area: "source", Condition: "denied", Count: 1}},
	}
	tail.AlarmsStoredBytes, tail.AlarmsSHA256 = b.putIndex(format.AlarmsName(b.ID), raw, err)
	for i := range fences {
		tail.Totals.Entries += fences[i].Entries
	}
	tail.Totals.Blocks = int64(b.counts[format.BlockObject])
	b.Put(format.TailName(b.ID), format.EncodeTail(tail))
	b.Put(format.SumsName(b.ID), b.sumsText())
	return tail
}
