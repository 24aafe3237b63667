package treecmp

import (
	"fmt"
	"maps"
	"slices"

	"golang.org/x/sys/unix"
)

func typeName(bits uint32) string {
	switch bits {
	case unix.S_IFREG:
		return "regular file"
	case unix.S_IFDIR:
		return "directory"
	case unix.S_IFLNK:
		return "symbolic link"
	case unix.S_IFIFO:
		return "fifo"
	case unix.S_IFSOCK:
		return "socket"
	case unix.S_IFCHR:
		return "character device"
	case unix.S_IFBLK:
		return "block device"
	}
	return fmt.Sprintf("type %#o", bits)
}

func mode(s *unix.Stat_t) string  { return fmt.Sprintf("%04o", s.Mode&0o7777) }
func owner(s *unix.Stat_t) string { return fmt.Sprintf("%d:%d", s.Uid, s.Gid) }

func mtime(s *unix.Stat_t) string {
	return fmt.Sprintf("%ds + %dns", int64(s.Mtim.Sec), int64(s.Mtim.Nsec))
}

func device(s *unix.Stat_t) string {
	return fmt.Sprintf("%d:%d", unix.Major(uint64(s.Rdev)), unix.Minor(uint64(s.Rdev)))
}

func describeXattr(name string, value []byte, there bool) string {
	if !there {
		return fmt.Sprintf("%q not there", name)
	}
	if len(value) > 64 {
		return fmt.Sprintf("%q: %d bytes, %q...", name, len(value), value[:64])
	}
	return fmt.Sprintf("%q: %q", name, value)
}

func sortedKeys(a, b map[string][]byte) []string {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(keys)
	return slices.Compact(keys)
}
