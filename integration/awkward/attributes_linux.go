package awkward

import (
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	aclAccess  = "system.posix_acl_access"
	aclDefault = "system.posix_acl_default"
	capability = "security.capability"
)

// attributes are what an entry gets once its content is there.
type attributes struct {
	feature  Feature // what the entry itself counts as; may be empty
	mode     uint32
	modeSet  bool // asked for, and so counted
	owned    bool
	uid, gid uint32
	xattrs   []xattr
	mtime    time.Time // zero: made up from seed and path
}

type xattr struct {
	name  string
	value []byte
}

type option func(*attributes)

func mode(bits uint32) option { return func(a *attributes) { a.mode, a.modeSet = bits, true } }

func owner(uid, gid uint32) option {
	return func(a *attributes) { a.owned, a.uid, a.gid = true, uid, gid }
}

func mtime(t time.Time) option { return func(a *attributes) { a.mtime = t } }

func attr(name string, value []byte) option {
	return func(a *attributes) { a.xattrs = append(a.xattrs, xattr{name, value}) }
}

func attributesOf(mode uint32, options []option) attributes {
	a := attributes{mode: mode}
	for _, set := range options {
		set(&a)
	}
	return a
}

// finish sets everything in the one order that works: a change of owner takes setuid and file capabilities away, a mode may
// forbid attributes, a mode changes an ACL, and all of it changes times.
func (d *dir) finish(name string, typeBits uint32, a attributes) {
	if d.err != nil {
		return
	}
	path := d.below(name)
	if a.owned && d.options.wants(Owners) {
		d.try(Owners, path, unix.Fchownat(d.fd, name, int(a.uid), int(a.gid), unix.AT_SYMLINK_NOFOLLOW))
	}
	d.setXattrs(name, path, a.xattrs, false)
	if typeBits != unix.S_IFLNK {
		d.setMode(name, path, typeBits, a)
	}
	d.setXattrs(name, path, a.xattrs, true)
	d.setMtime(name, path, a.mtime)
}

func (d *dir) setXattrs(name, path string, xattrs []xattr, acls bool) {
	for _, x := range xattrs {
		f := xattrFeature(x.name)
		if strings.HasPrefix(x.name, "system.") == acls && d.options.wants(f) {
			d.try(f, path, d.setXattr(name, x))
		}
	}
}

// setXattr goes through /proc to the open directory: no call takes a directory and a name before Linux 6.13.
func (d *dir) setXattr(name string, x xattr) error {
	err := unix.Lsetxattr(fmt.Sprintf("/proc/self/fd/%d/%s", d.fd, name), x.name, x.value, 0)
	if errors.Is(err, unix.ENOSPC) { // no room in the inode
		return fmt.Errorf("%q with %d bytes: %w", x.name, len(x.value), unix.E2BIG)
	}
	return err
}

func xattrFeature(name string) Feature {
	switch {
	case name == aclAccess || name == aclDefault:
		return ACLs
	case name == capability:
		return Capabilities
	case strings.HasPrefix(name, "trusted."):
		return XattrTrusted
	case strings.HasPrefix(name, "security."):
		return XattrSecurity
	}
	return XattrUser
}

func (d *dir) setMode(name, path string, typeBits uint32, a attributes) {
	bits := a.mode
	if a.modeSet && !d.options.wants(Modes) {
		bits, a.modeSet = 0o755, false
	}
	if d.options.Readable {
		bits |= 0o400
		if typeBits == unix.S_IFDIR {
			bits |= 0o500
		}
	}
	err := unix.Fchmodat(d.fd, name, bits, 0)
	if err == nil {
		var stat unix.Stat_t
		err = unix.Fstatat(d.fd, name, &stat, unix.AT_SYMLINK_NOFOLLOW)
		if kept := stat.Mode & 0o7777; err == nil && kept != bits {
			err = fmt.Errorf("mode %04o became %04o: %w", bits, kept, errBent)
		}
	}
	if a.modeSet {
		d.try(Modes, path, err)
	} else if err != nil {
		d.fail(path, err)
	}
}

func (d *dir) setMtime(name, path string, asked time.Time) {
	if err := d.applyMtime(name, d.timeFor(path)); err != nil && !errors.Is(err, errBent) {
		d.fail(path, err)
	}
	if !asked.IsZero() && d.options.wants(Times) {
		d.try(Times, path, d.applyMtime(name, asked))
	}
}

// applyMtime returns errBent where the file system kept another time.
func (d *dir) applyMtime(name string, t time.Time) error {
	ts, err := unix.TimeToTimespec(t)
	if err != nil {
		return err
	}
	if err := unix.UtimesNanoAt(d.fd, name, []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	var stat unix.Stat_t
	if err := unix.Fstatat(d.fd, name, &stat, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	if kept := time.Unix(int64(stat.Mtim.Sec), int64(stat.Mtim.Nsec)); !kept.Equal(t) {
		return fmt.Errorf("time %v became %v: %w", t, kept.UTC(), errBent)
	}
	return nil
}

// timeFor makes up a time between 2001 and 2023, with nanoseconds.
func (b *builder) timeFor(path string) time.Time {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %s", b.options.Seed, path)
	sum := h.Sum64()
	return time.Unix(1_000_000_000+int64(sum%700_000_000), int64(sum>>32%1_000_000_000)).UTC()
}
