package unlock

import "golang.org/x/sys/unix"

// harden keeps what is in memory out of core files, and, where the system has that, out of the reach of other programs of the user. What
// can't be had is done without.
func harden() {
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	hardenMore()
}
