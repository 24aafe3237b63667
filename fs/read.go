package fs

import (
	"bytes"
	"context"
	"errors"
	"io"
	"syscall"

	"dura/archive"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// bandFile is a regular file of a band.
type bandFile struct{ bandEntry }

// read gives slices of what is cached, not copies. It fails where any part fails: fewer bytes would mean that the file ends
// there. The kernel asks for each page again then, and so gets all that can be read.
func (b bandFile) read(ctx context.Context, off int64, bytes int) (fuse.ReadResult, error) {
	content := b.f.archive.Content(b.entry)
	end := min(off+int64(bytes), b.entry.Size)
	b.readAhead(content, off, end)
	var r pieces
	for off < end {
		s, err := content.At(ctx, off)
		if errors.Is(err, io.EOF) || err == nil && s.Bytes <= 0 {
			err = io.ErrUnexpectedEOF // the size says otherwise
		}
		if err != nil {
			r.Done()
			return nil, err
		}
		data := s.Data
		if data == nil {
			data = b.f.zeros[:min(s.Bytes, int64(len(b.f.zeros)))]
		}
		data = data[:min(int64(len(data)), end-off)]
		r.add(data, s)
		off += int64(len(data))
	}
	if len(r.data) > maxPieces {
		r.join()
	}
	return &r, nil
}

// maxPieces is how many pieces one system call writes to the kernel, and two are its own.
const maxPieces = 1024 - 2

// pieces is what is read of a file. The kernel is written to out of the cache's memory, which is let go behind that.
type pieces struct {
	data  [][]byte
	of    []archive.Segment
	bytes int
}

func (r *pieces) add(data []byte, of archive.Segment) {
	r.data = append(r.data, data)
	r.of = append(r.of, of)
	r.bytes += len(data)
}

// join copies all pieces into one.
func (r *pieces) join() {
	joined := bytes.Join(r.data, nil)
	r.Done()
	r.data = [][]byte{joined}
}

// Size implements fuse.ReadResult.
func (r *pieces) Size() int { return r.bytes }

// Slices has the protocol's library write to the kernel without a copy.
func (r *pieces) Slices() ([][]byte, fuse.Status) { return r.data, fuse.OK }

// Bytes implements fuse.ReadResult, where that is not possible.
func (r *pieces) Bytes([]byte) ([]byte, fuse.Status) {
	return bytes.Join(r.data, nil), fuse.OK
}

// Done implements fuse.ReadResult.
func (r *pieces) Done() {
	for _, s := range r.of {
		s.Release()
	}
	r.data, r.of = nil, nil
}

func (b bandFile) nextData(ctx context.Context, off int64) (start, end int64, err error) {
	return b.f.archive.Content(b.entry).NextData(ctx, off)
}

// Read implements fuse.RawFileSystem.
func (f *FileSystem) Read(interrupt <-chan struct{}, in *fuse.ReadIn, _ []byte) (fuse.ReadResult, fuse.Status) {
	f.requests.read.Add(1)
	r := f.begin(interrupt, &in.InHeader)
	defer r.answered()
	n, err := f.file(r, nodeID(in.NodeId))
	if err != nil {
		return nil, f.answer(r, err)
	}
	result, err := n.read(r, int64(in.Offset), int(in.Size))
	if err != nil {
		return nil, f.answer(r, err)
	}
	return result, fuse.OK
}

// Lseek implements fuse.RawFileSystem, for SEEK_DATA and SEEK_HOLE. Behind the last byte there is a hole, as everywhere.
func (f *FileSystem) Lseek(interrupt <-chan struct{}, in *fuse.LseekIn, out *fuse.LseekOut) fuse.Status {
	f.requests.seek.Add(1)
	r := f.begin(interrupt, &in.InHeader)
	defer r.answered()
	n, err := f.file(r, nodeID(in.NodeId))
	if err != nil {
		return f.answer(r, err)
	}
	offset, err := seek(r, n, int64(in.Offset), in.Whence)
	out.Offset = uint64(offset)
	return f.answer(r, err)
}

func seek(ctx context.Context, n file, off int64, whence uint32) (int64, error) {
	if off < 0 {
		return 0, syscall.ENXIO
	}
	start, end, err := n.nextData(ctx, off)
	if err != nil {
		return 0, err
	}
	switch {
	case whence == unix.SEEK_DATA && start < end:
		return start, nil
	case whence == unix.SEEK_HOLE && start > off:
		return off, nil
	case whence == unix.SEEK_HOLE && start < end:
		return end, nil
	case whence != unix.SEEK_DATA && whence != unix.SEEK_HOLE:
		return 0, syscall.EINVAL
	}
	return 0, syscall.ENXIO
}

func (f *FileSystem) file(r *request, id nodeID) (file, error) {
	n, err := f.node(r, id)
	if err != nil {
		return nil, err
	}
	c, ok := n.(file)
	if !ok {
		return nil, syscall.EINVAL
	}
	return c, nil
}
