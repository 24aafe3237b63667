//go:build !linux

package restore

import "golang.org/x/sys/unix"

// searchFlags open a directory to go through it.
const searchFlags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC

func isACL(string) bool { return false }

// There are no unnamed files here.
func unnamedFiles(int) bool                  { return false }
func createUnnamed(int, uint32) (int, error) { return -1, unix.ENOTSUP }
func nameFile(int, int, string, bool) error  { return unix.ENOTSUP }
func hasDefaultACL(int) bool                 { return false }
func dropACLs(int)                           {}

// setTimes goes by name: to the nanosecond there is no other call. A directory has none here, but is one to itself.
func setTimes(fd, dir int, name string, mtime unix.Timespec) error {
	times := keepingATime(mtime)
	if name == "" {
		return unix.UtimesNanoAt(fd, ".", times[:], 0)
	}
	return unix.UtimesNanoAt(dir, name, times[:], unix.AT_SYMLINK_NOFOLLOW)
}

// Extended attributes of what can't be opened take whole paths, which could lead through symbolic links.
func setXAttrAt(int, string, string, []byte) error { return unix.ENOTSUP }
func removeXAttrAt(int, string, string) error      { return unix.ENOTSUP }
