package fs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

func readOnly(p *fuse.MountOptions) {
	if p.DirectMountStrict {
		p.DirectMountFlags = unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV
		return
	}
	p.Options = append(p.Options, "ro")
}

// unmount tries the system call where it mounted, and fusermount3 where that did. Which error was meant the latter says in words
// alone, so anything that the mount outlives is taken for its being in use.
func unmount(ctx context.Context, mountpoint string, direct, lazily bool) error {
	if direct {
		flags := 0
		if lazily {
			flags = unix.MNT_DETACH
		}
		err := unix.Unmount(mountpoint, flags)
		if errors.Is(err, unix.EBUSY) {
			return ErrBusy
		}
		return err
	}
	flag := "-u"
	if lazily {
		flag = "-uz"
	}
	out, err := exec.CommandContext(ctx, "fusermount3", flag, "--", mountpoint).CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &exit) && !lazily:
		return ErrBusy
	}
	return fmt.Errorf("%w: %s", err, bytes.TrimSpace(out))
}

// setReadAhead sets how far the kernel reads ahead. It may: who is not root gets what there is.
func setReadAhead(mountpoint string, bytes int64) {
	m, ok := MountOn(mountpoint)
	if !ok {
		return
	}
	file := filepath.Join("/sys/class/bdi", m.device, "read_ahead_kb")
	_ = os.WriteFile(file, []byte(strconv.FormatInt(bytes>>10, 10)), 0)
}
