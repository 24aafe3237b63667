package mounting

import (
	"context"
	"fmt"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"dura/archive/format"
	"dura/archive/seal"
)

// settings are what the words of the command line ask for.
type settings struct {
	use string // how the command is called

	archive, mountpoint string
	foreground          bool
	logFile             string
	rules               []string

	band        string
	subtree     format.Path
	uid, gid    *uint32
	allowOther  bool
	nonEmpty    bool
	flags       []string // for mount
	also        []string // archives that damaged objects are taken from
	listXAttrs  bool
	cacheBytes  int64
	indexBytes  int64
	diskDir     string // "": nothing is kept on disk
	diskBytes   int64  // 0: defaultDiskBytes
	readAhead   int64
	timeout     time.Duration
	idle        time.Duration // 0: however long nobody uses it
	profileFile string

	asking    atomic.Bool                                    // somebody is asked for what opens the archive: that may take long
	askParent func(context.Context) (*seal.SecretKey, error) // in the background
}

func usage(format string, args ...any) error { return &UsageError{sprintf(format, args...)} }

// mountFlags are passed on to mount.
var mountFlags = []string{"suid", "nosuid", "dev", "nodev", "exec", "noexec"}

// ignoredOptions say nothing to this mount: they are for mount(8), fstab and systemd, or hold anyway.
var ignoredOptions = []string{
	"ro", "rw", "defaults", "default_permissions", "auto", "noauto", "nofail", "_netdev", "user", "nouser", "users", "owner", "group",
	"atime", "noatime", "diratime", "nodiratime", "relatime", "norelatime", "strictatime", "nostrictatime", "lazytime", "nolazytime",
	"sync", "async", "dirsync", "iversion", "noiversion", "mand", "nomand", "silent", "loud", "nolock",
}

// setOptions takes in what one -o lists.
func (s *settings) setOptions(list string) error {
	for _, option := range splitOptions(list) {
		name, value, hasValue := strings.Cut(option, "=")
		if !isIgnored(name) {
			name = strings.ReplaceAll(name, "-", "_")
		}
		switch {
		case option == "", isIgnored(name):
		case slices.Contains(mountFlags, option):
			s.flags = append(s.flags, option)
		case hasValue:
			if err := s.setValue(name, value); err != nil {
				return err
			}
		default:
			if err := s.setSwitch(name); err != nil {
				return err
			}
		}
	}
	return nil
}

func isIgnored(name string) bool {
	return slices.Contains(ignoredOptions, name) || strings.HasPrefix(name, "x-") || strings.HasPrefix(name, "X-") || name == "comment"
}

// splitOptions parts a list at its commas. A backslash takes the next character as it is.
func splitOptions(list string) []string {
	var options []string
	var b strings.Builder
	for i := 0; i < len(list); i++ {
		switch c := list[i]; {
		case c == '\\' && i+1 < len(list):
			i++
			b.WriteByte(list[i])
		case c == ',':
			options = append(options, b.String())
			b.Reset()
		default:
			b.WriteByte(c)
		}
	}
	return append(options, b.String())
}

func (s *settings) setSwitch(name string) error {
	switch name {
	case "allow_other":
		s.allowOther = true
	case "nonempty":
		s.nonEmpty = true
	case "dura_xattrs":
		s.listXAttrs = true
	case "band", "also", "subdir", "uid", "gid", "cache_size", "index_cache_size", "cache_dir", "cache_dir_size", "read_ahead", "timeout", "idle_timeout":
		return usage(msgOptionWithoutValue, name)
	default:
		return usage(msgUnknownOption, name)
	}
	return nil
}

func (s *settings) setValue(name, value string) (err error) {
	switch name {
	case "band":
		s.band = value
	case "also":
		s.also = append(s.also, value)
	case "subdir":
		s.subtree = format.Path(strings.TrimPrefix(path.Clean("/"+value), "/"))
	case "uid":
		s.uid, err = parseID(value)
	case "gid":
		s.gid, err = parseID(value)
	case "cache_size":
		s.cacheBytes, err = parseSize(value)
	case "index_cache_size":
		s.indexBytes, err = parseSize(value)
	case "cache_dir":
		if s.diskDir = value; value == "" {
			err = fmt.Errorf("it is a directory")
		}
	case "cache_dir_size":
		s.diskBytes, err = parseSize(value)
	case "read_ahead":
		s.readAhead, err = parseSize(value)
	case "timeout":
		s.timeout, err = parseSeconds(value)
	case "idle_timeout":
		s.idle, err = parseSeconds(value)
	case "allow_other", "nonempty", "dura_xattrs":
		return usage(msgOptionWithValue, name)
	default:
		return usage(msgUnknownOption, name)
	}
	if err != nil {
		return usage(msgOptionValue, name, value, err)
	}
	return nil
}

func parseID(s string) (*uint32, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || n == math.MaxUint32 { // which means "nobody" to the kernel
		return nil, fmt.Errorf("it is the number of a user or a group")
	}
	id := uint32(n)
	return &id, nil
}

// parseSeconds is a time as seconds or with a unit: 30, 30s, 2m.
func parseSeconds(s string) (time.Duration, error) {
	if n, err := strconv.ParseUint(s, 10, 32); err == nil {
		s = strconv.FormatUint(n, 10) + "s"
	}
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("it is a time, as 30s or 2m")
	}
	return d, nil
}

// parseSize is a number of bytes: 64M, 64MiB, 1G, 65536. Units are powers of 1024.
func parseSize(s string) (int64, error) {
	digits := strings.TrimRight(s, "kKmMgGtTiIbB")
	unit := strings.TrimSuffix(strings.TrimSuffix(strings.ToUpper(s[len(digits):]), "B"), "I")
	shift := map[string]uint{"": 0, "K": 10, "M": 20, "G": 30, "T": 40}
	by, known := shift[unit]
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || !known || n <= 0 || n > math.MaxInt64>>by {
		return 0, fmt.Errorf("it is a number of bytes, as 64M or 1G")
	}
	return n << by, nil
}
