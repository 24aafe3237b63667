package archive_test

import (
	"testing"

	"dura/archive"
	"dura/archive/archivetest"
	"dura/archive/format"
)

// FuzzBand reads everything of a band whose index says what the fuzzer wants, with hashes that fit: only the structure can be
// wrong. No input may lead to a panic, to an entry that is found in one way and not in another, or to content of the wrong size.
func FuzzBand(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x02\x01abc\x02\x03xyz"))
	for seed := range 32 {
		var program []byte
		for i := range 40 {
			program = append(program, byte(seed*i*i+seed+i*7))
		}
		f.Add(program)
	}
	f.Fuzz(func(t *testing.T, program []byte) {
		st := archivetest.NewArchive(t)
		writeOdd(archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0)}), program)
		b := openBand(t, st, 0, archive.Options{})
		askAround(t, b)
		for e, err := range b.Subtree(t.Context(), "") {
			if err != nil {
				continue
			}
			if got, err := b.At(t.Context(), e.Ordinal); err != nil || got.Path != e.Path {
				t.Fatal(e.Path, e.Ordinal, got, err)
			}
			n := int64(0)
			for s, err := range b.Archive().Content(e.Entry).Segments(t.Context()) {
				if n++; s.Bytes <= 0 || s.Start < 0 || s.End() > e.Size || err == nil && int64(len(s.Data)) != s.Bytes || n > 1000 {
					t.Fatal(s, err, e.Size)
				}
			}
			b.Archive().Content(e.Entry).NextData(t.Context(), e.Size/2)
		}
	})
}

// odd takes numbers from a program, zeros at its end.
type odd struct{ program []byte }

func (o *odd) next(n int) int {
	if len(o.program) == 0 {
		return 0
	}
	v := int(o.program[0]) % n
	o.program = o.program[1:]
	return v
}

func (o *odd) huge() int64 {
	return []int64{0, 1, 2, 3, 100, 1 << 31, 1 << 62, 1<<63 - 1}[o.next(8)]
}

// writeOdd writes hunks and fences that fit each other as the program says, at times.
func writeOdd(w *archivetest.Band, program []byte) {
	o := &odd{program}
	var fences []format.FenceRef
	for range 1 + o.next(3) {
		var hunks []format.HunkRef
		for range 1 + o.next(4) {
			hunks = append(hunks, oddHunk(w, o))
		}
		r := w.Fence(hunks)
		if o.next(8) == 7 {
			r.Entries = o.huge()
		}
		if o.next(8) == 7 {
			r.FirstPath = oddPath(o)
		}
		fences = append(fences, r)
	}
	if o.next(2) == 0 {
		w.Tail(fences)
	}
}

func oddPath(o *odd) format.Path {
	return []format.Path{"", "a", "b", "c", "d", "a/b", "a/c", "c/a", "c/a/b", "\xff"}[o.next(10)]
}

func oddHunk(w *archivetest.Band, o *odd) format.HunkRef {
	var entries []format.Entry
	for range o.next(4) {
		e := archivetest.File(oddPath(o), nil).Entry
		e.Kind = format.Kind(1 + o.next(2))
		e.Size, e.SHA256, e.AsInParent = o.huge(), format.Hash{1}, o.next(20) == 19
		for range o.next(3) {
			e.Spans = append(e.Spans, oddSpan(w, o))
		}
		if o.next(4) == 3 {
			l := w.Spans(e.Spans)
			if o.next(4) == 3 {
				l.ContentBytes = o.huge()
			}
			e.Spans, e.SpanLists = nil, []format.SpanListRef{l, l}[:1+o.next(2)]
		}
		entries = append(entries, e)
	}
	r := w.Hunk(entries)
	if o.next(8) == 7 {
		r.Entries = o.huge()
	}
	if o.next(8) == 7 {
		r.FirstPath = oddPath(o)
	}
	if o.next(8) == 7 {
		r.Number = uint64(o.next(4))
	}
	return r
}

func oddSpan(w *archivetest.Band, o *odd) format.Span {
	block := &format.Block{Band: w.ID, Number: uint64(o.next(3)), StoredBytes: o.huge()}
	f := &format.Frame{Block: block, Offset: int64(o.next(4)), StoredBytes: uint32(o.next(4)), RawBytes: uint32(o.next(4))}
	return format.Span{Frame: f, Offset: uint32(o.next(4)), Bytes: uint32(o.next(4)), HoleBytes: o.huge()}
}

// FuzzIndexBytes opens bands whose objects are any bytes.
func FuzzIndexBytes(f *testing.F) {
	st := whole(f)
	id := archivetest.BandID(0)
	for kind, name := range []string{format.TailName(id), format.FenceName(id, 0), format.HunkName(id, 0), format.SpansName(id, 0), format.HeadName(id)} {
		object, err := st.Read(f.Context(), name, 0, 1<<20)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(byte(kind), object, uint16(0), byte(0))
		f.Add(byte(kind), object, uint16(17), byte(0xff))
	}
	f.Fuzz(func(t *testing.T, kind byte, object []byte, at uint16, flip byte) {
		if len(object) > 0 {
			object[int(at)%len(object)] ^= flip
		}
		st := archivetest.NewArchive(t)
		put := func(name string) {
			if err := st.Create(t.Context(), name, object); err != nil {
				t.Fatal(err)
			}
		}
		s := archive.BandState{ID: id, Complete: kind%5 == 0}
		put([]string{format.TailName(id), format.FenceName(id, 0), format.HunkName(id, 0), format.SpansName(id, 0), format.HeadName(id)}[kind%5])
		b, err := open(t, st, archive.Options{}).OpenBand(t.Context(), s)
		if err != nil {
			return
		}
		b.Head(t.Context())
		askAround(t, b)
		readAll(t, b, func(error) {})
	})
}
