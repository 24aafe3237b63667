package file

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// folders is what a Storage knows about its folders: one group for each, so that creates share the flushing of it, and which
// of them are anchored: their own names, and those of the folders above, are known to be on the disk.
type folders struct {
	mu       sync.Mutex
	groups   map[string]*group
	anchored map[string]bool
	forgets  int
}

// era changes whenever a folder is removed or made. Take it before the move that shows that a folder is there.
func (f *folders) era() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.forgets
}

func (f *folders) group(folder string) *group {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.groups == nil {
		f.groups = make(map[string]*group)
	}
	g := f.groups[folder]
	if g == nil {
		g = new(group)
		f.groups[folder] = g
	}
	return g
}

func (f *folders) isAnchored(folder string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return folder == "" || f.anchored[folder]
}

// setAnchored notes that a folder that was there in the given era is anchored. If some folder was removed since, it may have
// been this one, and it is left to be found out anew.
func (f *folders) setAnchored(folder string, era int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.forgets != era {
		return
	}
	if f.anchored == nil {
		f.anchored = make(map[string]bool)
	}
	f.anchored[folder] = true
}

// forget is called before a folder is removed, and before one is made, which this or another process may have removed. It
// counts as anchored no longer, nor does what is below it.
func (f *folders) forget(folder string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.forgets++
	delete(f.groups, folder)
	maps.DeleteFunc(f.anchored, func(other string, _ bool) bool {
		return other == folder || strings.HasPrefix(other, folder+"/")
	})
}

// flushFolder flushes a folder to the disk, together with others who want the same.
func (s *Storage) flushFolder(ctx context.Context, folder string) error {
	return s.folders.group(folder).run(ctx, &s.flushes, func() error {
		dir, err := s.openFolder(folder, false)
		if errors.Is(err, unix.ENOENT) {
			return nil // removed: there is no name in it to make durable
		}
		if err != nil {
			return err
		}
		defer unix.Close(dir)
		return s.failed("fsync", folder, flush(dir))
	})
}

// settle makes durable what was done in a folder, which was there in the given era, and the folder's own name.
func (s *Storage) settle(ctx context.Context, folder string, era int) error {
	if err := s.flushFolder(ctx, folder); err != nil || s.folders.isAnchored(folder) {
		return err
	}
	parent, _ := split(folder)
	if err := s.settle(ctx, parent, era); err != nil {
		return err
	}
	s.folders.setAnchored(folder, era)
	return nil
}
