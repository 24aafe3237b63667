package reindex

import (
	"slices"

	"dura/archive/format"
)

// Piece is a hunk of a band, or a stretch of it of which nothing is known.
type Piece struct {
	Hunk    format.HunkRef
	Stretch *Stretch // nil: the hunk can be had
}

// Stretch is what a lost hunk held, or what lay between hunks that are left of a lost fence or of a band that lost its tail.
type Stretch struct {
	Range   Range
	Lost    format.HunkRef // of a lost hunk
	Entries int64          // how many it had; 0: that is not known
}

// Loose is a hunk that is in no fence, with what stands ahead of it.
type Loose struct {
	Hunks []format.HunkRef
	Last  format.Path
}

// Of are the pieces of a fence whose hunks are known. Next is where the next fence begins, the root if there is none.
func Of(hunks []format.HunkRef, next format.Path, isLost func(*format.HunkRef) bool) []Piece {
	pieces := make([]Piece, len(hunks))
	for i := range hunks {
		pieces[i].Hunk = hunks[i]
		if !isLost(&hunks[i]) {
			continue
		}
		to := next
		if i+1 < len(hunks) {
			to = hunks[i+1].FirstPath
		}
		pieces[i].Stretch = &Stretch{Range: Range{From: hunks[i].FirstPath, To: to}, Lost: hunks[i], Entries: hunks[i].Entries}
	}
	return pieces
}

// Between are the pieces of a range: the loose hunks that lie in it, and what is between them. Entries is how many the range has, 0
// if that is not known.
func Between(r Range, entries int64, loose []Loose) []Piece {
	var in []Loose
	for _, l := range loose {
		if len(l.Hunks) > 0 && r.Has(l.Hunks[0].FirstPath) && r.Has(l.Last) {
			in = append(in, l)
		}
	}
	slices.SortFunc(in, func(x, y Loose) int { return format.Compare(x.Hunks[0].FirstPath, y.Hunks[0].FirstPath) })
	var pieces []Piece
	at, left := r, entries
	for _, l := range in {
		if first := l.Hunks[0].FirstPath; at.IsAhead(first) {
			continue // it overlaps with the one ahead of it
		} else if gap := (Range{at.From, at.Behind, first}); first != format.Root && !gap.IsEmpty() {
			pieces = append(pieces, Piece{Stretch: &Stretch{Range: gap}})
		}
		for i := range l.Hunks {
			pieces = append(pieces, Piece{Hunk: l.Hunks[i]})
			left -= l.Hunks[i].Entries
		}
		at = Range{l.Last, true, r.To}
	}
	pieces = append(pieces, Piece{Stretch: &Stretch{Range: at}})
	if entries == 0 {
		return pieces
	}
	return withEntries(pieces, left)
}

// Behind puts what lies behind a lost hunk, whose end nobody knows, to pieces: it goes up to the first hunk that is left there.
func Behind(lost *Stretch, between []Piece) []Piece {
	lost.Range.To = format.Root
	for i := range between {
		if between[i].Stretch == nil {
			lost.Range.To = between[i].Hunk.FirstPath
			return between[i:]
		}
		lost.Range.To = between[i].Stretch.Range.To
	}
	return nil
}

// withEntries says how many entries the stretches have together: none are needed if that is 0, and only of a single one it tells.
func withEntries(pieces []Piece, left int64) []Piece {
	stretches := 0
	for i := range pieces {
		if pieces[i].Stretch != nil {
			stretches++
		}
	}
	if left == 0 {
		return slices.DeleteFunc(pieces, func(p Piece) bool { return p.Stretch != nil })
	}
	for i := range pieces {
		if s := pieces[i].Stretch; s != nil && stretches == 1 && left > 0 {
			s.Entries = left
		}
	}
	return pieces
}

// Fence is a fence as the rebuilt index has it.
type Fence struct {
	Kept  *format.FenceRef // it is one that there is
	Hunks []format.HunkRef // else: what it is to list, at least one
}

// fenceHunks is how many hunks a new fence lists at the most.
const fenceHunks = 1000

// Old is a fence as it is found.
type Old struct {
	Ref    format.FenceRef
	Whole  bool // it can be had as it is
	Pieces []Piece
}

// Lay gives the fences of the rebuilt index: those that are whole and have nothing lost are kept, and what lies between them gets new
// ones. Filled are the hunks that a stretch has become, perhaps none.
func Lay(old []Old, filled func(*Stretch) []format.HunkRef) []Fence {
	var fences []Fence
	var open []format.HunkRef
	end := func() {
		for run := range slices.Chunk(open, fenceHunks) {
			fences = append(fences, Fence{Hunks: run})
		}
		open = nil
	}
	for i := range old {
		o := &old[i]
		if o.Whole && !slices.ContainsFunc(o.Pieces, func(p Piece) bool { return p.Stretch != nil }) {
			end()
			fences = append(fences, Fence{Kept: &o.Ref})
			continue
		}
		for j := range o.Pieces {
			p := &o.Pieces[j]
			hunks := []format.HunkRef{p.Hunk}
			if p.Stretch != nil {
				hunks = filled(p.Stretch)
			}
			open = append(open, hunks...)
		}
	}
	end()
	return fences
}

// Bounds of a hunk, as writers have them.
const (
	hunkEntries = 2048
	hunkBytes   = 8 << 20
)

// Hunks parts entries into those of hunks.
func Hunks(entries []format.Entry) [][]format.Entry {
	var runs [][]format.Entry
	start, bytes := 0, 0
	for i := range entries {
		size := sizeOf(&entries[i])
		if i > start && (i-start == hunkEntries || bytes+size > hunkBytes) {
			runs = append(runs, entries[start:i])
			start, bytes = i, 0
		}
		bytes += size
	}
	if start < len(entries) {
		runs = append(runs, entries[start:])
	}
	return runs
}

// sizeOf is about what an entry takes up.
func sizeOf(e *format.Entry) int {
	bytes := 100 + len(e.Path) + len(e.Target) + len(e.LinkTo) + 60*len(e.Spans)
	for _, x := range e.XAttrs {
		bytes += 8 + len(x.Name) + len(x.Value)
	}
	return bytes
}
