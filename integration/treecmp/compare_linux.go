package treecmp

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// Compare compares the directories a and b, with all below them, and returns the differences in path order, a name ahead
// of what is below it. An error means that the comparison could not be made or not be finished; the differences
// found up to there come with it. Files are not to change meanwhile.
func Compare(a, b string, o Options) ([]Difference, error) {
	c := &comparer{options: o, toB: map[inode]linked{}, toA: map[inode]linked{}, buffers: newBuffers()}
	dirA, err := openRoot(a)
	if err != nil {
		return nil, err
	}
	defer unix.Close(dirA)
	dirB, err := openRoot(b)
	if err != nil {
		return nil, err
	}
	defer unix.Close(dirB)
	err = c.entry("", side{dir: dirA, name: "."}, side{dir: dirB, name: "."})
	if errors.Is(err, errLimit) {
		err = nil
	}
	return c.found, err
}

// errLimit unwinds the walk once Options.Limit is reached.
var errLimit = errors.New("enough differences")

func openRoot(path string) (int, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open %q to compare it: %w", path, err)
	}
	return fd, nil
}

type comparer struct {
	options Options
	found   []Difference
	toB     map[inode]linked // from an inode of a with several names to the one in b that has the same names
	toA     map[inode]linked
	buffers buffers
}

// side is an entry in one of the trees: a name in an open directory.
type side struct {
	dir  int
	name string
	stat unix.Stat_t
}

func (s *side) typeBits() uint32 { return s.stat.Mode & unix.S_IFMT }

func (c *comparer) differ(path string, k Kind, a, b string) error {
	if c.options.ignores(k) {
		return nil
	}
	c.found = append(c.found, Difference{Path: path, Kind: k, A: a, B: b})
	if len(c.found) == c.options.Limit {
		return errLimit
	}
	return nil
}

// differIf reports a difference where a and b, as text, are not the same.
func (c *comparer) differIf(path string, k Kind, a, b string) error {
	if a == b {
		return nil
	}
	return c.differ(path, k, a, b)
}

// failed makes a difference of a refusal, and an error of anything else.
func (c *comparer) failed(path, what string, errA, errB error) error {
	for _, err := range []error{errA, errB} {
		if err != nil && !errors.Is(err, unix.EACCES) && !errors.Is(err, unix.EPERM) {
			return fmt.Errorf("%s %q to compare it: %w", what, path, err)
		}
	}
	return c.differ(path, Unreadable, outcome(what, errA), outcome(what, errB))
}

func outcome(what string, err error) string {
	if err == nil {
		return what + ": done"
	}
	return what + ": " + err.Error()
}

func (c *comparer) entry(path string, a, b side) error {
	errA := unix.Fstatat(a.dir, a.name, &a.stat, unix.AT_SYMLINK_NOFOLLOW)
	errB := unix.Fstatat(b.dir, b.name, &b.stat, unix.AT_SYMLINK_NOFOLLOW)
	if errA != nil || errB != nil {
		return c.failed(path, "stat", errA, errB)
	}
	if a.typeBits() != b.typeBits() {
		return c.differ(path, Type, typeName(a.typeBits()), typeName(b.typeBits()))
	}
	for _, compare := range []func(string, *side, *side) error{c.attributes, c.links, c.xattrs, c.byType} {
		if err := compare(path, &a, &b); err != nil {
			return err
		}
	}
	return nil
}

func (c *comparer) byType(path string, a, b *side) error {
	switch a.typeBits() {
	case unix.S_IFREG:
		return c.file(path, a, b)
	case unix.S_IFDIR:
		return c.directory(path, a, b)
	case unix.S_IFLNK:
		return c.symlink(path, a, b)
	case unix.S_IFCHR, unix.S_IFBLK:
		return c.differIf(path, Device, device(&a.stat), device(&b.stat))
	}
	return nil
}

func (c *comparer) directory(path string, a, b *side) error {
	const flags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	dirA, dirB, errA, errB := openBoth(a, b, flags)
	defer closeBoth(dirA, dirB)
	if errA != nil || errB != nil {
		return c.failed(path, "open", errA, errB)
	}
	namesA, errA := readNames(dirA)
	namesB, errB := readNames(dirB)
	if errA != nil || errB != nil {
		return c.failed(path, "list", errA, errB)
	}
	for len(namesA) > 0 || len(namesB) > 0 {
		var err error
		switch {
		case len(namesB) == 0 || len(namesA) > 0 && namesA[0] < namesB[0]:
			err = c.differ(join(path, namesA[0]), Missing, "there", "not there")
			namesA = namesA[1:]
		case len(namesA) == 0 || namesB[0] < namesA[0]:
			err = c.differ(join(path, namesB[0]), Extra, "not there", "there")
			namesB = namesB[1:]
		default:
			name := namesA[0]
			err = c.entry(join(path, name), side{dir: dirA, name: name}, side{dir: dirB, name: name})
			namesA, namesB = namesA[1:], namesB[1:]
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func openBoth(a, b *side, flags int) (fdA, fdB int, errA, errB error) {
	fdA, errA = unix.Openat(a.dir, a.name, flags, 0)
	fdB, errB = unix.Openat(b.dir, b.name, flags, 0)
	return fdA, fdB, errA, errB
}

func closeBoth(fdA, fdB int) {
	for _, fd := range []int{fdA, fdB} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

func readNames(dir int) ([]string, error) {
	var names []string
	buf := make([]byte, 64<<10)
	for {
		n, err := unix.ReadDirent(dir, buf)
		if err != nil {
			return nil, err
		}
		if n <= 0 {
			slices.Sort(names)
			return names, nil
		}
		_, _, names = unix.ParseDirent(buf[:n], -1, names)
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "/" + name
}
