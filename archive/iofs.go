package archive

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"time"

	"dura/archive/format"
)

// FS is a band as the standard library has trees of files. Opening a regular file gives an io.ReaderAt and io.Seeker as well.
//
// Links are followed as if the band's root were that of the system: no link leads out of the band. What is neither a file nor a
// directory nor a link can be described and opened, and has no content. Names that are not UTF-8 are listed, but fs.ValidPath
// lets nobody ask for them.
type FS struct {
	ctx  context.Context
	band *Band
}

var (
	_ fs.ReadDirFS  = (*FS)(nil)
	_ fs.StatFS     = (*FS)(nil)
	_ fs.ReadLinkFS = (*FS)(nil)
)

// FS gives the band as a tree of files. All that is asked of it ends when ctx is done.
func (b *Band) FS(ctx context.Context) *FS { return &FS{ctx, b} }

// maxLinks is how many links are followed for one name, as Linux does.
const maxLinks = 40

// Open implements fs.FS.
func (f *FS) Open(name string) (fs.File, error) {
	l, err := f.find("open", name, true)
	if err != nil {
		return nil, err
	}
	info := fileInfo{baseOf(name), l.Entry}
	if l.Kind == format.Directory {
		return &openDir{fs: f, info: info, path: l.Path, name: name}, nil
	}
	return &openFile{fs: f, info: info, name: name, content: f.band.archive.Content(l.Entry)}, nil
}

// Stat implements fs.StatFS.
func (f *FS) Stat(name string) (fs.FileInfo, error) { return f.info("stat", name, true) }

// Lstat implements fs.ReadLinkFS.
func (f *FS) Lstat(name string) (fs.FileInfo, error) { return f.info("lstat", name, false) }

func (f *FS) info(op, name string, follow bool) (fs.FileInfo, error) {
	l, err := f.find(op, name, follow)
	if err != nil {
		return nil, err
	}
	return fileInfo{baseOf(name), l.Entry}, nil
}

// ReadLink implements fs.ReadLinkFS.
func (f *FS) ReadLink(name string) (string, error) {
	l, err := f.find("readlink", name, false)
	if err == nil && l.Kind != format.Symlink {
		err = &fs.PathError{Op: "readlink", Path: name, Err: syscall.EINVAL}
	}
	if err != nil {
		return "", err
	}
	return l.Target, nil
}

// ReadDir implements fs.ReadDirFS. With an error come the entries that could be read.
func (f *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	l, err := f.find("readdir", name, true)
	if err != nil {
		return nil, err
	}
	if l.Kind != format.Directory {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: syscall.ENOTDIR}
	}
	d := &openDir{fs: f, path: l.Path, name: name}
	defer d.Close()
	return d.ReadDir(-1)
}

// find looks a name up.
func (f *FS) find(op, name string, follow bool) (Located, error) {
	if !fs.ValidPath(name) {
		return Located{}, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	path := format.Root
	if name != "." {
		path = format.Path(name)
	}
	l, err := f.lookup(path)
	if Is(err, KindNotFound) && len(path) <= format.MaxPathBytes || err == nil && follow && l.Kind == format.Symlink {
		l, err = f.resolve(string(path), follow)
	}
	return l, pathError(op, name, err)
}

// lookup finds an entry; the root need not have been stored.
func (f *FS) lookup(p format.Path) (Located, error) {
	l, err := f.band.Lookup(f.ctx, p)
	if p == format.Root && Is(err, KindNotFound) {
		at := format.TimeOf(f.band.id.Time())
		return Located{Entry: &format.Entry{Kind: format.Directory, Mode: 0o555, MTime: at, CTime: at}}, nil
	}
	return l, err
}

// resolve looks a name up component by component, and follows links; the last one only if it is to.
func (f *FS) resolve(rest string, follow bool) (Located, error) {
	at, err := f.lookup(format.Root)
	for links := 0; rest != "" && err == nil; {
		var name string
		name, rest, _ = strings.Cut(rest, "/")
		switch {
		case name == "" || name == ".":
			continue
		case at.Kind != format.Directory:
			return Located{}, syscall.ENOTDIR
		case name == "..":
			parent, _ := at.Path.Split()
			at, err = f.lookup(parent)
			continue
		}
		var next Located
		next, err = f.lookup(at.Path.Join(name))
		if err != nil || next.Kind != format.Symlink || rest == "" && !follow {
			at = next
			continue
		}
		if links++; links > maxLinks {
			return Located{}, syscall.ELOOP
		}
		if strings.HasPrefix(next.Target, "/") {
			at, err = f.lookup(format.Root)
		}
		rest = next.Target + "/" + rest
	}
	return at, err
}

// pathError is err as io/fs wants it; nil if err is.
func pathError(op, name string, err error) error {
	switch {
	case err == nil:
		return nil
	case Is(err, KindNotFound):
		err = fs.ErrNotExist
	case Is(err, KindDenied):
		err = errors.Join(fs.ErrPermission, err)
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

func baseOf(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// fileInfo describes an entry. Sys gives its *format.Entry, which is shared and must not be modified.
type fileInfo struct {
	name  string
	entry *format.Entry
}

func (i fileInfo) Name() string       { return i.name }
func (i fileInfo) ModTime() time.Time { return i.entry.MTime.Std() }
func (i fileInfo) IsDir() bool        { return i.entry.Kind == format.Directory }
func (i fileInfo) Sys() any           { return i.entry }

func (i fileInfo) Size() int64 {
	if i.entry.Kind == format.Symlink {
		return int64(len(i.entry.Target))
	}
	return i.entry.Size
}

func (i fileInfo) Mode() fs.FileMode {
	return fs.FileMode(i.entry.Mode)&fs.ModePerm | kindModes[i.entry.Kind] | specialMode(i.entry.Mode)
}

var kindModes = map[format.Kind]fs.FileMode{
	format.Directory: fs.ModeDir, format.Symlink: fs.ModeSymlink, format.FIFO: fs.ModeNamedPipe, format.Socket: fs.ModeSocket,
	format.CharDevice: fs.ModeDevice | fs.ModeCharDevice, format.BlockDevice: fs.ModeDevice,
}

// specialMode is setuid, setgid and sticky.
func specialMode(bits uint32) (m fs.FileMode) {
	for bit, mode := range map[uint32]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if bits&bit != 0 {
			m |= mode
		}
	}
	return m
}
