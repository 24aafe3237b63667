package treecmp

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// inode names a file, whatever names it has.
type inode struct{ dev, ino uint64 }

// linked is the inode in the other tree, and the first path where the two met.
type linked struct {
	other inode
	path  string
}

func (c *comparer) attributes(path string, a, b *side) error {
	if a.typeBits() != unix.S_IFLNK {
		if err := c.differIf(path, Mode, mode(&a.stat), mode(&b.stat)); err != nil {
			return err
		}
	}
	if err := c.differIf(path, Owner, owner(&a.stat), owner(&b.stat)); err != nil {
		return err
	}
	return c.differIf(path, Mtime, mtime(&a.stat), mtime(&b.stat))
}

// links holds that names are one file in a exactly where they are one file in b: the inodes met under the same names
// must pair off.
func (c *comparer) links(path string, a, b *side) error {
	if a.typeBits() == unix.S_IFDIR || a.stat.Nlink < 2 && b.stat.Nlink < 2 {
		return nil
	}
	inA := inode{uint64(a.stat.Dev), a.stat.Ino}
	inB := inode{uint64(b.stat.Dev), b.stat.Ino}
	metA, knownA := c.toB[inA]
	metB, knownB := c.toA[inB]
	if !knownA {
		c.toB[inA] = linked{inB, path}
	}
	if !knownB {
		c.toA[inB] = linked{inA, path}
	}
	if (!knownA || metA.other == inB) && (!knownB || metB.other == inA) {
		return nil
	}
	return c.differ(path, Links, sameAs(knownA, metA), sameAs(knownB, metB))
}

func sameAs(known bool, l linked) string {
	if !known {
		return "none of the names before"
	}
	return fmt.Sprintf("the same as %q", l.path)
}

func (c *comparer) symlink(path string, a, b *side) error {
	targetA, errA := readlink(a)
	targetB, errB := readlink(b)
	if errA != nil || errB != nil {
		return c.failed(path, "read link", errA, errB)
	}
	return c.differIf(path, Target, fmt.Sprintf("%q", targetA), fmt.Sprintf("%q", targetB))
}

func readlink(s *side) (string, error) {
	for size := 4096; ; size *= 2 {
		buf := make([]byte, size)
		n, err := unix.Readlinkat(s.dir, s.name, buf)
		if err != nil || n < size {
			return string(buf[:max(n, 0)]), err
		}
	}
}

func (c *comparer) xattrs(path string, a, b *side) error {
	if c.options.ignores(Xattr) {
		return nil
	}
	valuesA, errA := c.readXattrs(a)
	valuesB, errB := c.readXattrs(b)
	if errA != nil || errB != nil {
		return c.failed(path, "read extended attributes of", errA, errB)
	}
	for _, name := range sortedKeys(valuesA, valuesB) {
		valueA, inA := valuesA[name]
		valueB, inB := valuesB[name]
		if inA == inB && bytes.Equal(valueA, valueB) {
			continue
		}
		if err := c.differ(path, Xattr, describeXattr(name, valueA, inA), describeXattr(name, valueB, inB)); err != nil {
			return err
		}
	}
	return nil
}

// readXattrs goes through /proc to the open directory: no call takes a directory and a name before Linux 6.13, and a whole
// path may be longer than the kernel takes.
func (c *comparer) readXattrs(s *side) (map[string][]byte, error) {
	path := fmt.Sprintf("/proc/self/fd/%d/%s", s.dir, s.name)
	n, err := unix.Llistxattr(path, c.buffers.names)
	if errors.Is(err, unix.ENOTSUP) || err == nil && n == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	values := map[string][]byte{}
	for _, name := range strings.Split(strings.TrimSuffix(string(c.buffers.names[:n]), "\x00"), "\x00") {
		if c.options.IgnoreXattr != nil && c.options.IgnoreXattr(name) {
			continue
		}
		n, err := unix.Lgetxattr(path, name, c.buffers.value)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", name, err)
		}
		values[name] = bytes.Clone(c.buffers.value[:n])
	}
	return values, nil
}
