package fs

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

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
	device, ok := deviceOf(mountpoint)
	if !ok {
		return
	}
	file := filepath.Join("/sys/class/bdi", device, "read_ahead_kb")
	_ = os.WriteFile(file, []byte(strconv.FormatInt(bytes>>10, 10)), 0)
}

// deviceOf is the device number of what is mounted on a directory, as 0:43. It is taken from the list of mounts: a stat would be
// a request to ourselves.
func deviceOf(mountpoint string) (device string, ok bool) {
	list, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return "", false
	}
	defer list.Close()
	lines := bufio.NewScanner(list)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) > 4 && unescapeMount(fields[4]) == mountpoint {
			device, ok = fields[2], true // the last one is on top
		}
	}
	return device, ok
}

// unescapeMount undoes what the kernel does to names in lists of mounts: \040 for a space.
func unescapeMount(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(c))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
