package fs

import (
	"bytes"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// isKilled reports whether a thread is gone or is to die as soon as it stops waiting: whatever signal is to end it, the kernel
// makes SIGKILL pending for each of its threads.
func isKilled(pid uint32) bool {
	if pid == 0 {
		return false
	}
	if unix.Kill(int(pid), 0) == unix.ESRCH {
		return true
	}
	status, err := os.ReadFile("/proc/" + strconv.Itoa(int(pid)) + "/status")
	return err == nil && (isPending(status, "\nSigPnd:\t") || isPending(status, "\nShdPnd:\t"))
}

func isPending(status []byte, field string) bool {
	_, rest, _ := bytes.Cut(status, []byte(field))
	digits, _, _ := bytes.Cut(rest, []byte("\n"))
	mask, err := strconv.ParseUint(string(digits), 16, 64)
	return err == nil && mask&(1<<(unix.SIGKILL-1)) != 0
}
