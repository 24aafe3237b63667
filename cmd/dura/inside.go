package main

import (
	"os"
	"path/filepath"
	"syscall"

	"dura/archive/storage/cloud"
)

// itself tells the archive's directory from others: a backup leaves it out where it lies inside a source, and a restore leaves it
// alone. Paths inside it are refused, with message. Nothing local is an archive in an object store.
func itself(place string, paths []string, message string) (func(dev, ino uint64) bool, error) {
	if cloud.IsPlace(place) {
		return nil, nil
	}
	archive, err := os.Stat(place)
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		if isWithin(path, archive) {
			return nil, usage(message, shown(path))
		}
	}
	stat, ok := archive.Sys().(*syscall.Stat_t)
	if !ok {
		return nil, nil
	}
	return func(dev, ino uint64) bool { return dev == uint64(stat.Dev) && ino == stat.Ino }, nil
}

// isWithin reports whether path is the directory dir or below it, whatever links lead there; a link itself is where it stands.
// What can't be read is not.
func isWithin(path string, dir os.FileInfo) bool {
	path, err := filepath.Abs(path)
	if err != nil {
		return false
	}
	if parent, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		path = filepath.Join(parent, filepath.Base(path))
	}
	for {
		if info, err := os.Lstat(path); err == nil && os.SameFile(info, dir) {
			return true
		}
		parent := filepath.Dir(path)
		if parent == path {
			return false
		}
		path = parent
	}
}
