package verify

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// Sample is one of so many parts of what there is to check, by name. The zero value is all of it.
type Sample struct {
	Parts uint64 // 0 or 1: there is but one
	Part  uint64 // from 0 on
	Seed  uint64 // another one parts otherwise
}

// Rotation is the sample of a day, of at least percent of everything: as many days on end as there are parts, or as many weeks at the
// same day of the week, have all parts. So weekly runs check everything within a year from 2 percent on.
func Rotation(percent float64, at time.Time) Sample {
	s := Sample{Parts: parts(percent)}
	for s.Parts%7 == 0 {
		s.Parts-- // or a weekly run would meet some parts alone
	}
	const day = 24 * 60 * 60
	days := at.Unix() / day
	if at.Unix() < 0 {
		days = 0
	}
	s.Part = uint64(days) % s.Parts
	return s
}

// Random is a sample that has each name with the same chance, of at least percent.
func Random(percent float64, seed uint64) Sample { return Sample{Parts: parts(percent), Seed: seed} }

// maxParts keeps what is asked for in vain within bounds.
const maxParts = 1 << 32

// parts is how many parts of at least percent there are.
func parts(percent float64) uint64 {
	n := 100 / percent
	switch {
	case !(n >= 1): // NaN too
		return 1
	case n > maxParts:
		return maxParts
	}
	return uint64(n)
}

// Has reports whether name is in the sample.
func (s Sample) Has(name string) bool {
	if s.Parts <= 1 {
		return true
	}
	sum := sha256.Sum256(append(binary.LittleEndian.AppendUint64(nil, s.Seed), name...))
	return binary.LittleEndian.Uint64(sum[:])%s.Parts == s.Part
}

func (s Sample) isAll() bool { return s.Parts <= 1 }
