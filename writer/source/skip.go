package source

import (
	"io"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"dura/archive/format"
)

// list lists d, which is pinned. Of a cache directory it gives nothing but the tag.
func (w *walk) list(d *dir) error {
	w.counts.directories.Add(1)
	before := w.lister.spill.runs
	err, fatal := w.lister.read(d.fd)
	w.counts.spills.Add(w.lister.spill.runs - before)
	if fatal != nil {
		return fatal
	}
	filename := d.root.filename(d.path)
	if err != nil {
		if err := w.raise(filename, err); err != nil {
			return err
		}
	}
	if w.lister.broken || w.lister.tooLong {
		if err := w.raiseUnsupported(filename, "some of its names can't be read"); err != nil {
			return err
		}
	}
	if w.o.ExcludeCaches && w.lister.sawTag && hasCacheTag(d.fd) {
		w.lister.only(cacheTagName)
		w.leaveOut(&w.counts.cacheDirectories, d.path, Why{Reason: CacheDirectory})
	}
	return nil
}

// See https://bford.info/cachedir/
const (
	cacheTagName      = "CACHEDIR.TAG"
	cacheTagSignature = "Signature: 8a477f597d28d172789f06886806bc55"
)

// hasCacheTag reports whether the directory at fd has a valid CACHEDIR.TAG.
func hasCacheTag(fd int) bool {
	tag, err := openNoAtime(fd, cacheTagName, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC)
	if err != nil {
		return false
	}
	c := &content{fd: tag}
	defer c.Close()
	var st unix.Stat_t
	if fstat(tag, &st) != nil || kindOf(&st) != format.File {
		return false
	}
	var signature [len(cacheTagSignature)]byte
	_, err = io.ReadFull(c, signature[:])
	return err == nil && string(signature[:]) == cacheTagSignature
}

// excludes reports whether a pattern leaves path out.
func (w *walk) excludes(path format.Path, isDirectory bool) bool {
	pattern, excluded := w.exclude.match(string(path), isDirectory)
	if excluded {
		w.leaveOut(&w.counts.excluded, path, Why{Reason: Excluded, Pattern: pattern})
	}
	return excluded
}

// skips reports whether the content of a directory is left out because the options name it.
func (w *walk) skips(path format.Path, id fileID) bool {
	if w.o.Skip == nil || !w.o.Skip(id.dev, id.ino) {
		return false
	}
	w.leaveOut(&w.counts.skippedContents, path, Why{Reason: SkippedContent})
	return true
}

// skipsMount reports whether the content of a directory is left out because it is on another file system than its parent.
func (w *walk) skipsMount(path format.Path, id, parent fileID) bool {
	if !w.o.OneFileSystem || id.dev == parent.dev || w.explicit[path] {
		return false
	}
	w.leaveOut(&w.counts.otherFileSystems, path, Why{Reason: OtherFileSystem})
	return true
}

// leaveOut counts and tells what is left out, where that belongs to this walk.
func (w *walk) leaveOut(count *atomic.Int64, path format.Path, why Why) {
	if !w.yields(path) {
		return
	}
	count.Add(1)
	if w.o.Skipped != nil {
		w.o.Skipped(path, why)
	}
}
