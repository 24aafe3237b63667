package awkward

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"

	"golang.org/x/sys/unix"
)

// Make makes the tree in dir, which is created, or is there and empty. Everything it may be that is awkward gets an
// explicit owner, mode and mtime, dir too; atime is the same as mtime. An error means that the tree is of no use; what is
// merely refused is in the report.
func Make(dir string, o Options) (Report, error) {
	b := &builder{options: o, report: Report{Made: map[Feature]int{}}}
	if err := b.makeRoot(dir); err != nil {
		return b.report, fmt.Errorf("make an awkward tree in %q: %w", dir, err)
	}
	return b.report, nil
}

// builder makes one tree. Once something fails that is no mere refusal, err is set and nothing more is made.
type builder struct {
	options Options
	report  Report
	err     error
}

// section makes what one feature needs in a directory of its own.
type section struct {
	feature Feature
	fill    func(*dir)
}

func sections() []section {
	return []section{
		{Sizes, sizes}, {Modes, modes}, {Owners, owners}, {Times, times}, {Fifos, fifos}, {Sockets, sockets},
		{Devices, devices}, {HardLinks, hardLinks}, {Symlinks, symlinks}, {XattrUser, xattrsUser},
		{XattrTrusted, xattrsTrusted}, {XattrSecurity, xattrsSecurity}, {ACLs, acls}, {Capabilities, capabilities},
		{Sparse, sparseFiles}, {Preallocated, preallocated}, {HugeSparse, hugeSparse}, {NameBytes, nameBytes}, {NameOdd, nameOdd}, {NameLong, nameLong},
		{NameFold, nameFold}, {NameReserved, nameReserved}, {DeepDirs, deepDirs}, {LongPaths, longPaths},
		{EmptyDirs, emptyDirs}, {ManyEntries, manyEntries}, {CacheDirs, cacheDirs}, {Mixed, mixed},
	}
}

func (b *builder) makeRoot(path string) error {
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	if names, err := os.ReadDir(path); err != nil {
		return err
	} else if len(names) > 0 {
		return fmt.Errorf("it has %d entries; it should be empty: %w", len(names), os.ErrExist)
	}
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	root := &dir{builder: b, fd: fd}
	for _, s := range sections() {
		if b.options.wants(s.feature) {
			root.sub(string(s.feature), s.fill)
		}
	}
	root.finish(".", unix.S_IFDIR, attributesOf(0o755, nil))
	return b.err
}

// fail ends the making: err is not a refusal that a tree may lack something for.
func (b *builder) fail(path string, err error) {
	if b.err == nil {
		b.err = fmt.Errorf("%q: %w", path, err)
	}
}

// try notes what came of making f at path and returns whether it came to be. What is no feature, and so empty, may not be
// refused.
func (b *builder) try(f Feature, path string, err error) bool {
	switch {
	case err == nil:
		b.made(f)
	case f != "" && refused(err):
		b.report.Skipped = append(b.report.Skipped, Skip{f, path, err})
	default:
		b.fail(path, err)
	}
	return err == nil
}

func (b *builder) made(f Feature) {
	if f != "" {
		b.report.Made[f]++
	}
}

// errBent says that the file system took a value and kept another.
var errBent = errors.New("the file system kept another value")

// refused tells errors that mean no from those that mean that something is broken.
func refused(err error) bool {
	for _, no := range []error{
		unix.EPERM, unix.EACCES, unix.ENOTSUP, unix.ENOSYS, unix.EINVAL, unix.EILSEQ, unix.EEXIST, unix.E2BIG, unix.EFBIG,
		unix.ERANGE, unix.EOVERFLOW, unix.EMLINK, unix.ENAMETOOLONG, errBent,
	} {
		if errors.Is(err, no) {
			return true
		}
	}
	return false
}

// random returns the random numbers of one part of the tree: what is made elsewhere doesn't change them.
func (b *builder) random(part string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(part))
	return rand.New(rand.NewPCG(b.options.Seed, h.Sum64()))
}
