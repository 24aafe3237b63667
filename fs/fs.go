package fs

import (
	"context"
	"syscall"
	"time"

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
	hosts   *hosts
	status  statuses
	alarms  *alarms
	since   time.Time
	zeros   []byte // what holes read as; never written

	opened  *lru.Cache[int, *archive.Band] // by slot
	opening singleflight.Group
	dirs    *lru.Cache[nodeID, dirPlace]
	damaged *lru.Cache[nodeID, struct{}] // directories whose listing is not whole

	ahead    ahead
	ctx      context.Context // ends with the mount
	stop     context.CancelFunc
	kernel   kernel
	requests counter
	lost     lostDirs
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
	f.since = f.options.Now()
	f.ctx, f.stop = context.WithCancel(context.WithoutCancel(ctx))
	f.ahead.maxBytes = f.options.FetchAheadBytes
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
	f.hosts = &hosts{
		head: f.head, failed: f.alarms.raise, changed: f.rootChanged, mount: f.ctx, of: map[format.BandID]string{}, numbers: map[string]int{},
	}
	if o.Band != "" {
		return f, f.showOne(ctx)
	}
	return f, f.bands.refresh(ctx)
}

// String names the file system.
func (f *FileSystem) String() string { return "dura" }

// begin makes the context of a request. It must be answered.
func (f *FileSystem) begin(interrupt <-chan struct{}, header *fuse.InHeader) *request {
	return &request{mount: f.ctx, timeout: f.options.Timeout, interrupt: interrupt, pid: header.Caller.Pid}
}

// node finds what id stands for.
func (f *FileSystem) node(r *request, id nodeID) (node, error) {
	if id == rootID && f.isSingle() {
		id = topNode(0)
	}
	number, ordinal, ok := id.band()
	if !ok {
		n, err := f.made(id)
		if l, is := n.(lostDir); is {
			r.about = subject{l.slot.id, l.place.path}
		}
		return n, err
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
