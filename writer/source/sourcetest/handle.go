package sourcetest

import (
	"io"
	"os"
	"slices"
	"sync/atomic"

	"dura/archive/format"
	"dura/writer/source"
)

type handle struct {
	item   Item
	closed atomic.Bool
}

func (h *handle) Filename() string { return "/" + string(h.item.Entry.Path) }

func (h *handle) XAttrs() ([]format.XAttr, error) {
	if h.closed.Load() {
		return nil, os.ErrClosed
	}
	return slices.Clone(h.item.Entry.XAttrs), nil
}

func (h *handle) Open() (source.Content, error) {
	switch {
	case h.closed.Load():
		return nil, os.ErrClosed
	case h.item.OpenErr != nil:
		return nil, h.item.OpenErr
	case h.item.Entry.Kind != format.File:
		return nil, os.ErrInvalid
	}
	return &content{item: h.item}, nil
}

func (h *handle) Close() error {
	if h.closed.Swap(true) {
		return os.ErrClosed
	}
	return nil
}

type content struct {
	item   Item
	at     int64
	stats  int
	closed bool
}

func (c *content) Read(p []byte) (int, error) {
	d := c.item.Data
	if c.closed {
		return 0, os.ErrClosed
	}
	end := d.Size
	if d.Err != nil {
		end = min(end, d.ErrAt)
		if c.at >= d.ErrAt {
			return 0, d.Err
		}
	}
	if c.at >= end && len(p) > 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), max(0, end-c.at)))
	d.read(p[:n], c.at)
	c.at += int64(n)
	return n, nil
}

func (c *content) NextData(offset int64) (start, end int64, err error) {
	if c.closed {
		return 0, 0, os.ErrClosed
	}
	start, end = c.item.Data.nextData(offset)
	c.at = start
	return start, end, nil
}

func (c *content) SeekTo(offset int64) error {
	if c.closed {
		return os.ErrClosed
	}
	c.at = offset
	return nil
}

func (c *content) Stat() (format.Entry, error) {
	if c.closed {
		return format.Entry{}, os.ErrClosed
	}
	e := c.item.Entry
	if c.item.Stat != nil {
		e = c.item.Stat(c.stats)
	}
	c.stats++
	e.Path, e.Target, e.XAttrs = "", "", nil
	return e, nil
}

func (c *content) XAttrs() ([]format.XAttr, error) {
	if c.closed {
		return nil, os.ErrClosed
	}
	return slices.Clone(c.item.Entry.XAttrs), nil
}

func (c *content) Close() error {
	if c.closed {
		return os.ErrClosed
	}
	c.closed = true
	return nil
}
