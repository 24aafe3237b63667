// Package summaries is what a machine keeps, outside of an archive, of the bands that it has written there: enough to tell later whether
// a band is still the one that was written. It stands on archive/format, and does no I/O.
//
// It is text, of at most MaxBytes:
//
//	dura summaries 1
//	archive <id of the archive>
//	since <RFC 3339, UTC>
//	<band> <SHA-256 of the tail as stored> <entries> <files> <content bytes> <blocks> <stored bytes of these>
//	…
//	sha256 <hash of all lines above>
//
// with the bands in the order of their ids. A tail has the hashes of the head and the fences, these of the hunks, and these of the
// blocks: so its hash covers the band.
package summaries

import (
	"slices"
	"strings"
	"time"

	"dura/archive/format"
)

const (
	// MaxBands is how many bands are kept. The oldest ones go first.
	MaxBands = 16_384
	// MaxBytes bounds the text.
	MaxBytes = 4 << 20
)

// Summary is what is kept of a band.
type Summary struct {
	Band       format.BandID
	TailSHA256 format.Hash // of the tail as it is stored
	Totals     format.Totals
}

// List is what is kept of an archive.
type List struct {
	Archive string    // its id
	Since   time.Time // bands that this machine completed from then on are in it
	Bands   []Summary // by id
}

// With is the list with one more band, or with what is known now of one that it has. Where it was full, the oldest band is left out.
func (l List) With(s Summary) List {
	at, known := slices.BinarySearchFunc(l.Bands, s.Band, func(x Summary, id format.BandID) int { return strings.Compare(string(x.Band), string(id)) })
	l.Bands = slices.Clone(l.Bands)
	if known {
		l.Bands[at] = s
		return l
	}
	l.Bands = slices.Insert(l.Bands, at, s)
	if drop := len(l.Bands) - MaxBands; drop > 0 {
		l.Bands = l.Bands[drop:]
		if oldest := l.Bands[0].Band.Time(); oldest.After(l.Since) {
			l.Since = oldest
		}
	}
	return l
}
