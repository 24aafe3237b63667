package sourcetest

import (
	"iter"
	"strconv"

	"dura/archive/format"
	"dura/writer/source"
)

// Scale describes a tree of any size: a Source that makes it up as it goes, in memory for a few entries at a time. Equal ones
// give equal trees.
type Scale struct {
	Entries      int // the root included, up to 100,000,000
	FanOut       int // subdirectories of a directory that is not near the bottom; 0: 16
	FilesPer     int // files for each directory, on average; 0: 20
	ContentEvery int // of so many files one has ContentBytes that don't compress; 0: all are empty
	ContentBytes int64

	// Changed is how many of the files, evenly spread, are other ones than without it: later in their times, with a few other
	// bytes. Change tells one set of them from another.
	Changed int
	Change  int
}

// scaleTree numbers the directories by rows from the top, as a heap does, and the files by their directories'.
type scaleTree struct {
	Scale
	dirs, files int
	start       source.Start
	yield       func(Item) bool
}

// Source makes the tree a Source. A walk of it that begins behind a path makes up no more than leads there.
func (s Scale) Source() *Source {
	if s.FanOut == 0 {
		s.FanOut = 16
	}
	if s.FilesPer == 0 {
		s.FilesPer = 20
	}
	dirs := (s.Entries + s.FilesPer) / (s.FilesPer + 1)
	return &Source{items: func(start source.Start) iter.Seq[Item] {
		return func(yield func(Item) bool) {
			t := &scaleTree{Scale: s, dirs: dirs, files: s.Entries - dirs, start: start, yield: yield}
			if yield(t.dir(format.Root, 0)) {
				t.walk(format.Root, 0)
			}
		}
	}}
}

// walk yields what is in the directory with a number, and below it, and reports whether to go on.
func (t *scaleTree) walk(dir format.Path, number int) bool {
	if !t.start.Enters(dir) {
		return true
	}
	first := number*t.FanOut + 1
	dirs := max(0, min(t.FanOut, t.dirs-first))
	firstFile, endFile := t.filesAhead(number), t.filesAhead(number+1)
	names := dirs + endFile - firstFile
	for i := range names {
		d := i * dirs / names // directories ahead of it, which lie among the files
		var it Item
		if (i+1)*dirs/names > d {
			it = t.dir(scalePath(dir, i), first+d)
		} else {
			it = t.file(scalePath(dir, i), firstFile+i-d)
		}
		if !t.yield(it) {
			return false
		}
	}
	for d := range dirs {
		// The d-th directory among the names.
		i := ((d+1)*names+dirs-1)/dirs - 1
		if !t.walk(scalePath(dir, i), first+d) {
			return false
		}
	}
	return true
}

// filesAhead is how many files lie in the directories ahead of that number.
func (t *scaleTree) filesAhead(dir int) int { return dir * t.files / t.dirs }

// scalePath is the i-th entry's in dir: names of as many digits, so that they sort as numbers do.
func scalePath(dir format.Path, i int) format.Path {
	const name = "/entry-00000000"
	var digits [20]byte
	number := strconv.AppendInt(digits[:0], int64(i), 10)
	p := make([]byte, 0, len(dir)+len(name))
	p = append(append(append(p, dir...), name[:len(name)-len(number)]...), number...)
	if dir == format.Root {
		p = p[1:]
	}
	return format.Path(p)
}

func (t *scaleTree) dir(p format.Path, number int) Item {
	it := Dir(p)
	it.Entry.Inode = uint64(2 + number)
	return it
}

func (t *scaleTree) file(p format.Path, number int) Item {
	it := Item{Entry: entry(p, format.File, 0o644)}
	it.Entry.Inode = uint64(2 + t.dirs + number)
	if t.ContentEvery > 0 && number%t.ContentEvery == 0 {
		it.Data = Random(uint64(number), t.ContentBytes)
	}
	if t.changed(number) {
		it.Entry.MTime.Seconds += int64(1 + t.Change)
		it.Entry.CTime = it.Entry.MTime
		it.Data = Bytes([]byte("change " + strconv.Itoa(t.Change) + " of file " + strconv.Itoa(number) + "\n"))
	}
	return it
}

// changed picks Changed numbers of all.
func (t *scaleTree) changed(number int) bool {
	at := (number + t.Change*7919) % t.files
	return (at+1)*t.Changed/t.files > at*t.Changed/t.files
}
