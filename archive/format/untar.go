package format

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"math"
	"path"
	"slices"
	"strings"
)

// TarMember is what the header of a tar member says: the metadata of an entry, as far as tar has it.
type TarMember struct {
	Offset uint32 // of the content, in the frame
	Entry  Entry  // without Path, which the footer has; times in whole seconds
	Link   string // of a hard link: the name of the member that it is a link to
}

// DecodeTarMembers reads the headers of the members in a decompressed frame, in order. What can't be read ends them, with an error
// beside those ahead of it.
func DecodeTarMembers(frame []byte) ([]TarMember, error) {
	from := bytes.NewReader(frame)
	r := tar.NewReader(from)
	var members []TarMember
	for {
		h, err := r.Next()
		switch {
		case err == io.EOF:
			return members, nil
		case err != nil && !(h != nil && errors.Is(err, tar.ErrInsecurePath)): // names are the footer's
			return members, &CorruptError{What: "block", Reason: "its tar can't be read", Err: err}
		}
		m, err := tarMember(h)
		if err != nil {
			return members, err
		}
		m.Offset = uint32(len(frame) - from.Len())
		members = append(members, m)
	}
}

func tarMember(h *tar.Header) (TarMember, error) {
	if uint64(h.Uid) > math.MaxUint32 || uint64(h.Gid) > math.MaxUint32 || uint64(h.Devmajor) > math.MaxUint32 ||
		uint64(h.Devminor) > math.MaxUint32 || h.Mode < 0 || h.Mode > 0o7777 {
		return TarMember{}, corrupt("block", "the tar member %q has a value out of range", h.Name)
	}
	m := TarMember{Entry: Entry{
		Kind: kindOfTar(h.Typeflag), Mode: uint32(h.Mode), Owner: Owner{uint32(h.Uid), uint32(h.Gid), h.Uname, h.Gname},
		MTime: Time{Seconds: h.ModTime.Unix()}, Rdev: DeviceNumber{uint32(h.Devmajor), uint32(h.Devminor)},
	}}
	switch h.Typeflag {
	case tar.TypeLink:
		m.Link = h.Linkname
	case tar.TypeSymlink:
		m.Entry.Target = h.Linkname
	}
	for key, value := range h.PAXRecords {
		if name, is := strings.CutPrefix(key, paxXAttr); is {
			m.Entry.XAttrs = append(m.Entry.XAttrs, XAttr{name, []byte(value)})
		}
	}
	slices.SortFunc(m.Entry.XAttrs, func(x, y XAttr) int { return strings.Compare(x.Name, y.Name) })
	return m, nil
}

// kindOfTar is the kind of entry that a type of member stands for, if it is no link; 0 if for none.
func kindOfTar(flag byte) Kind {
	switch flag {
	case tar.TypeReg, tar.TypeLink:
		return File
	case tar.TypeSymlink:
		return Symlink
	case tar.TypeChar:
		return CharDevice
	case tar.TypeBlock:
		return BlockDevice
	case tar.TypeDir:
		return Directory
	case tar.TypeFifo:
		return FIFO
	}
	return 0
}

// LinkedFrom is the path that the symbolic link at from leads to, as Relative made its target; ok is false where that is no path.
func LinkedFrom(from Path, target string) (to Path, ok bool) {
	dir, _ := from.Split()
	joined := strings.TrimPrefix(path.Join("/", string(dir), target), "/")
	return Path(joined), !strings.HasPrefix(target, "/") && ValidPath(joined)
}
