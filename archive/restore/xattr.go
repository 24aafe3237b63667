package restore

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"dura/archive/format"
)

// setXAttrs reports whether the mode may be another now: an ACL comes with permission bits.
func (r *run) setXAttrs(s *subject, xattrs []format.XAttr) (remade bool, err error) {
	for _, x := range xattrs {
		err := s.setXAttr(x)
		if err == nil {
			remade = remade || isACL(x.Name)
			continue
		}
		if err == unix.ENOSPC || err == unix.EDQUOT {
			err = unix.ENOTSUP // no room for it in the inode is another matter than a full disk
		}
		if err := r.refused(s, fmt.Sprintf("extended attribute %q of %d bytes not set", x.Name, len(x.Value)), err); err != nil {
			return remade, err
		}
	}
	return remade, nil
}

func (s *subject) setXAttr(x format.XAttr) error {
	if x.Name == "" || strings.IndexByte(x.Name, 0) >= 0 {
		return unix.EINVAL
	}
	if s.fd >= 0 {
		return unix.Fsetxattr(s.fd, x.Name, x.Value, 0)
	}
	return setXAttrAt(s.dir, s.name, x.Name, x.Value)
}

func (s *subject) removeXAttr(name string) error {
	if s.fd >= 0 {
		return unix.Fremovexattr(s.fd, name)
	}
	return removeXAttrAt(s.dir, s.name, name)
}

// dropXAttrs takes away the extended attributes of a directory that was there, but those it is to have.
func (r *run) dropXAttrs(s *subject, e *format.Entry) error {
	wanted := map[string]bool{}
	for _, x := range e.XAttrs {
		wanted[x.Name] = true
	}
	names, err := listXAttrs(s.fd)
	for _, name := range names {
		// What the system's security modules put there is theirs.
		if wanted[name] || strings.HasPrefix(name, "security.") {
			continue
		}
		if err = s.removeXAttr(name); err != nil {
			break
		}
	}
	if err == nil || errors.Is(err, unix.ENOTSUP) {
		return nil
	}
	return r.refused(s, "extended attributes not taken away", err)
}

const maxXAttrListBytes = 64 << 10

func listXAttrs(fd int) ([]string, error) {
	buf := make([]byte, maxXAttrListBytes)
	n, err := unix.Flistxattr(fd, buf)
	if err != nil || n <= 0 {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(string(buf[:n]), "\x00"), "\x00"), nil
}
