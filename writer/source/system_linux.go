package source

import "golang.org/x/sys/unix"

const (
	noAtime = unix.O_NOATIME

	// zeroInodes: a directory may have names with the inode number 0.
	zeroInodes = true
)

// openLeased opens a regular file that another process has a lease on (Samba takes them): it waits until the kernel has it
// back, a minute at the most. What is no regular file is not opened: opening a fifo would wait for ever.
func openLeased(dirFD int, name string) (int, error) {
	found, err := openat(dirFD, name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC)
	if err != nil {
		return -1, err
	}
	defer unix.Close(found)
	var st unix.Stat_t
	if err := unix.Fstat(found, &st); err != nil {
		return -1, err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return -1, unix.ELOOP
	}
	return openat(unix.AT_FDCWD, procName(found, ""), unix.O_RDONLY|unix.O_CLOEXEC)
}
