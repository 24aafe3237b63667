package dedup

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sort"
)

const (
	pageBytes     = 4096
	pageHeadBytes = 8
	pageRecords   = (pageBytes - pageHeadBytes) / recordBytes
)

func pagesOf(records int64) int64 { return (records + pageRecords - 1) / pageRecords }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// page is a page as it is stored.
type page []byte

// seal fills in the head.
func (p page) seal(number uint32) {
	binary.BigEndian.PutUint32(p[4:], number)
	binary.BigEndian.PutUint32(p, checksum(p[4:]))
}

// intact reports whether p is the page of this number as it was sealed.
func (p page) intact(number uint32) bool {
	return binary.BigEndian.Uint32(p[4:]) == number && binary.BigEndian.Uint32(p) == checksum(p[4:])
}

func (p page) record(i int) []byte { return p[pageHeadBytes+i*recordBytes:][:recordBytes] }

// find looks among the first n records for one with this key, from where it is guessed to be.
func (p page) find(k key, n, guess int) (r record, found bool) {
	at := searchNear(n, guess, func(i int) bool { return !keyAt(p.record(i)).less(k) })
	if at < n {
		copy(r[:], p.record(at))
		found = r.key() == k
	}
	return r, found
}

// searchNear is sort.Search for an answer that is near a guess from 0 to n: it looks at what is close by, since each look may
// have to wait for memory. Hashes are spread so evenly that their place can be guessed well.
func searchNear(n, guess int, f func(int) bool) int {
	low, high, step := guess, guess, 1
	for low > 0 && f(low-1) {
		high, low, step = low-1, max(low-1-step, 0), step*2
	}
	for high < n && !f(high) {
		low, high, step = high+1, min(high+1+step, n), step*2
	}
	return low + sort.Search(high-low, func(i int) bool { return f(low + i) })
}

// pageWriter writes records as pages.
type pageWriter struct {
	w       io.Writer
	page    [pageBytes]byte
	held    int // records in page
	records int64
	first   func(high uint64) // hears of the first record of each page, unless nil
}

func (w *pageWriter) add(r *record) error {
	if w.held == 0 && w.first != nil {
		w.first(r.key().high)
	}
	copy(page(w.page[:]).record(w.held), r[:])
	w.held++
	w.records++
	if w.held == pageRecords {
		return w.flush()
	}
	return nil
}

// flush writes the page at hand if it holds anything.
func (w *pageWriter) flush() error {
	if w.held == 0 {
		return nil
	}
	clear(w.page[pageHeadBytes+w.held*recordBytes:])
	page(w.page[:]).seal(uint32(pagesOf(w.records) - 1))
	w.held = 0
	_, err := w.w.Write(w.page[:])
	return err
}

var errPage = errors.New("the checksum of a page is wrong")

// pageReader reads the records of pages in a row, the first of which has number 0.
type pageReader struct {
	r      io.ReaderAt
	offset int64 // of the next page to read
	left   int64 // records that have not been returned
	number uint32
	buf    []byte // a multiple of pageBytes
	pages  []byte // read and not used up, of buf
	at     int    // next record of the first of them
	got    record
}

func newPageReader(r io.ReaderAt, offset, records int64, bufferBytes int) *pageReader {
	bufferBytes = min(max(bufferBytes/pageBytes, 1), int(max(pagesOf(records), 1))) * pageBytes
	return &pageReader{r: r, offset: offset, left: records, buf: make([]byte, bufferBytes)}
}

// next returns the next record, which is overwritten by the one after it; nil behind the last.
func (p *pageReader) next() (*record, error) {
	if p.left == 0 {
		return nil, nil
	}
	if len(p.pages) == 0 {
		if err := p.fill(); err != nil {
			return nil, err
		}
	}
	if p.at == 0 && !page(p.pages[:pageBytes]).intact(p.number) {
		return nil, fmt.Errorf("page %d: %w", p.number, errPage)
	}
	copy(p.got[:], page(p.pages).record(p.at))
	p.left--
	if p.at++; p.at == pageRecords {
		p.pages, p.at = p.pages[pageBytes:], 0
		p.number++
	}
	return &p.got, nil
}

func (p *pageReader) fill() error {
	n := min(int64(len(p.buf)), pagesOf(p.left)*pageBytes)
	p.pages = p.buf[:n]
	_, err := p.r.ReadAt(p.pages, p.offset)
	p.offset += n
	if err != nil {
		return fmt.Errorf("page %d: %w", p.number, err)
	}
	return nil
}
