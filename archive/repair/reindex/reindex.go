// Package reindex decides what a lost stretch of a band's index was: from the members of the band's blocks, as footers and tar headers
// have them, and from what the index of the bands ahead of it and behind it has of the same paths. It is pure, and stands on
// archive/format.
package reindex

import "dura/archive/format"

// Range is a stretch of paths.
type Range struct {
	From   format.Path
	Behind bool        // From is not in it
	To     format.Path // is not in it; the root: it goes to the end
}

// Has reports whether p is in the range.
func (r Range) Has(p format.Path) bool { return !r.IsAhead(p) && !r.IsBehind(p) }

// IsAhead reports whether p stands ahead of the range.
func (r Range) IsAhead(p format.Path) bool {
	c := format.Compare(p, r.From)
	return c < 0 || c == 0 && r.Behind
}

// IsBehind reports whether p stands behind the range.
func (r Range) IsBehind(p format.Path) bool {
	return r.To != format.Root && format.Compare(p, r.To) >= 0
}

// IsEmpty reports whether no path can be in the range.
func (r Range) IsEmpty() bool {
	return r.To != format.Root && (format.Compare(r.From, r.To) >= 0)
}

// Content is where a piece of content lies.
type Content struct {
	Frame         *format.Frame
	Offset, Bytes uint32
	SHA256        format.Hash
}

// chunk is a piece of a file; at its end, one without content may tell its size.
type chunk struct {
	start int64
	Content
	lost bool // where it is, is not known
}

// seen is what the blocks hold of one path: of the latest version of it there, if there are several.
type seen struct {
	kind   format.Kind
	meta   *format.TarMember // nil: it can't be read
	whole  Content           // of a file that is not in chunks
	sum    format.Hash       // of that
	lost   bool              // its content is not known
	link   format.Path       // it is a further name of that
	isLink bool
	chunks []chunk // in the order in which they were stored
}
