// Package pack decides which member goes into which frame, which frame into which block, and which entry into which hunk.
// Its decisions are pure: they depend on nothing but the sizes and names they are told, in the order they are told. It
// stands on archive/format for paths alone.
package pack

import (
	"hash/fnv"

	"dura/archive/format"
)

// Stream is one of the two rows of blocks that a band fills side by side.
type Stream int

const (
	Small Stream = iota // whole files and all that has no content
	Large               // chunks, in blocks of their own
	Streams
)

// Window bounds, in positions, how long a frame or a block stays open, and so how much of the index waits for it.
const Window = 16 << 10

// Position is how far a backup has come, in units of what the index keeps in memory: an entry or a span counts as one, and
// so does each further KiB of an entry.
type Position int64

// Frames decides where frames end. The zero value has no frame open.
type Frames struct {
	AimBytes [Streams]int64 // a frame of more than one member does not exceed this
	open     [Streams]openFrame
}

type openFrame struct {
	rawBytes int64
	first    Position
}

// EndsBefore reports whether the open frame of s must end before a member of rawBytes, and counts the member in
// either way. at is where the backup was when the member came.
func (f *Frames) EndsBefore(s Stream, rawBytes int64, at Position) bool {
	o := &f.open[s]
	ends := o.rawBytes > 0 && o.rawBytes+rawBytes > f.AimBytes[s]
	if ends || o.rawBytes == 0 {
		*o = openFrame{first: at}
	}
	o.rawBytes += rawBytes
	return ends
}

// EndsStale reports whether the open frame of s must end for its age, now that the backup is at at; it is then closed.
func (f *Frames) EndsStale(s Stream, at Position) bool {
	o := &f.open[s]
	stale := o.rawBytes > 0 && at-o.first >= Window
	if stale {
		*o = openFrame{}
	}
	return stale
}

// End closes the open frame of s.
func (f *Frames) End(s Stream) { f.open[s] = openFrame{} }

// Blocks decides where blocks end. The zero value has no block open.
type Blocks struct {
	AimBytes   int64 // a block of more than one frame does not exceed this
	FirstBytes int64 // nor does the first of each stream exceed this, the second twice as much, and so on; 0: there is no such bound
	open       [Streams]openBlock
	ended      [Streams]int
}

type openBlock struct {
	storedBytes int64
	footerBytes int64
	first       Position
	others      int // blocks of the other stream that have ended meanwhile
}

// maxOthers bounds how many blocks of the other stream may end while a block stays open: entries behind an open block are
// not in the index yet, and would be stored again if the backup stopped.
const maxOthers = 4

// maxFooterBytes bounds what a block's footer takes in memory.
const maxFooterBytes = 8 << 20

// Ends lists the streams whose open block must end before a frame of storedBytes is added to s, in order, and counts the
// frame in. footerBytes is what the footer will say of the frame's members, about; at is where the backup was when the frame began.
func (b *Blocks) Ends(s Stream, storedBytes, footerBytes int64, at Position) []Stream {
	var ends []Stream
	o := &b.open[s]
	if o.storedBytes > 0 && (o.storedBytes+storedBytes > b.aimBytes(s) || o.footerBytes+footerBytes > maxFooterBytes) {
		ends = b.end(ends, s)
	}
	if o.storedBytes == 0 {
		o.first = at
	}
	o.storedBytes += storedBytes
	o.footerBytes += footerBytes
	return ends
}

// aimBytes is what the open block of s may have.
func (b *Blocks) aimBytes(s Stream) int64 {
	aim := b.FirstBytes
	for n := b.ended[s]; n > 0 && aim < b.AimBytes; n-- {
		aim *= 2
	}
	if aim == 0 || aim > b.AimBytes {
		return b.AimBytes
	}
	return aim
}

// EndsStale lists the streams whose open block must end for its age, now that the backup is at at.
func (b *Blocks) EndsStale(at Position) []Stream {
	var ends []Stream
	for s := range Streams {
		if o := &b.open[s]; o.storedBytes > 0 && at-o.first >= Window {
			ends = b.end(ends, s)
		}
	}
	return ends
}

// EndsLast lists the streams with a block still open, when there is nothing more.
func (b *Blocks) EndsLast() []Stream {
	var ends []Stream
	for s := range Streams {
		if b.open[s].storedBytes > 0 {
			ends = append(ends, s)
			b.open[s] = openBlock{}
		}
	}
	return ends
}

func (b *Blocks) end(ends []Stream, s Stream) []Stream {
	b.open[s] = openBlock{}
	b.ended[s]++
	ends = append(ends, s)
	other := 1 - s
	o := &b.open[other]
	if o.storedBytes == 0 {
		return ends
	}
	if o.others++; o.others >= maxOthers {
		b.open[other] = openBlock{}
		b.ended[other]++
		ends = append(ends, other)
	}
	return ends
}

const (
	minHunkEntries = 512
	maxHunkEntries = 2048
	maxHunkBytes   = 8 << 20
	hunkCutOneIn   = 512 // so that hunks have about 1,000 entries
)

// Hunks decides where hunks end. The zero value has no hunk open.
type Hunks struct {
	entries int
	bytes   int64
}

// EndsBefore reports whether the open hunk must end before the entry of path, which takes up about entryBytes in
// the index, and counts the entry in either way. Equal runs of entries are cut alike, whatever stands around them.
func (h *Hunks) EndsBefore(path format.Path, entryBytes int64) bool {
	ends := h.entries > 0 && (h.entries >= maxHunkEntries || h.bytes+entryBytes > maxHunkBytes ||
		h.entries >= minHunkEntries && CutsHunk(path))
	if ends {
		*h = Hunks{}
	}
	h.entries++
	h.bytes += entryBytes
	return ends
}

// MayEnd reports whether the open hunk may end so that one of the parent follows: one with few entries goes on, so that small
// ones don't gather from backup to backup.
func (h *Hunks) MayEnd() bool { return h.entries == 0 || h.entries >= minHunkEntries }

// MayShare reports whether a hunk of the parent with so many entries may be referred to, at the end of the band or before.
func MayShare(entries int, last bool) bool { return entries >= minHunkEntries || last }

// CutsHunk reports whether a hunk with enough entries ends before path.
func CutsHunk(path format.Path) bool {
	h := fnv.New64a()
	h.Write([]byte(path))
	// FNV's low bits depend on few of the last byte's bits; fold the high ones in.
	sum := h.Sum64()
	return (sum^sum>>32)%hunkCutOneIn == 0
}
