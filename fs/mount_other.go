//go:build !linux

package fs

import (
	"context"
	"errors"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

func readOnly(p *fuse.MountOptions) { p.Options = append(p.Options, "ro") }

func unmount(_ context.Context, mountpoint string, _, lazily bool) error {
	flags := 0
	if lazily {
		flags = unix.MNT_FORCE
	}
	err := unix.Unmount(mountpoint, flags)
	if errors.Is(err, unix.EBUSY) {
		return ErrBusy
	}
	return err
}

func setReadAhead(string, int64) {}

// Mounted is what is mounted on a directory.
type Mounted struct{ Type, Source string }

// MountOn knows nothing here.
func MountOn(string) (m Mounted, ok bool) { return Mounted{}, false }
