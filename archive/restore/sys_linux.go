package restore

import (
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// searchFlags open a directory to go through it, which takes no right to read it.
const searchFlags = unix.O_PATH | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC

const (
	accessACL  = "system.posix_acl_access"
	defaultACL = "system.posix_acl_default"
)

func isACL(name string) bool { return name == accessACL || name == defaultACL }

// unnamedFiles reports whether the file system of a directory makes files that have no name yet and can be given one.
func unnamedFiles(dir int) bool {
	fd, err := createUnnamed(dir, 0o600)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	return unix.Stat(procFD(fd), &st) == nil
}

// createUnnamed makes a file in dir that has no name, and is gone with the process unless it gets one.
func createUnnamed(dir int, perm uint32) (int, error) {
	return openat(dir, ".", unix.O_TMPFILE|unix.O_WRONLY|unix.O_CLOEXEC, perm)
}

// nameFile gives an unnamed file a name that nothing has. direct does it without /proc, for which older kernels want a
// privilege.
func nameFile(fd, dir int, name string, direct bool) error {
	if direct {
		return unix.Linkat(fd, "", dir, name, unix.AT_EMPTY_PATH)
	}
	return unix.Linkat(unix.AT_FDCWD, procFD(fd), dir, name, unix.AT_SYMLINK_FOLLOW)
}

func renameExclusive(dir int, from, to string) error {
	return unix.Renameat2(dir, from, dir, to, unix.RENAME_NOREPLACE)
}

func procFD(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

func setTimes(fd, _ int, _ string, mtime unix.Timespec) error {
	times := keepingATime(mtime)
	// The library has no futimens: the null path, which it can't express, means fd itself.
	_, _, errno := unix.Syscall6(unix.SYS_UTIMENSAT, uintptr(fd), 0, uintptr(unsafe.Pointer(&times)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

func keepingATime(mtime unix.Timespec) [2]unix.Timespec {
	return [2]unix.Timespec{{Nsec: unix.UTIME_OMIT}, mtime}
}

func makeNode(dir int, name string, typeAndPerm, major, minor uint32) error {
	return unix.Mknodat(dir, name, typeAndPerm, int(unix.Mkdev(major, minor)))
}

// No call takes a directory and a name before Linux 6.13, and a whole path may be longer than the kernel takes.
func setXAttrAt(dir int, name, attr string, value []byte) error {
	return unix.Lsetxattr(procFD(dir)+"/"+name, attr, value, 0)
}

func removeXAttrAt(dir int, name, attr string) error {
	return unix.Lremovexattr(procFD(dir)+"/"+name, attr)
}

// hasDefaultACL reports whether what is made in a directory gets an ACL from it.
func hasDefaultACL(dir int) bool {
	n, err := unix.Fgetxattr(dir, defaultACL, nil)
	return err == nil && n > 0
}

// dropACLs takes away what a directory got from the one above.
func dropACLs(dir int) {
	// Where there is none the call fails, and that is all right.
	_ = unix.Fremovexattr(dir, defaultACL)
	_ = unix.Fremovexattr(dir, accessACL)
}
