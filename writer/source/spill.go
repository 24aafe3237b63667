package source

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"
)

// spill keeps runs of names in a temporary file without a name of its own. The zero value with a dir is empty.
type spill struct {
	dir  string
	file *os.File
	end  int64 // the next run begins here
	runs int64 // written so far
	buf  []byte
}

// run is where some names lie in the file of a spill.
type run struct{ offset, end int64 }

// A name is stored as its length (2 bytes, little-endian), its type (1 byte) and its bytes.
const recordHeadBytes = 3

// write stores the names of l from i up to j.
func (s *spill) write(l *names, i, j int) (run, error) {
	if err := s.open(); err != nil {
		return run{}, err
	}
	out := &counted{w: io.NewOffsetWriter(s.file, s.end)}
	w := bufio.NewWriterSize(out, 64<<10)
	var head [recordHeadBytes]byte
	for _, r := range l.refs[i:j] {
		binary.LittleEndian.PutUint16(head[:], r.length)
		head[2] = r.typ
		w.Write(head[:])
		w.Write(l.name(r))
	}
	if err := w.Flush(); err != nil {
		return run{}, s.wrap(err)
	}
	written := run{s.end, s.end + out.bytes}
	s.end = written.end
	s.runs++
	return written, nil
}

func (s *spill) open() error {
	if s.file != nil {
		return nil
	}
	f, err := os.CreateTemp(s.dir, "dura-names-")
	if err != nil {
		return s.wrap(err)
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return s.wrap(err)
	}
	s.file = f
	return nil
}

// read adds about chunkBytes of r's names to l, one at least, and takes them off r.
func (s *spill) read(l *names, r *run, chunkBytes int64) error {
	chunkBytes = min(max(chunkBytes, recordHeadBytes+maxNameBytes), r.end-r.offset)
	s.buf = slices.Grow(s.buf[:0], int(chunkBytes))
	chunk := s.buf[:chunkBytes]
	if _, err := s.file.ReadAt(chunk, r.offset); err != nil {
		return s.wrap(err)
	}
	for len(chunk) >= recordHeadBytes {
		bytes := recordHeadBytes + int(binary.LittleEndian.Uint16(chunk))
		if bytes > len(chunk) {
			break
		}
		l.add(chunk[recordHeadBytes:bytes], chunk[2])
		r.offset += int64(bytes)
		chunk = chunk[bytes:]
	}
	return nil
}

func (s *spill) wrap(err error) error {
	return fmt.Errorf("the names of large directories are kept in %s meanwhile: %w", s.dir, err)
}

func (s *spill) close() {
	if s.file != nil {
		s.file.Close()
	}
}

// counted counts what goes through it.
type counted struct {
	w     io.Writer
	bytes int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.bytes += int64(n)
	return n, err
}
