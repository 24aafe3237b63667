package file

import (
	"context"
	"errors"
	"iter"
	"os"
	"slices"
	"strings"

	"dura/archive/storage"

	"golang.org/x/sys/unix"
)

// List implements storage.Storage. It holds the names of one folder at a time, and of those above it.
func (s *Storage) List(ctx context.Context, prefix string, depth storage.Depth) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		folder, start := split(prefix)
		if strings.HasPrefix(prefix, "/") || folder != "" && !storage.ValidName(folder) {
			return // no name starts like this
		}
		l := listing{ctx: ctx, s: s, prefix: prefix, depth: depth, yield: yield}
		l.visit(folder, start)
	}
}

type listing struct {
	ctx    context.Context
	s      *Storage
	prefix string
	depth  storage.Depth
	yield  func(storage.Info, error) bool
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
	dir := os.NewFile(uintptr(fd), l.s.path(folder))
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	var items []item
	for _, base := range names {
		full := base
		if folder != "" {
			full = folder + "/" + base
		}
		if !strings.HasPrefix(base, start) || !storage.ValidName(full) {
			continue
		}
		if err := l.ctx.Err(); err != nil {
			return nil, err
		}
		switch st, err := inspect(fd, base); err {
		case nil:
			items = append(items, item{full, st.Size})
		case unix.EISDIR:
			items = append(items, item{full + "/", 0})
		case unix.ENOENT, isLink, notRegular:
			// Gone since, or no object.
		default:
			return nil, l.s.failed("stat", full, err)
		}
	}
	slices.SortFunc(items, func(a, b item) int { return strings.Compare(a.name, b.name) })
	return items, nil
}
