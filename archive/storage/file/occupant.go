package file

import (
	"context"
	"io"
	"os"
	"strings"

	"dura/archive/storage"
)

// Occupant is the name of something at the top of the directory that no archive puts there, or "": a file or a folder whose
// name no object can have, or a folder with anything in it. What a file system has of its own, such as lost+found, and names
// that begin with a dot don't count. So archive.Create finds out that a directory is in use for something else.
func (s *Storage) Occupant(ctx context.Context) (string, error) {
	fd, err := s.openFolder("", false)
	if err != nil {
		return "", failure(storage.OpList, "", err)
	}
	top := os.NewFile(uintptr(fd), s.directory)
	defer top.Close()
	for {
		entries, err := top.ReadDir(100)
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), ".") || e.Name() == "lost+found" {
				continue
			}
			if !storage.ValidName(e.Name()) || e.IsDir() && !s.emptyFolder(e.Name()) {
				return e.Name(), nil
			}
		}
		switch {
		case err == io.EOF:
			return "", nil
		case err != nil:
			return "", failure(storage.OpList, "", err)
		case ctx.Err() != nil:
			return "", failure(storage.OpList, "", ctx.Err())
		}
	}
}

// emptyFolder reports whether a folder is known to have nothing in it.
func (s *Storage) emptyFolder(name string) bool {
	fd, err := s.openFolder(name, false)
	if err != nil {
		return false
	}
	folder := os.NewFile(uintptr(fd), name)
	defer folder.Close()
	_, err = folder.Readdirnames(1)
	return err == io.EOF
}
