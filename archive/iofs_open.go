package archive

import (
	"errors"
	"io"
	"io/fs"
	"iter"
	"sync"
	"sync/atomic"
	"syscall"

	"dura/archive/format"
)

// openFile is an open file of an FS.
type openFile struct {
	fs      *FS
	info    fileInfo
	name    string // as it was opened
	content *Content

	closed atomic.Bool
	mu     sync.Mutex // for offset
	offset int64
}

var _ interface {
	fs.File
	io.ReaderAt
	io.Seeker
} = (*openFile)(nil)

func (f *openFile) Stat() (fs.FileInfo, error) { return f.info, nil }

func (f *openFile) Read(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.ReadAt(p, f.offset)
	f.offset += int64(n)
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}

// ReadAt implements io.ReaderAt.
func (f *openFile) ReadAt(p []byte, off int64) (n int, err error) {
	switch {
	case f.closed.Load():
		err = fs.ErrClosed
	case off < 0:
		err = fs.ErrInvalid
	case f.info.entry.Kind != format.File:
		return 0, io.EOF
	case len(p) > 0:
		n, err = f.content.ReadAt(f.fs.ctx, p, off)
	}
	if err == nil || err == io.EOF {
		return n, err
	}
	return n, pathError("read", f.name, err)
}

// Seek implements io.Seeker.
func (f *openFile) Seek(offset int64, whence int) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += f.offset
	case io.SeekEnd:
		offset += f.info.Size()
	default:
		offset = -1
	}
	if offset < 0 {
		return 0, pathError("seek", f.name, fs.ErrInvalid)
	}
	f.offset = offset
	return offset, nil
}

func (f *openFile) Close() error {
	if f.closed.Swap(true) {
		return pathError("close", f.name, fs.ErrClosed)
	}
	return nil
}

// openDir is an open directory of an FS.
type openDir struct {
	fs   *FS
	info fileInfo
	path format.Path
	name string // as it was opened

	next   func() (Located, error, bool) // nil until something is listed
	stop   func()
	closed bool
}

var _ fs.ReadDirFile = (*openDir)(nil)

func (d *openDir) Stat() (fs.FileInfo, error) { return d.info, nil }

func (d *openDir) Read([]byte) (int, error) { return 0, pathError("read", d.name, syscall.EISDIR) }

func (d *openDir) Close() error {
	if d.closed {
		return pathError("close", d.name, fs.ErrClosed)
	}
	d.closed = true
	if d.stop != nil {
		d.stop()
	}
	return nil
}

// ReadDir implements fs.ReadDirFile. What can't be read is passed over, and told of behind the entries that can be.
func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if d.closed {
		return nil, pathError("readdir", d.name, fs.ErrClosed)
	}
	if d.next == nil {
		d.next, d.stop = iter.Pull2(d.fs.band.ReadDir(d.fs.ctx, d.path, ""))
	}
	entries := []fs.DirEntry{}
	var failures []error
	for n <= 0 || len(entries) < n {
		l, err, more := d.next()
		switch {
		case !more && n > 0 && len(entries) == 0 && len(failures) == 0:
			return nil, io.EOF
		case !more:
			return entries, pathError("readdir", d.name, errors.Join(failures...))
		case err != nil:
			failures = append(failures, err)
		default:
			_, name := l.Path.Split()
			entries = append(entries, fs.FileInfoToDirEntry(fileInfo{name, l.Entry}))
		}
	}
	return entries, pathError("readdir", d.name, errors.Join(failures...))
}
