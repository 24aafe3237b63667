package dedup

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"

	"dura/archive/format"
)

// blockRecords bounds how many records are sorted at a time.
const blockRecords = 64 << 10

// pending is what was collected: records in memory, in blocks, and beyond a bound in sorted runs in a file.
type pending struct {
	memoryBytes int
	spool       func() (*os.File, error) // makes the file for runs

	places  map[format.BandID]uint32 // of bands
	bands   []bandTable              // in the order they came; records is how many there are at the most
	gone    []bool                   // for each band: it was forgotten, and has another place if it came again
	records int64                    // in blocks and runs
	blocks  [][]record               // sorted, but for the last
	file    *os.File                 // of runs, without a name
	end     int64                    // of the last run in the file
	runs    []run
}

// run is where sorted records lie in the file, as pages.
type run struct{ offset, records int64 }

func (x *Index) newPending() *pending {
	return &pending{
		memoryBytes: x.options.MemoryBytes, places: map[format.BandID]uint32{},
		spool: func() (*os.File, error) {
			file, err := newTemporary(x.dir, x.options.Random)
			if err == nil {
				_ = os.Remove(file.Name()) // the sweep of a later Open would do it
			}
			return file, err
		},
	}
}

func (p *pending) close() {
	if p.file != nil {
		p.file.Close()
		p.file = nil
	}
}

func (p *pending) empty() bool { return len(p.bands) == 0 }

// add takes records of one band. Those that a record can't hold are left out, as are bands beyond what a segment can have.
func (p *pending) add(band format.BandID, c Coverage, records iter.Seq2[key, spot]) error {
	place, ok := p.place(band)
	if !ok {
		return nil
	}
	for k, s := range records {
		if s.band = place; !s.fits() {
			continue
		}
		if err := p.append(newRecord(k, s)); err != nil {
			return err
		}
		p.bands[place].records++
	}
	covered := &p.bands[place].Coverage
	for _, r := range c.Hunks {
		covered.Hunks = covered.Hunks.add(r)
	}
	for _, r := range c.Lists {
		covered.Lists = covered.Lists.add(r)
	}
	return nil
}

// place is the place of a band in the table of bands.
func (p *pending) place(band format.BandID) (place uint32, ok bool) {
	if place, ok = p.places[band]; ok {
		return place, true
	}
	if _, err := format.ParseBandID(string(band)); err != nil || len(p.bands) == maxBands {
		return 0, false
	}
	place = uint32(len(p.bands))
	p.places[band] = place
	p.bands, p.gone = append(p.bands, bandTable{id: band}), append(p.gone, false)
	return place, true
}

// forget drops the bands that keep says no to. They may come again.
func (p *pending) forget(keep func(format.BandID) bool) {
	for band, place := range p.places {
		if !keep(band) {
			p.gone[place] = true
			delete(p.places, band)
		}
	}
}

func (p *pending) append(r record) error {
	size := min(blockRecords, max(p.memoryBytes/recordBytes, 1))
	last := len(p.blocks) - 1
	if last < 0 || len(p.blocks[last]) == size {
		if (last+2)*size*recordBytes > max(p.memoryBytes, size*recordBytes) {
			if err := p.spill(); err != nil {
				return err
			}
		}
		p.sortLast()
		var block []record // the first grows with what there is
		if p.records > 0 {
			block = make([]record, 0, size)
		}
		p.blocks = append(p.blocks, block)
		last = len(p.blocks) - 1
	}
	p.blocks[last] = append(p.blocks[last], r)
	p.records++
	return nil
}

func (p *pending) sortLast() {
	if n := len(p.blocks); n > 0 {
		slices.SortFunc(p.blocks[n-1], compareRecords)
	}
}

// spill writes all blocks to the file as one run.
func (p *pending) spill() (err error) {
	if p.file == nil {
		if p.file, err = p.spool(); err != nil {
			return err
		}
	}
	out := bufio.NewWriterSize(io.NewOffsetWriter(p.file, p.end), writeBufferBytes)
	w := &pageWriter{w: out}
	if err := merge(p.blockSources(p.same()), w.add); err != nil {
		return err
	}
	if err := w.flush(); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return err
	}
	p.runs = append(p.runs, run{p.end, w.records})
	p.end += pagesOf(w.records) * pageBytes
	p.blocks = nil
	return nil
}

// same gives each band the place it has, and leaves out those that are gone.
func (p *pending) same() []uint32 {
	places := make([]uint32, len(p.bands))
	for i := range places {
		if places[i] = uint32(i); p.gone[i] {
			places[i] = goneBand
		}
	}
	return places
}

// blockSources gives the records in memory, for a merge, each band with the place that bands says.
func (p *pending) blockSources(bands []uint32) []*source {
	p.sortLast()
	var sources []*source
	for _, block := range slices.Backward(p.blocks) {
		sources = append(sources, &source{bands: bands, next: func() (*record, error) {
			if len(block) == 0 {
				return nil, nil
			}
			r := &block[0]
			block = block[1:]
			return r, nil
		}})
	}
	return sources
}

// sources gives all records, the latest first.
func (p *pending) sources(bands []uint32) []*source {
	sources := p.blockSources(bands)
	for i, r := range slices.Backward(p.runs) {
		bufferBytes := min(p.memoryBytes/len(p.runs), readBufferBytes)
		reader := newPageReader(p.file, r.offset, r.records, bufferBytes)
		sources = append(sources, &source{bands: bands, next: func() (*record, error) {
			got, err := reader.next()
			if err != nil {
				err = &lostError{fmt.Errorf("run %d of what was collected: %w", i, err)}
			}
			return got, err
		}})
	}
	return sources
}

// lostError says that what was collected is lost.
type lostError struct{ err error }

func (e *lostError) Error() string { return e.err.Error() }
func (e *lostError) Unwrap() error { return e.err }
