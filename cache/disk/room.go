package disk

import (
	"encoding/hex"
	"errors"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// The ledger says how many bytes the pieces take. It is locked by whoever changes it; where it is wrong it says too much, since a
// piece is counted before it is written, and the next eviction counts anew.
const (
	ledgerName      = "dura-cache"
	temporaryPrefix = "dura-cache-"
	staleAfter      = time.Hour // what is still to the side then was left by somebody who died
)

// Evictions make so much more room than is needed, so that they are rare: they look at every file.
const evictShare = 10

var errNoRoom = errors.New("there is no room for it")

// taken is what a file of that many bytes takes on the disk.
func taken(bytes int64) int64 {
	const unit = 4096
	return (bytes + unit - 1) / unit * unit
}

// reserve makes room for so many bytes and counts them.
func (c *Cache) reserve(bytes int64) error {
	if err := c.lock(); err != nil {
		return err
	}
	defer unix.Flock(int(c.ledger.Fd()), unix.LOCK_UN)
	total, err := c.total()
	if err != nil {
		return err
	}
	room, err := c.room(total)
	if err != nil {
		return err
	}
	if room < bytes {
		return errNoRoom
	}
	if total+bytes > room {
		kept := room - bytes
		if total, err = c.evict(kept - kept/evictShare); err != nil {
			return err
		}
		if total+bytes > room {
			return errNoRoom
		}
	}
	return c.setTotal(total + bytes)
}

// lock waits a little for others to let go of the ledger.
func (c *Cache) lock() error {
	const attempts, pause = 50, 2 * time.Millisecond
	for range attempts {
		switch err := unix.Flock(int(c.ledger.Fd()), unix.LOCK_EX|unix.LOCK_NB); err {
		case nil:
			return nil
		case unix.EWOULDBLOCK, unix.EINTR:
			time.Sleep(pause)
		default:
			return err
		}
	}
	return errNoRoom
}

// total is what the pieces take: what the ledger says, or what is found if it says nothing.
func (c *Cache) total() (int64, error) {
	var text [24]byte
	n, err := c.ledger.ReadAt(text[:], 0)
	if err != nil && err != io.EOF {
		return 0, err
	}
	line, _, ok := strings.Cut(string(text[:n]), "\n")
	total, err := strconv.ParseInt(line, 10, 64)
	if !ok || err != nil || total < 0 {
		return c.evict(math.MaxInt64)
	}
	return total, nil
}

func (c *Cache) setTotal(total int64) error {
	_, err := c.ledger.WriteAt([]byte(strconv.FormatInt(total, 10)+"\n"), 0)
	return err
}

// room is how many bytes the pieces may take, if they take total now.
func (c *Cache) room(total int64) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(c.ledger.Fd()), &st); err != nil {
		return 0, err
	}
	free := int64(st.Bavail) * int64(st.Bsize)
	return min(c.options.MaxBytes, total+free-c.options.FreeBytes), nil
}

// found is a piece in the directory.
type found struct {
	name  string
	bytes int64
	used  time.Time
}

// evict deletes the pieces that were not used for longest until the rest takes no more than that, and says what it takes.
func (c *Cache) evict(maxBytes int64) (total int64, err error) {
	pieces, err := c.list()
	if err != nil {
		return 0, err
	}
	for _, p := range pieces {
		total += p.bytes
	}
	slices.SortFunc(pieces, func(a, b found) int { return a.used.Compare(b.used) })
	for _, p := range pieces {
		if total <= maxBytes {
			break
		}
		if err := c.root.Remove(p.name); err != nil && !errors.Is(err, os.ErrNotExist) {
			return 0, err
		}
		total -= p.bytes
	}
	return total, nil
}

// list finds all pieces, and takes away what was left over to the side.
func (c *Cache) list() ([]found, error) {
	top, err := c.entries(".")
	if err != nil {
		return nil, err
	}
	var pieces []found
	for _, e := range top {
		switch {
		case isDigits(e.Name(), 2*folderBytes) && e.IsDir():
			in, err := c.entries(e.Name())
			if err != nil {
				return nil, err
			}
			for _, p := range in {
				name := e.Name() + "/" + p.Name()
				if info, err := c.root.Lstat(name); err == nil && info.Mode().IsRegular() && isDigits(p.Name(), 2*(sumBytes-folderBytes)) {
					pieces = append(pieces, found{name, taken(info.Size()), info.ModTime()})
				}
			}
		case strings.HasPrefix(e.Name(), temporaryPrefix) && e.Type().IsRegular():
			if info, err := c.root.Lstat(e.Name()); err == nil && c.options.Now().Sub(info.ModTime()) > staleAfter {
				_ = c.root.Remove(e.Name()) // or the next eviction does
			}
		}
	}
	return pieces, nil
}

func (c *Cache) entries(folder string) ([]os.DirEntry, error) {
	f, err := c.root.Open(folder)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.ReadDir(-1)
}

func isDigits(name string, digits int) bool {
	if len(name) != digits || strings.ToLower(name) != name {
		return false
	}
	_, err := hex.DecodeString(name)
	return err == nil
}
