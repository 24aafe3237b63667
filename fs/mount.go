package fs

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// Type is the file system's type, behind "fuse.": mount(8) finds the program for it by this name.
const Type = "dura-mount"

// MountOptions say how a mount is set up. The zero value is ready for use.
type MountOptions struct {
	Source string // what is mounted, as mount and df show it
	// Direct mounts by the system call, which takes root; otherwise fusermount3 does it.
	Direct bool
	// Flags are options that mount takes: suid, dev, noexec. Unless told otherwise a mount is nosuid and nodev.
	Flags []string
	// ReadAheadBytes is how far ahead of a sequential reader the kernel asks. 0: a mebibyte. Only root may set it.
	ReadAheadBytes int64
	// Logger gets what the protocol's library has to say; nil: the standard logger.
	Logger *log.Logger
}

const (
	requestBytes          = 1 << 20 // the largest read
	backgroundRequests    = 64      // reads ahead under way at a time
	defaultReadAheadBytes = 1 << 20
	warmTimeout           = time.Second // that a mount waits for the latest band
)

// ErrBusy says that something in a mount is in use.
var ErrBusy = errors.New("in use")

// Server is a mount that is being served.
type Server struct {
	mountpoint string
	direct     bool
	server     *fuse.Server
	ended      chan struct{}
}

// Mount mounts f on the directory mountpoint and serves it until it is unmounted. When Mount returns, requests are answered.
func Mount(ctx context.Context, f *FileSystem, mountpoint string, o MountOptions) (*Server, error) {
	mountpoint, err := filepath.Abs(mountpoint)
	if err == nil {
		mountpoint, err = filepath.EvalSymlinks(mountpoint) // as the list of mounts has it
	}
	if err != nil {
		return nil, err
	}
	warm := f.warm()
	server, err := fuse.NewServer(f, mountpoint, f.protocolOptions(o))
	if err != nil {
		return nil, fmt.Errorf("mount %s: %w", mountpoint, err)
	}
	s := &Server{mountpoint: mountpoint, direct: o.Direct, server: server, ended: make(chan struct{})}
	go func() {
		defer close(s.ended)
		server.Serve()
	}()
	if err := server.WaitMount(); err != nil {
		return nil, errors.Join(fmt.Errorf("mount %s: %w", mountpoint, err), s.Detach(ctx))
	}
	if o.ReadAheadBytes == 0 {
		o.ReadAheadBytes = defaultReadAheadBytes
	}
	setReadAhead(mountpoint, o.ReadAheadBytes)
	late := time.NewTimer(warmTimeout)
	defer late.Stop()
	select {
	case <-warm:
	case <-late.C:
	}
	return s, nil
}

// protocolOptions are what was measured to be fast, and permissions checked by the kernel where they count. To check ACLs
// it must check everything.
//
// Without READDIRPLUS_AUTO the kernel looks up all names while it lists them. With it only the first part of a directory
// comes so, and find -printf %s of a large tree takes twice as long; find without, as long as before.
func (f *FileSystem) protocolOptions(o MountOptions) *fuse.MountOptions {
	checked := f.options.Shared || o.Direct
	p := &fuse.MountOptions{
		FsName: o.Source, Name: Type, AllowOther: f.options.Shared, Options: o.Flags, Logger: o.Logger,
		MaxWrite: requestBytes, MaxBackground: backgroundRequests,
		DisableSplice: true, ExplicitDataCacheControl: true, EnableSymlinkCaching: true, EnableAcl: checked,
		DirectMountStrict: o.Direct,
	}
	if checked {
		p.Options = append(p.Options, "default_permissions")
	}
	readOnly(p)
	return p
}

// Wait returns when the mount is gone and the last program that used it has let go.
func (s *Server) Wait() { <-s.ended }

// Done is closed when Wait would return.
func (s *Server) Done() <-chan struct{} { return s.ended }

// Unmount takes the mount away, unless something in it is in use: then it is ErrBusy.
func (s *Server) Unmount(ctx context.Context) error { return s.unmount(ctx, false) }

// Detach takes the mount out of sight. Programs that use it go on until they are done, and so must this one: see Wait.
func (s *Server) Detach(ctx context.Context) error { return s.unmount(ctx, true) }

func (s *Server) unmount(ctx context.Context, lazily bool) error {
	select {
	case <-s.ended:
		return nil
	default:
	}
	err := unmount(ctx, s.mountpoint, s.direct, lazily)
	if err != nil && !errors.Is(err, ErrBusy) {
		err = &os.PathError{Op: "unmount", Path: s.mountpoint, Err: err}
	}
	return err
}
