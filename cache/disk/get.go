package disk

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// What stands under a name may be something else than a file of ours: links are not followed, and a fifo is not waited for.
const openFlags = unix.O_NOFOLLOW | unix.O_NONBLOCK

// A piece that is used says so in its time of modification, unless that is not older than this.
const touchAfter = 10 * time.Minute

// A sum is the SHA-256 of a piece, or the first bytes of it, and at least sumBytes of them. These name its file.
const (
	sumBytes    = 16
	folderBytes = 1
)

func nameOf(sum []byte) string {
	digits := hex.EncodeToString(sum[:sumBytes])
	return digits[:2*folderBytes] + "/" + digits[2*folderBytes:]
}

// Get fills buf with the piece that has this sum, and reports whether it is there: as many bytes as buf has, with that sum. What buf
// holds otherwise is anything.
func (c *Cache) Get(sum, buf []byte) bool {
	name := nameOf(sum)
	used, err := c.read(name, sum, buf)
	if err != nil {
		c.misses.Add(1)
		c.missed(name, err)
		return false
	}
	c.hits.Add(1)
	c.unreadable.Store(false)
	if now := c.options.Now(); now.Sub(used) > touchAfter {
		_ = c.root.Chtimes(name, now, now) // else it is thought to be older than it is
	}
	return true
}

// Has reports whether there seems to be a piece with this sum, and of so many bytes, before room is made for it.
func (c *Cache) Has(sum []byte, bytes int64) bool {
	name := nameOf(sum)
	info, err := c.root.Lstat(name)
	if err == nil && info.Size() != bytes {
		err = ErrCorrupt
	}
	if err != nil {
		c.misses.Add(1)
		c.missed(name, err)
	}
	return err == nil
}

// missed tells of why a piece could not be had, unless it is not there.
func (c *Cache) missed(name string, err error) {
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case errors.Is(err, ErrCorrupt):
		c.corrupt.Add(1)
		_ = c.root.Remove(name) // or the next one to read it finds out
		c.trouble(name, err)
	case !c.unreadable.Swap(true):
		c.trouble(name, err)
	}
}

// read fills buf with a file, which must be that long and have that sum, and says when it was last used.
func (c *Cache) read(name string, sum, buf []byte) (used time.Time, err error) {
	f, err := c.root.OpenFile(name, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return used, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return used, err
	}
	if !info.Mode().IsRegular() || info.Size() != int64(len(buf)) {
		return used, ErrCorrupt
	}
	switch _, err := io.ReadFull(f, buf); {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return used, ErrCorrupt
	case err != nil:
		return used, err
	}
	if got := sha256.Sum256(buf); !bytes.HasPrefix(got[:], sum) {
		return used, ErrCorrupt
	}
	return info.ModTime(), nil
}
