package dedup

import (
	"errors"
	"fmt"
	"math/bits"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

const segmentSuffix = ".segment"

var (
	errForeign   = errors.New("it belongs to another archive")
	errNamed     = errors.New("it has the name of another segment")
	errIrregular = errors.New("it is not a regular file")
	errPlace     = errors.New("a record has a place that cannot be")
	errOrder     = errors.New("its records are out of order")
	errFault     = errors.New("it cannot be read any more: it was cut short, or the disk failed")
)

// segment is an open segment. Nothing of it changes but which pages were checked, and whether it is damaged or partly forgotten.
type segment struct {
	footer
	tables
	path      string
	sizeBytes int64
	file      *os.File
	mapped    []byte          // its pages
	checked   []atomic.Uint64 // a bit for each page that was found intact
	damaged   atomic.Bool

	forgotten   []bool // for each band; nil if none is. Guarded by Index.mu
	goneRecords int64  // of forgotten bands
}

// openSegment opens and checks all of a segment but its pages. Errors but those of the system are for something wrong with it.
func openSegment(path string, archive archiveSum) (*segment, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, unix.ELOOP) || errors.Is(err, unix.EMLINK) || errors.Is(err, unix.ENXIO) {
		return nil, errIrregular // EMLINK: a symbolic link, on FreeBSD; ENXIO: a socket
	}
	if err != nil {
		return nil, err
	}
	s := &segment{path: path, file: file}
	if err := s.load(archive); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *segment) load(archive archiveSum) error {
	info, err := s.file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errIrregular
	}
	if s.sizeBytes = info.Size(); s.sizeBytes < footerBytes {
		return errNoSegment
	}
	end := make([]byte, footerBytes)
	if _, err := s.file.ReadAt(end, s.sizeBytes-footerBytes); err != nil {
		return err
	}
	if s.footer, err = decodeFooter(end, s.sizeBytes); err != nil {
		return err
	}
	if s.archive != archive {
		return errForeign
	}
	if strings.TrimSuffix(filepath.Base(s.path), segmentSuffix) != s.id.String() {
		return errNamed
	}
	raw := make([]byte, s.tableBytes)
	if _, err := s.file.ReadAt(raw, s.sizeBytes-footerBytes-s.tableBytes); err != nil {
		return err
	}
	if checksum(raw) != s.tableSum {
		return errTables
	}
	if s.tables, err = decodeTables(raw, s.records); err != nil {
		return err
	}
	return s.mapPages()
}

func (s *segment) mapPages() (err error) {
	n := len(s.directory) * pageBytes
	if n == 0 {
		return nil
	}
	s.checked = make([]atomic.Uint64, len(s.directory)/64+1)
	s.mapped, err = unix.Mmap(int(s.file.Fd()), 0, n, unix.PROT_READ, unix.MAP_SHARED)
	return os.NewSyscallError("mmap", err)
}

// close may be called once nobody looks into s any more.
func (s *segment) close() {
	if s.mapped != nil {
		_ = unix.Munmap(s.mapped)
		s.mapped = nil
	}
	s.file.Close()
}

// spoil takes note of damage.
func (s *segment) spoil(err error) *DamageError {
	return &DamageError{File: s.path, Err: err, again: s.damaged.Swap(true)}
}

// lookup finds the place of content. A damaged page has none. It panics where the pages can't be
// read, which the caller has to let it do, and to give to caught.
func (s *segment) lookup(k key) (at Place, found bool, damage *DamageError) {
	first, last := s.pagesFor(k.high)
	for n := last; n >= first && !found; n-- {
		var r record
		r, found, damage = s.lookIn(n, k)
		if damage != nil {
			return at, false, damage
		}
		if found {
			return s.place(&r)
		}
	}
	return at, false, nil
}

// pagesFor returns the pages that may have keys with this high half: one, but for keys that have it in common.
func (s *segment) pagesFor(high uint64) (first, last int) {
	guess, _ := bits.Mul64(high, uint64(len(s.directory)))
	last = searchNear(len(s.directory), int(guess), func(i int) bool { return s.directory[i] > high }) - 1
	for first = last; first > 0 && s.directory[first] == high; first-- {
	}
	return max(first, 0), last
}

func (s *segment) lookIn(n int, k key) (r record, found bool, damage *DamageError) {
	p := page(s.mapped[n*pageBytes:][:pageBytes])
	word, bit := &s.checked[n/64], uint64(1)<<(n%64)
	if word.Load()&bit == 0 {
		if !p.intact(uint32(n)) {
			return r, false, s.spoil(fmt.Errorf("page %d: %w", n, errPage))
		}
		word.Or(bit)
	}
	records := int(min(s.records-int64(n)*pageRecords, pageRecords))
	r, found = p.find(k, records, s.guess(n, records, k.high))
	return r, found, nil
}

// guess is where among the records of a page a key is if they are spread evenly.
func (s *segment) guess(n, records int, high uint64) int {
	first, next := s.directory[n], ^uint64(0)
	if n+1 < len(s.directory) {
		next = s.directory[n+1]
	}
	if high < first || high >= next {
		return 0
	}
	top, rest := bits.Mul64(high-first, uint64(records))
	guess, _ := bits.Div64(top, rest, next-first)
	return int(guess)
}

// place is where a record says that its content is, unless that is in a forgotten band.
func (s *segment) place(r *record) (at Place, ok bool, damage *DamageError) {
	spot := r.spot()
	if int(spot.band) >= len(s.bands) {
		return at, false, s.spoil(errPlace)
	}
	if s.forgotten != nil && s.forgotten[spot.band] {
		return at, false, nil
	}
	return Place{s.bands[spot.band].id, spot.list, spot.number, spot.entry, spot.span}, true, nil
}

// caught makes damage of what a lookup panicked with, if that was a fault in the mapped pages.
func (s *segment) caught(panicked any) *DamageError {
	err, ok := panicked.(interface {
		runtime.Error
		Addr() uintptr
	})
	if ok && len(s.mapped) > 0 {
		if start := uintptr(unsafe.Pointer(&s.mapped[0])); err.Addr() >= start && err.Addr()-start < uintptr(len(s.mapped)) {
			return s.spoil(errFault)
		}
	}
	panic(panicked)
}

// reader reads the records of s in order, from its file.
func (s *segment) reader(bufferBytes int) *pageReader {
	return newPageReader(s.file, 0, s.records, bufferBytes)
}
