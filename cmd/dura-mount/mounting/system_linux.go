package mounting

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	fuseDevice = "/dev/fuse"
	fuseConfig = "/etc/fuse.conf"
)

// checkSystem says what this system lacks for mounting.
func (s *settings) checkSystem(h Host) error {
	if _, err := os.Stat(fuseDevice); err != nil {
		return failure("system", msgNoDevice)
	}
	if errors.Is(unix.Access(fuseDevice, unix.R_OK|unix.W_OK), unix.EACCES) {
		return failure("system", msgDeviceDenied)
	}
	switch {
	case h.UID == 0:
		return nil
	case !hasFusermount():
		return failure("system", msgNoFusermount)
	case s.allowOther && !allowsOthers(fuseConfig):
		return failure("system", msgAllowOtherOff)
	}
	return nil
}

func hasFusermount() bool {
	for _, name := range []string{"fusermount3", "/bin/fusermount3", "fusermount", "/bin/fusermount"} {
		if _, err := exec.LookPath(name); err == nil {
			return true
		}
	}
	return false
}

// allowsOthers reports whether users other than root may mount for others.
func allowsOthers(config string) bool {
	f, err := os.Open(config)
	if err != nil {
		return false
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if strings.TrimSpace(lines.Text()) == "user_allow_other" {
			return true
		}
	}
	return false
}
