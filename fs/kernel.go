package fs

import (
	"sync"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// kernel is what is known of the other side, and how it is told of changes.
type kernel struct {
	server *fuse.Server // set ahead of the first request
	// skipsOpens says that the kernel need not ask to open anything, once it has been told that nobody implements that: then it
	// keeps contents and listings without asking, and what may change must be taken from it.
	skipsOpens bool

	mu       sync.Mutex
	expiring map[nodeID]*time.Timer // directories whose listing is to be taken from the kernel
	closed   bool
}

// Init implements fuse.RawFileSystem.
func (f *FileSystem) Init(s *fuse.Server) {
	f.kernel.server = s
	f.kernel.skipsOpens = skipsOpens(s.KernelSettings())
}

// OnUnmount implements fuse.RawFileSystem.
func (f *FileSystem) OnUnmount() {
	f.stop()
	f.kernel.close()
}

// rootChanged has the kernel forget its listing of the root.
func (f *FileSystem) rootChanged() { f.kernel.forget(rootID) }

// forget has the kernel forget its listing of a directory.
func (k *kernel) forget(id nodeID) {
	if k.server != nil {
		k.server.InodeNotify(uint64(id), 0, 0) // it fails where the kernel has forgotten already
	}
}

// expire has the kernel forget its listing of a directory in a while. Whether somebody lists it again by then the kernel would
// not tell.
func (k *kernel) expire(id nodeID, in time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.skipsOpens || k.closed || k.expiring[id] != nil {
		return
	}
	if k.expiring == nil {
		k.expiring = map[nodeID]*time.Timer{}
	}
	k.expiring[id] = time.AfterFunc(in, func() {
		k.mu.Lock()
		delete(k.expiring, id)
		k.mu.Unlock()
		k.forget(id)
	})
}

func (k *kernel) close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed = true
	for _, timer := range k.expiring {
		timer.Stop()
	}
}

// Open implements fuse.RawFileSystem. Files need not be opened.
func (f *FileSystem) Open(_ <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	f.requests.open.Add(1)
	if in.Flags&fuse.O_ANYWRITE != 0 {
		return fuse.EROFS
	}
	if f.kernel.skipsOpens {
		return fuse.ENOSYS
	}
	out.OpenFlags = fuse.FOPEN_KEEP_CACHE
	return fuse.OK
}

// OpenDir implements fuse.RawFileSystem. Directories need not be opened.
func (f *FileSystem) OpenDir(_ <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	f.requests.openDir.Add(1)
	if f.kernel.skipsOpens {
		return fuse.ENOSYS
	}
	if _, _, inBand := nodeID(in.NodeId).band(); inBand || f.isSingle() {
		out.OpenFlags = fuse.FOPEN_KEEP_CACHE | fuse.FOPEN_CACHE_DIR
	}
	return fuse.OK
}

// Flush implements fuse.RawFileSystem: there is never anything to flush, and the kernel need not ask again.
func (f *FileSystem) Flush(<-chan struct{}, *fuse.FlushIn) fuse.Status {
	f.requests.flush.Add(1)
	return fuse.ENOSYS
}

// Access implements fuse.RawFileSystem: what the kernel finds by the permissions stands.
func (f *FileSystem) Access(<-chan struct{}, *fuse.AccessIn) fuse.Status {
	f.requests.access.Add(1)
	return fuse.ENOSYS
}

// StatFs implements fuse.RawFileSystem, from memory.
func (f *FileSystem) StatFs(_ <-chan struct{}, _ *fuse.InHeader, out *fuse.StatfsOut) fuse.Status {
	f.requests.statFs.Add(1)
	out.Bsize, out.Frsize = preferredBytes, preferredBytes
	out.NameLen = maxFileNameBytes
	if !f.isSingle() {
		return fuse.OK
	}
	if b, ok := f.opened.Get(0); ok {
		t := b.Tail().Totals
		out.Blocks = (uint64(t.ContentBytes) + preferredBytes - 1) / preferredBytes
		out.Files = uint64(t.Entries)
	}
	return fuse.OK
}

// maxFileNameBytes is what programs expect of a file system. Longer names are shown where there are any.
const maxFileNameBytes = 255
