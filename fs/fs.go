package fs

import (
	"context"
	"syscall"

	"dura/archive"
	"dura/archive/format"

	"github.com/hanwen/go-fuse/v2/fuse"
	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"
)

const (
	maxOpenBands = 64
	maxDirs      = 16 << 10 // directories whose paths are remembered
	maxDamaged   = 1 << 10  // directories whose damage is
	zeroBytes    = 128 << 10
)

// FileSystem answers the kernel's requests. New makes one, Mount serves it.
type FileSystem struct {
	fuse.RawFileSystem

	archive *archive.Archive
	options Options
	bands   *bandList
	alarms  *alarms
	zeros   []byte // what holes read as; never written

	opened  *lru.Cache[int, *archive.Band] // by slot
	opening singleflight.Group
	dirs    *lru.Cache[nodeID, dirPlace]
	damaged *lru.Cache[nodeID, struct{}] // directories whose listing is not whole

	ctx      context.Context // ends with the mount
	stop     context.CancelFunc
	kernel   kernel
	requests counter
}

// dirPlace is where a directory of a band is: what a listing of it needs to know without reading the index for it.
type dirPlace struct {
	path   format.Path
	parent nodeID
}

// New makes the file system that shows what is in a. It lists the bands once, or finds the one that is to be shown alone.
func New(ctx context.Context, a *archive.Archive, o Options) (*FileSystem, error) {
	f := &FileSystem{
		RawFileSystem: fuse.NewDefaultRawFileSystem(), archive: a, options: o.withDefaults(), zeros: make([]byte, zeroBytes),
	}
	f.ctx, f.stop = context.WithCancel(context.WithoutCancel(ctx))
	var err error
	if f.alarms, err = newAlarms(f.options.Alarms, f.options.Now); err != nil {
		return nil, err
	}
	if f.opened, err = lru.New[int, *archive.Band](maxOpenBands); err != nil {
		return nil, err
	}
	if f.dirs, err = lru.New[nodeID, dirPlace](maxDirs); err != nil {
		return nil, err
	}
	if f.damaged, err = lru.New[nodeID, struct{}](maxDamaged); err != nil {
		return nil, err
	}
	f.bands = &bandList{
		list: f.listBands, mount: f.ctx, options: f.options, changed: f.rootChanged,
		failed: func(err error) { f.alarms.raise(err, subject{}) },
	}
	if o.Band != "" {
		return f, f.showOne(ctx)
	}
	return f, f.bands.refresh(ctx)
}

// isSingle reports whether one band is shown alone.
func (f *FileSystem) isSingle() bool { return f.options.Band != "" }

func (f *FileSystem) showOne(ctx context.Context) error {
	state, err := f.archive.FindBand(ctx, f.options.Band)
	if err != nil {
		return err
	}
	s := f.bands.add(state)
	t := bandTop{f, s}
	top, err := t.entry(ctx)
	if err == nil && top.Kind != format.Directory {
		err = &archive.Error{Op: "mount", Band: s.id, Path: f.options.Subtree, Kind: archive.KindNotADirectory}
	}
	return err
}

// String names the file system.
func (f *FileSystem) String() string { return "dura" }

// begin makes the context of a request. It must be answered.
func (f *FileSystem) begin(interrupt <-chan struct{}, header *fuse.InHeader) *request {
	return &request{mount: f.ctx, timeout: f.options.Timeout, interrupt: interrupt, pid: header.Caller.Pid}
}

// listBands lists the bands. Where there are none it looks whether there still is an archive: an empty directory in the place
// of one would have mirrors of it emptied.
func (f *FileSystem) listBands(ctx context.Context) ([]archive.BandState, error) {
	states, err := f.archive.Bands(ctx)
	if err == nil && len(states) == 0 {
		_, err = f.archive.Storage().Stat(ctx, format.ArchiveName)
	}
	return states, err
}

// open is the band of a slot.
func (f *FileSystem) open(ctx context.Context, s *slot) (*archive.Band, error) {
	if b, ok := f.opened.Get(s.number); ok {
		return b, nil
	}
	result := f.opening.DoChan(string(s.id), func() (any, error) {
		ctx, cancel := context.WithTimeout(f.ctx, f.options.Timeout)
		defer cancel()
		b, err := f.archive.OpenBand(ctx, s.state)
		if err == nil {
			f.opened.Add(s.number, b)
		}
		return b, err
	})
	select {
	case r := <-result:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*archive.Band), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// node finds what id stands for.
func (f *FileSystem) node(r *request, id nodeID) (node, error) {
	if id == rootID && f.isSingle() {
		id = topNode(0)
	}
	number, ordinal, ok := id.band()
	if !ok {
		return f.made(id)
	}
	s := f.bands.slot(number)
	if s == nil {
		return nil, syscall.ESTALE
	}
	if ordinal < 0 {
		r.about = subject{s.id, f.options.Subtree}
		return bandTop{f, s}, nil
	}
	r.about = subject{band: s.id}
	b, err := f.open(r, s)
	if err != nil {
		return nil, err
	}
	l, err := b.At(r, ordinal)
	if err != nil {
		return nil, err
	}
	r.about.path = l.Path
	return bandEntry{f, s, b, l.Entry, id}.node(), nil
}

// directory finds the directory that id stands for.
func (f *FileSystem) directory(r *request, id nodeID) (directory, error) {
	if place, ok := f.dirs.Get(id); ok {
		number, _, _ := id.band()
		s := f.bands.slot(number)
		r.about = subject{s.id, place.path}
		b, err := f.open(r, s)
		return listing{f, s, b, id, place}, err
	}
	n, err := f.node(r, id)
	if err != nil {
		return nil, err
	}
	d, ok := n.(directory)
	if !ok {
		return nil, syscall.ENOTDIR
	}
	return d, nil
}
