package file

import (
	"context"
	"errors"
	"iter"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"dura/archive/storage"

	"golang.org/x/sys/unix"
)

// List implements storage.Storage. It holds the names of one folder at a time, and of those above it.
func (s *Storage) List(ctx context.Context, prefix string, depth storage.Depth) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		l := listing{ctx: ctx, s: s, prefix: prefix, depth: depth, sizes: true, yield: yield}
		l.list()
	}
}

// Names implements storage.NameLister. Most systems tell in a directory what is a file, so that none is looked at.
func (s *Storage) Names(ctx context.Context, prefix string, depth storage.Depth) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		l := listing{ctx: ctx, s: s, prefix: prefix, depth: depth, yield: func(i storage.Info, err error) bool { return yield(i.Name, err) }}
		l.list()
	}
}

type listing struct {
	ctx    context.Context
	s      *Storage
	prefix string
	depth  storage.Depth
	sizes  bool
	yield  func(storage.Info, error) bool
}

func (l *listing) list() {
	folder, start := split(l.prefix)
	if strings.HasPrefix(l.prefix, "/") || folder != "" && !storage.ValidName(folder) {
		return // no name starts like this
	}
	l.visit(folder, start)
}

// item is a file or a folder.
type item struct {
	name      string // in full; of a folder, with a slash at the end, which puts it in its place among the files
	sizeBytes int64
}

// visit yields what a folder holds whose names there begin with start. It reports whether more is wanted.
func (l *listing) visit(folder, start string) bool {
	items, err := l.read(folder, start)
	if err != nil {
		l.yield(storage.Info{}, failure(storage.OpList, l.prefix, err))
		return false
	}
	for _, it := range items {
		if err := l.ctx.Err(); err != nil {
			l.yield(storage.Info{}, failure(storage.OpList, l.prefix, err))
			return false
		}
		sub, isFolder := strings.CutSuffix(it.name, "/")
		switch {
		case !isFolder:
			if !l.yield(storage.Info{Name: it.name, SizeBytes: it.sizeBytes}, nil) {
				return false
			}
		case l.depth == storage.Deep:
			if !l.visit(sub, "") {
				return false
			}
		}
	}
	return true
}

// read returns the objects and folders that a folder holds, in the order of their names. One that isn't there holds none.
func (l *listing) read(folder, start string) ([]item, error) {
	if err := l.ctx.Err(); err != nil {
		return nil, err
	}
	fd, err := l.s.openFolder(folder, false)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	dir := os.NewFile(uintptr(fd), directoryName(fd, l.s.path(folder)))
	defer dir.Close()
	found, err := dir.ReadDir(-1)
	if err != nil {
		return nil, l.s.failed("readdir", folder, bareError(err))
	}
	items := make([]item, 0, len(found))
	for _, e := range found {
		full := e.Name()
		if folder != "" {
			full = folder + "/" + full
		}
		if !strings.HasPrefix(e.Name(), start) || !storage.ValidName(full) {
			continue
		}
		if err := l.ctx.Err(); err != nil {
			return nil, err
		}
		switch it, err := l.item(fd, full, e); err {
		case nil:
			items = append(items, it)
		case unix.ENOENT, isLink, notRegular:
			// Gone since, or no object.
		default:
			return nil, l.s.failed("stat", full, err)
		}
	}
	slices.SortFunc(items, func(a, b item) int { return strings.Compare(a.name, b.name) })
	return items, nil
}

// item looks at what is called full, as far as the directory does not tell all that is needed.
func (l *listing) item(folder int, full string, e os.DirEntry) (item, error) {
	switch {
	case e.Type().IsDir():
		return item{name: full + "/"}, nil
	case e.Type() == 0 && !l.sizes:
		return item{name: full}, nil
	}
	st, err := inspect(folder, e.Name())
	if err == unix.EISDIR {
		return item{name: full + "/"}, nil
	}
	return item{full, st.Size}, err
}

// directoryName is a name under which the library looks at what an open directory holds, where the directory itself does not tell
// the types: one that leads there wherever the directory has gone, if the system has such names.
func directoryName(fd int, path string) string {
	if runtime.GOOS == "linux" {
		return "/proc/self/fd/" + strconv.Itoa(fd)
	}
	return path
}

// bareError is an error without the name that it was given.
func bareError(err error) error {
	if p := (*os.PathError)(nil); errors.As(err, &p) {
		return p.Err
	}
	return err
}
