package fs

import (
	"sync/atomic"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// Requests counts what the kernel asked for since the mount was made.
type Requests struct {
	Lookup      int64 `json:"lookup"`
	GetAttr     int64 `json:"getattr"`
	Readlink    int64 `json:"readlink"`
	Open        int64 `json:"open"`
	Read        int64 `json:"read"`
	Seek        int64 `json:"seek"`
	OpenDir     int64 `json:"opendir"`
	ReadDir     int64 `json:"readdir"`
	ReadDirPlus int64 `json:"readdirplus"`
	GetXAttr    int64 `json:"getxattr"`
	ListXAttr   int64 `json:"listxattr"`
	StatFs      int64 `json:"statfs"`
	Access      int64 `json:"access"`
	Flush       int64 `json:"flush"`
	Releases    int64 `json:"release"`
}

// counter counts requests as they come.
type counter struct {
	lookup, getAttr, readlink       atomic.Int64
	open, read, seek                atomic.Int64
	openDir, readDir, readDirPlus   atomic.Int64
	getXAttr, listXAttr             atomic.Int64
	statFs, access, flush, releases atomic.Int64
}

// Requests says what the kernel asked for so far.
func (f *FileSystem) Requests() Requests {
	c := &f.requests
	return Requests{
		Lookup: c.lookup.Load(), GetAttr: c.getAttr.Load(), Readlink: c.readlink.Load(),
		Open: c.open.Load(), Read: c.read.Load(), Seek: c.seek.Load(),
		OpenDir: c.openDir.Load(), ReadDir: c.readDir.Load(), ReadDirPlus: c.readDirPlus.Load(),
		GetXAttr: c.getXAttr.Load(), ListXAttr: c.listXAttr.Load(),
		StatFs: c.statFs.Load(), Access: c.access.Load(), Flush: c.flush.Load(), Releases: c.releases.Load(),
	}
}

// Release implements fuse.RawFileSystem. Nothing was opened.
func (f *FileSystem) Release(<-chan struct{}, *fuse.ReleaseIn) { f.requests.releases.Add(1) }

// ReleaseDir implements fuse.RawFileSystem. Nothing was opened.
func (f *FileSystem) ReleaseDir(*fuse.ReleaseIn) { f.requests.releases.Add(1) }
