package treecmp

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

const contentBufferBytes = 1 << 20

// buffers are reused over the whole comparison.
type buffers struct {
	names, value []byte // 64 KiB is the most that Linux returns of either
	a, b         []byte
}

func newBuffers() buffers {
	return buffers{
		names: make([]byte, 64<<10), value: make([]byte, 64<<10),
		a: make([]byte, contentBufferBytes), b: make([]byte, contentBufferBytes),
	}
}

// extent is a range of a file that holds data: from start up to end.
type extent struct{ start, end int64 }

func (c *comparer) file(path string, a, b *side) error {
	if a.stat.Size != b.stat.Size {
		return c.differ(path, Size, fmt.Sprint(a.stat.Size), fmt.Sprint(b.stat.Size))
	}
	if c.options.ignores(Content) && c.options.ignores(Holes) {
		return nil
	}
	const flags = unix.O_RDONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_CLOEXEC
	fdA, fdB, errA, errB := openBoth(a, b, flags)
	if errA != nil || errB != nil {
		closeBoth(fdA, fdB)
		return c.failed(path, "open", errA, errB)
	}
	fileA, fileB := os.NewFile(uintptr(fdA), path), os.NewFile(uintptr(fdB), path)
	defer fileA.Close()
	defer fileB.Close()
	dataA, errA := dataExtents(fileA, a.stat.Size)
	dataB, errB := dataExtents(fileB, b.stat.Size)
	if errA != nil || errB != nil {
		return c.failed(path, "find the holes of", errA, errB)
	}
	if err := c.holes(path, dataA, dataB); err != nil {
		return err
	}
	return c.content(path, fileA, fileB, union(dataA, dataB))
}

// dataExtents returns where f holds data, in order, none touching the next. Where the file system doesn't tell, that is
// the whole file.
func dataExtents(f *os.File, sizeBytes int64) ([]extent, error) {
	var data []extent
	for at := int64(0); at < sizeBytes; {
		start, err := f.Seek(at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			return data, nil
		}
		if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.ENOSYS) {
			return []extent{{0, sizeBytes}}, nil
		}
		if err != nil {
			return nil, err
		}
		end, err := f.Seek(start, unix.SEEK_HOLE)
		if err != nil {
			return nil, err
		}
		if start >= end {
			return nil, fmt.Errorf("no data at %d, where the file system says it starts; the file changes or has got shorter", start)
		}
		data = appendExtent(data, extent{start, min(end, sizeBytes)})
		at = end
	}
	return data, nil
}

func (c *comparer) holes(path string, dataA, dataB []extent) error {
	same := slices.Equal(dataA, dataB)
	if c.options.Holes == HolesAtLeast {
		same = slices.Equal(dataA, union(dataA, dataB))
	}
	if same {
		return nil
	}
	return c.differ(path, Holes, describeExtents(dataA), describeExtents(dataB))
}

func describeExtents(data []extent) string {
	const most = 8
	if len(data) > most {
		return fmt.Sprintf("%d runs of data, at %v...", len(data), data[:most])
	}
	return fmt.Sprintf("data at %v", data)
}

// union merges two lists of extents into one of the same form.
func union(a, b []extent) []extent {
	all := slices.Concat(a, b)
	slices.SortFunc(all, func(x, y extent) int { return cmp.Compare(x.start, y.start) })
	var out []extent
	for _, e := range all {
		out = appendExtent(out, e)
	}
	return out
}

// appendExtent adds e, which starts no earlier than the last one, and joins the two where they touch.
func appendExtent(list []extent, e extent) []extent {
	if n := len(list); n > 0 && e.start <= list[n-1].end {
		list[n-1].end = max(list[n-1].end, e.end)
		return list
	}
	return append(list, e)
}

// content compares the bytes where either file has data; elsewhere both are zeros.
func (c *comparer) content(path string, a, b *os.File, data []extent) error {
	if c.options.ignores(Content) {
		return nil
	}
	for _, e := range data {
		for at := e.start; at < e.end; {
			size := min(contentBufferBytes, e.end-at)
			bufA, bufB := c.buffers.a[:size], c.buffers.b[:size]
			errA, errB := readFull(a, bufA, at), readFull(b, bufB, at)
			if errA != nil || errB != nil {
				return c.failed(path, "read", errA, errB)
			}
			if i := firstDifference(bufA, bufB); i >= 0 {
				return c.differ(path, Content, byteAt(bufA, i, at), byteAt(bufB, i, at))
			}
			at += size
		}
	}
	return nil
}

func readFull(f *os.File, buf []byte, at int64) error {
	_, err := f.ReadAt(buf, at)
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func firstDifference(a, b []byte) int {
	if bytes.Equal(a, b) {
		return -1
	}
	for i := range a {
		if a[i] != b[i] {
			return i
		}
	}
	return -1
}

func byteAt(buf []byte, i int, at int64) string {
	return fmt.Sprintf("byte %#02x at %d", buf[i], at+int64(i))
}
