package disk

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
)

// What waits to be written is bounded: a disk that does not keep up is no reason to wait, nor to fill the memory.
const (
	maxWaiting      = 256
	maxWaitingBytes = 16 << 20
)

type piece struct {
	name string
	data []byte
}

// Put keeps a piece under its sum. It is written later, or not at all: see Stats.
func (c *Cache) Put(sum, data []byte) {
	size := int64(len(data))
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.ledger == nil || c.waitingBytes.Load()+size > maxWaitingBytes || len(c.waiting) == cap(c.waiting) {
		c.skipped.Add(1)
		return
	}
	c.waitingBytes.Add(size)
	c.waiting <- piece{nameOf(sum), bytes.Clone(data)}
}

func (c *Cache) writeAll() {
	defer close(c.written)
	for p := range c.waiting {
		c.writeOne(p)
		c.waitingBytes.Add(-int64(len(p.data)))
	}
}

// writeOne writes a piece, and tells of it when that begins to fail.
func (c *Cache) writeOne(p piece) {
	err := c.write(p)
	switch {
	case err == nil:
		c.failing = false
		c.puts.Add(1)
		return
	case !c.failing && !errors.Is(err, errNoRoom):
		c.failing = true
		c.trouble(p.name, err)
	}
	c.skipped.Add(1)
}

// write writes a piece to the side and moves it to its place, so that nobody sees a part of it.
func (c *Cache) write(p piece) error {
	if info, err := c.root.Lstat(p.name); err == nil && info.Mode().IsRegular() && info.Size() == int64(len(p.data)) {
		return nil // others have been quicker
	}
	if err := c.reserve(taken(int64(len(p.data)))); err != nil {
		return err
	}
	temporary := temporaryPrefix + strings.ToLower(rand.Text())
	err := c.writeFile(temporary, p.data)
	if err == nil {
		err = c.move(temporary, p.name)
	}
	if err != nil {
		_ = c.root.Remove(temporary) // or a later eviction does
	}
	return err
}

func (c *Cache) writeFile(name string, data []byte) error {
	f, err := c.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

func (c *Cache) move(from, to string) error {
	err := c.root.Rename(from, to)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := c.root.Mkdir(path.Dir(to), 0o700); err != nil && !errors.Is(err, syscall.EEXIST) {
		return err
	}
	return c.root.Rename(from, to)
}
