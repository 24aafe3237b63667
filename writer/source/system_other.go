//go:build !linux

package source

import "golang.org/x/sys/unix"

const (
	noAtime = 0

	// zeroInodes: a name with the inode number 0 was deleted.
	zeroInodes = false
)

// openLeased is for leases, which this system does not have.
func openLeased(int, string) (int, error) { return -1, unix.EWOULDBLOCK }
