package source

import (
	"context"

	"golang.org/x/sys/unix"

	"dura/archive/format"
)

// walk is one walk under way.
type walk struct {
	*Trees
	ctx   context.Context
	start Start
	begun bool // all that is left belongs to the walk
	yield func(Node, error) bool
	dirs  *dirs

	lister  lister
	pending pending
	levels  []*dir // from a root to the current directory, held; pending has a level for each
	left    *dir   // the directory whose visit ended last, held: the way up from it is short
	path    []byte // of the current directory, with a "/" unless it is empty, and room for a name
	prefix  int    // how much of path belongs to the directory
}

func newWalk(ctx context.Context, t *Trees, start Start, yield func(Node, error) bool) *walk {
	w := &walk{Trees: t, ctx: ctx, start: start, yield: yield, dirs: newDirs(t.o.MaxOpenDirs)}
	w.lister = lister{spill: spill{dir: t.o.TempDir}, limitBytes: t.o.MaxNameBytes / 2}
	w.pending = pending{spill: spill{dir: t.o.TempDir}, limitBytes: t.o.MaxNameBytes / 2}
	return w
}

func (w *walk) close() {
	for _, d := range w.levels {
		d.drop()
	}
	w.lister.spill.close()
	w.pending.spill.close()
}

// lead walks what r leads to, r itself included.
func (w *walk) lead(r *root) error {
	enter, err := w.rootEntry(r)
	if err != nil || !enter {
		return err
	}
	return w.below(r)
}

func (w *walk) below(r *root) error {
	if r.tree() {
		return w.tree(r)
	}
	entered := make([]*root, 0, len(r.leadsTo))
	for _, next := range r.leadsTo {
		enter, err := w.rootEntry(next)
		if err != nil {
			return err
		}
		if enter {
			entered = append(entered, next)
		}
	}
	for _, next := range entered {
		if err := w.below(next); err != nil {
			return err
		}
	}
	return nil
}

// rootEntry yields the entry of a root, or of a directory that leads to some, and reports whether to enter it.
func (w *walk) rootEntry(r *root) (enter bool, err error) {
	if err := w.check(); err != nil || !w.enters(r.path) {
		return false, err
	}
	var st unix.Stat_t
	flags := unix.AT_SYMLINK_NOFOLLOW
	if !r.tree() {
		flags = 0
	}
	if err := fstatat(unix.AT_FDCWD, r.local, &st, flags); err != nil {
		return false, w.raise(r.local, err)
	}
	h := &handle{trees: w.Trees, root: r, name: r.local, path: r.path, follow: !r.tree()}
	given, err := w.give(h, unix.AT_FDCWD, &st)
	if err != nil || !given || h.kind != format.Directory {
		return false, err
	}
	return !r.tree() || !w.skips(r.path, idOf(&st)), nil
}

// tree walks what is in the tree of r, a directory.
func (w *walk) tree(r *root) error {
	d, err := w.dirs.descend(r, nil, unix.AT_FDCWD, r.local)
	if err != nil {
		return w.raise(r.local, err)
	}
	if err := w.enter(d); err != nil {
		return err
	}
	defer w.forgetLeft()
	for len(w.levels) > 0 {
		if err := w.check(); err != nil {
			return err
		}
		name, more, err := w.pending.next()
		if err != nil {
			return err
		}
		if !more {
			w.leave()
			continue
		}
		if err := w.visit(string(name)); err != nil {
			return err
		}
	}
	return nil
}

// forgetLeft lets go of the directory whose visit ended last.
func (w *walk) forgetLeft() {
	w.left.drop()
	w.left = nil
}

// visit enters the directory called name in the deepest one.
func (w *walk) visit(name string) error {
	parent := w.levels[len(w.levels)-1]
	parentFD, err := w.pinParent(parent)
	var d *dir
	if err == nil {
		d, err = w.dirs.descend(parent.root, parent, parentFD, name)
		parent.unpin()
	}
	if err != nil {
		return w.raise(parent.root.filename(parent.path.Join(name)), err)
	}
	if w.skipsMount(d.path, d.id, parent.id) { // mounted after it was listed
		d.unpin()
		d.drop()
		return nil
	}
	return w.enter(d)
}

func (w *walk) pinParent(parent *dir) (int, error) {
	if w.left == nil {
		return parent.pin()
	}
	defer w.forgetLeft()
	return parent.pinFrom(w.left)
}

// leave ends the visit of the deepest directory. That is kept open, if the one in it left before is: so the way up is short.
func (w *walk) leave() {
	d := w.levels[len(w.levels)-1]
	if w.left != nil {
		if _, open := d.pinOpenFrom(w.left); open {
			d.unpin()
		}
		w.left.drop()
	}
	w.left = d
	w.levels = w.levels[:len(w.levels)-1]
	w.pending.pop()
}

// enter lists d, which is pinned and held, yields its entries, and keeps its subdirectories for later.
func (w *walk) enter(d *dir) error {
	defer d.unpin()
	w.levels = append(w.levels, d)
	w.pending.push()
	w.begun = w.begun || w.start.Wholly(d.path)
	w.path = append(w.path[:0], d.path...)
	if d.path != format.Root {
		w.path = append(w.path, '/')
	}
	w.prefix = len(w.path)
	if err := w.list(d); err != nil {
		return err
	}
	for {
		name, typ, more, err := w.lister.next()
		if err != nil {
			return err
		}
		if !more {
			return w.pending.seal()
		}
		if err := w.entry(d, name, typ); err != nil {
			return err
		}
	}
}

// entry yields the entry called name in d, unless it is left out.
func (w *walk) entry(d *dir, name []byte, typ uint8) error {
	if err := w.check(); err != nil {
		return err
	}
	w.path = append(w.path[:w.prefix], name...)
	path := format.Path(w.path)
	if !w.wants(path, typ) {
		return nil
	}
	h := &handle{trees: w.Trees, root: d.root, dir: d, name: string(path[w.prefix:]), path: path}
	if len(h.path) > format.MaxPathBytes {
		return w.raiseUnsupported(h.Filename(), "its path is too long")
	}
	if typ != unix.DT_UNKNOWN && w.excludes(h.path, typ == unix.DT_DIR) {
		return nil
	}
	var st unix.Stat_t
	if err := fstatat(d.fd, h.name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return w.raise(h.Filename(), err)
	}
	if typ == unix.DT_UNKNOWN && w.excludes(h.path, kindOf(&st) == format.Directory) {
		return nil
	}
	given, err := w.give(h, d.fd, &st)
	if err != nil || !given || h.kind != format.Directory {
		return err
	}
	id := idOf(&st)
	if w.skips(h.path, id) || w.skipsMount(h.path, id, d.id) {
		return nil
	}
	return w.pending.add(name)
}

// give yields the node for h, where it belongs to the walk. It reports whether there is an entry: of what can't be one, an
// alarm is raised.
func (w *walk) give(h *handle, dirFD int, st *unix.Stat_t) (given bool, err error) {
	h.id, h.kind = idOf(st), kindOf(st)
	if !w.yields(h.path) {
		return true, nil
	}
	if h.kind == 0 {
		return false, w.raiseUnsupported(h.Filename(), "it is of an unknown type")
	}
	n := Node{Entry: format.Entry{Path: h.path}, Blocks: max(0, int64(st.Blocks)), Handle: h}
	w.owners.fill(&n.Entry, st)
	if h.kind == format.Symlink {
		if n.Entry.Target, err = readlinkat(dirFD, h.name); err != nil {
			return false, w.raise(h.Filename(), err)
		}
	}
	h.dir.hold()
	w.counts.entries.Add(1)
	if !w.yield(n, nil) {
		return true, errStopped
	}
	return true, nil
}

// wants reports whether anything at path is for this walk, or below it where typ doesn't rule out a directory.
func (w *walk) wants(path format.Path, typ uint8) bool {
	return w.yields(path) || (typ == unix.DT_DIR || typ == unix.DT_UNKNOWN) && w.enters(path)
}

func (w *walk) yields(path format.Path) bool { return w.begun || w.start.Yields(path) }

func (w *walk) enters(dir format.Path) bool { return w.begun || w.start.Enters(dir) }

// check returns an error when the walk is to end.
func (w *walk) check() error {
	if w.ctx.Err() != nil {
		return context.Cause(w.ctx)
	}
	return nil
}
