package file

import (
	"errors"
	"strings"

	"golang.org/x/sys/unix"
)

// split parts a name into its folder, empty for the archive's own directory, and the name inside.
func split(name string) (folder, base string) {
	at := strings.LastIndexByte(name, '/')
	return name[:max(at, 0)], name[at+1:]
}

// openFolder opens a folder of the archive for reading, without following a symbolic link. It makes what is missing if
// create is set. The caller closes what it returns.
func (s *Storage) openFolder(folder string, create bool) (int, error) {
	fd, err := openFolderAt(s.top, ".")
	if err != nil {
		return -1, s.failed("open", "", err)
	}
	for at := 0; at < len(folder); {
		end := len(folder)
		if slash := strings.IndexByte(folder[at:], '/'); slash >= 0 {
			end = at + slash
		}
		parent := fd
		fd, err = openFolderAt(parent, folder[at:end])
		if err == unix.ENOENT && create {
			fd, err = s.makeFolder(parent, folder[:end])
		}
		unix.Close(parent)
		if err != nil {
			return -1, s.failed("open", folder[:end], err)
		}
		at = end + 1
	}
	return fd, nil
}

// makeFolder makes a folder in its open parent, and opens it.
func (s *Storage) makeFolder(parent int, folder string) (int, error) {
	_, base := split(folder)
	s.folders.forget(folder)
	err := retry0(func() error { return unix.Mkdirat(parent, base, folderMode) })
	if err != nil && err != unix.EEXIST {
		return -1, err
	}
	return openFolderAt(parent, base)
}

func openFolderAt(parent int, name string) (int, error) {
	const flags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	fd, err := retry(func() (int, error) { return unix.Openat(parent, name, flags, 0) })
	// Systems disagree on what a link in the way is called.
	if err == unix.ENOTDIR || err == unix.ELOOP || err == unix.EMLINK {
		if _, inspectErr := inspect(parent, name); errors.Is(inspectErr, isLink) {
			err = isLink
		}
	}
	return fd, err
}

// inspect describes the object that has this name in a folder. Whatever else may be there is an error: EISDIR, isLink or
// notRegular.
func inspect(folder int, base string) (unix.Stat_t, error) {
	var st unix.Stat_t
	err := retry0(func() error { return unix.Fstatat(folder, base, &st, unix.AT_SYMLINK_NOFOLLOW) })
	if err != nil {
		return st, err
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return st, nil
	case unix.S_IFDIR:
		return st, unix.EISDIR
	case unix.S_IFLNK:
		return st, isLink
	}
	return st, notRegular
}
