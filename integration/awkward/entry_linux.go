package awkward

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// dir is an open directory of the tree, being filled.
type dir struct {
	*builder
	fd     int
	path   string // below the root; empty for the root
	parent *dir
}

func (d *dir) below(name string) string {
	if d.path == "" {
		return name
	}
	return d.path + "/" + name
}

// feature marks the entry as one that is itself the awkward thing.
func feature(f Feature) option { return func(a *attributes) { a.feature = f } }

// create runs one call that makes the entry name, and gives it its attributes.
func (d *dir) create(name string, typeBits uint32, a attributes, call func() error) {
	kind := typeFeature(typeBits)
	if d.err != nil || !d.options.wants(kind) || !d.options.wants(a.feature) {
		return
	}
	if a.feature == "" {
		a.feature, kind = kind, ""
	}
	if err := call(); !d.try(a.feature, d.below(name), err) {
		return
	}
	d.made(kind)
	d.report.Entries++
	d.finish(name, typeBits, a)
}

// typeFeature is what an entry counts as by its type alone.
func typeFeature(typeBits uint32) Feature {
	switch typeBits {
	case unix.S_IFLNK:
		return Symlinks
	case unix.S_IFIFO:
		return Fifos
	case unix.S_IFSOCK:
		return Sockets
	case unix.S_IFCHR, unix.S_IFBLK:
		return Devices
	}
	return ""
}

// sub makes a directory. Its own attributes come last, so that filling it changes none of them.
func (d *dir) sub(name string, fill func(*dir), options ...option) {
	d.create(name, unix.S_IFDIR, attributesOf(0o755, options), func() error {
		if err := unix.Mkdirat(d.fd, name, 0o700); err != nil {
			return err
		}
		fd, err := unix.Openat(d.fd, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("open it: %v", err)
		}
		defer unix.Close(fd)
		if fill != nil {
			fill(&dir{builder: d.builder, fd: fd, path: d.below(name), parent: d})
		}
		return d.err
	})
}

// file makes a regular file that holds data.
func (d *dir) file(name string, data []byte, options ...option) {
	d.fileBy(name, func(f *os.File) error {
		_, err := f.Write(data)
		return err
	}, options...)
}

// fileBy makes a regular file that write fills. Where that is refused, there is no file.
func (d *dir) fileBy(name string, write func(*os.File) error, options ...option) {
	d.create(name, unix.S_IFREG, attributesOf(0o644, options), func() error {
		fd, err := unix.Openat(d.fd, name, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
		if err != nil {
			return err
		}
		f := os.NewFile(uintptr(fd), name)
		err = write(f)
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
		if err != nil {
			_ = unix.Unlinkat(d.fd, name, 0) // the first error is the one to report
		}
		return err
	})
}

func (d *dir) symlink(name, target string, options ...option) {
	d.create(name, unix.S_IFLNK, attributesOf(0o777, options), func() error {
		return unix.Symlinkat(target, d.fd, name)
	})
}

// node makes a fifo, a socket or a device.
func (d *dir) node(name string, typeBits uint32, device uint64, options ...option) {
	d.create(name, typeBits, attributesOf(0o644, options), func() error {
		return unix.Mknodat(d.fd, name, typeBits|0o600, int(device))
	})
}

// link gives another name in d to what is at old below from. The attributes are those that it has.
func (d *dir) link(from *dir, old, name string) {
	if d.err != nil || !d.options.wants(HardLinks) || !exists(from, old) {
		return
	}
	if d.try(HardLinks, d.below(name), unix.Linkat(from.fd, old, d.fd, name, 0)) {
		d.report.Entries++
	}
}

// exists is false for what was left out or refused.
func exists(d *dir, name string) bool {
	var stat unix.Stat_t
	return unix.Fstatat(d.fd, name, &stat, unix.AT_SYMLINK_NOFOLLOW) == nil
}
