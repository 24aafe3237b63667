package sim

import (
	"context"
	"io"
	"iter"
	"os"
	"slices"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"dura/archive/format"
	"dura/writer/source"
)

// walker is a tree as a Source. What it meets changes while it is walked, whenever pause lets that happen.
type walker struct {
	tree   *tree
	pause  func(ctx context.Context, p format.Path) error // ahead of each look at p
	open   atomic.Int64                                   // handles and contents
	misuse atomic.Int64                                   // of what was closed
}

// Walk is source.Source.Walk. What vanishes ahead of it is left out.
func (w *walker) Walk(ctx context.Context, start source.Start) iter.Seq2[source.Node, error] {
	return func(yield func(source.Node, error) bool) {
		x := &walk{walker: w, ctx: ctx, start: start, yield: yield}
		if x.entry(format.Root) {
			x.directory(format.Root)
		}
	}
}

type walk struct {
	*walker
	ctx   context.Context
	start source.Start
	yield func(source.Node, error) bool
}

// entry yields what is at p, and reports whether to go on.
func (x *walk) entry(p format.Path) bool {
	if !x.start.Yields(p) {
		return true
	}
	err := x.pause(x.ctx, p)
	if x.ctx.Err() != nil {
		err = context.Cause(x.ctx)
	}
	if err != nil {
		x.yield(source.Node{}, err)
		return false
	}
	n := x.tree.current.Load().nodes[p]
	if n == nil {
		return true
	}
	x.open.Add(1)
	node := source.Node{Entry: n.entry, Handle: &handle{walker: x.walker, ctx: x.ctx, met: n}}
	node.Entry.XAttrs = nil
	if n.content != nil {
		node.Blocks = n.content.blocks()
	}
	return x.yield(node, nil)
}

// directory yields what is below dir.
func (x *walk) directory(dir format.Path) bool {
	if !x.start.Enters(dir) {
		return true
	}
	names := x.tree.current.Load().list(dir)
	var below []format.Path
	for _, name := range names {
		p := dir.Join(name)
		if n := x.tree.current.Load().nodes[p]; n != nil && n.entry.Kind == format.Directory {
			below = append(below, p)
		}
		if !x.entry(p) {
			return false
		}
	}
	for _, p := range below {
		if !x.directory(p) {
			return false
		}
	}
	return true
}

// handle leads to what a walk met.
type handle struct {
	*walker
	ctx context.Context
	met *node
	closed
}

// closed is what handles and contents know of their end.
type closed struct{ is atomic.Bool }

func (c *closed) close(w *walker) error {
	if c.is.Swap(true) {
		w.misuse.Add(1)
		return os.ErrClosed
	}
	w.open.Add(-1)
	return nil
}

func (c *closed) check(w *walker) {
	if c.is.Load() {
		w.misuse.Add(1)
	}
}

func (h *handle) Filename() string { return h.tree.root + "/" + string(h.met.entry.Path) }

func (h *handle) Close() error { return h.close(h.walker) }

// now is what is there now, if it is still what the walk met.
func (h *handle) now() (*node, error) {
	if err := h.pause(h.ctx, h.met.entry.Path); err != nil {
		return nil, err
	}
	n := h.tree.current.Load().nodes[h.met.entry.Path]
	switch {
	case n == nil:
		return nil, os.NewSyscallError("openat", unix.ENOENT)
	case n.inode() != h.met.inode() || n.entry.Kind != h.met.entry.Kind:
		return nil, source.ErrChanged
	}
	return n, nil
}

func (h *handle) XAttrs() ([]format.XAttr, error) {
	h.check(h.walker)
	n, err := h.now()
	if err != nil {
		return nil, h.ctx.Err() // otherwise left out, as are those of what has vanished
	}
	return slices.Clone(n.entry.XAttrs), nil
}

func (h *handle) Open() (source.Content, error) {
	h.check(h.walker)
	n, err := h.now()
	if err != nil {
		return nil, err
	}
	if n.entry.Kind != format.File {
		return nil, os.ErrInvalid
	}
	h.walker.open.Add(1)
	return &opened{handle: h, last: n}, nil
}

// opened is an open file: what its name leads to, as long as that is the same file.
type opened struct {
	handle *handle
	last   *node
	at     int64
	closed
}

func (o *opened) now() *node {
	o.check(o.handle.walker)
	if n, err := o.handle.now(); err == nil {
		o.last = n
	}
	return o.last
}

func (o *opened) Read(p []byte) (int, error) {
	n := o.now().content.read(p, o.at)
	o.at += int64(n)
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (o *opened) NextData(offset int64) (start, end int64, err error) {
	start, end = o.now().content.nextData(offset)
	o.at = start
	return start, end, nil
}

func (o *opened) SeekTo(offset int64) error {
	o.at = offset
	return nil
}

func (o *opened) Stat() (format.Entry, error) {
	e := o.now().entry
	e.Path, e.Target, e.XAttrs = "", "", nil
	return e, nil
}

func (o *opened) XAttrs() ([]format.XAttr, error) { return slices.Clone(o.now().entry.XAttrs), nil }

func (o *opened) Close() error { return o.close(o.handle.walker) }
