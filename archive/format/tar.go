package format

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

const (
	tarUnit = 512
	// maxTarXAttrBytes bounds what a member repeats of its entry's extended attributes; GNU tar and others refuse larger
	// headers. The index has them all.
	maxTarXAttrBytes = 256 << 10

	tarFile      = '0'
	tarLink      = '1'
	tarSymlink   = '2'
	tarChar      = '3'
	tarBlock     = '4'
	tarDirectory = '5'
	tarFIFO      = '6'
	tarPax       = 'x'
)

// paxXAttr begins the keys of pax records that hold extended attributes.
const paxXAttr = "SCHILY.xattr."

// PartSuffix is what the path of a chunk's member has between the file's path and the chunk's offset.
const PartSuffix = ".dura-part"

// AppendTarHeader appends the header of the member that carries bytes bytes of e's content, as a whole: a File, or any
// other kind but Socket, which tar can't hold. An entry with LinkTo becomes a hard link, which has no content.
func AppendTarHeader(dst []byte, e *Entry, bytes int64) []byte {
	h := tarHeader{entry: e, name: string(e.Path), sizeBytes: bytes, xattrs: e.XAttrs}
	switch e.Kind {
	case Directory:
		h.kind, h.name = tarDirectory, h.name+"/"
		if e.Path == Root {
			h.name = "./"
		}
	case Symlink:
		h.kind, h.link = tarSymlink, e.Target
	case FIFO:
		h.kind = tarFIFO
	case CharDevice:
		h.kind = tarChar
	case BlockDevice:
		h.kind = tarBlock
	default:
		h.kind = tarFile
	}
	if e.LinkTo != Root {
		h.kind, h.link, h.sizeBytes, h.xattrs = tarLink, string(e.LinkTo), 0, nil
	}
	return h.appendTo(dst)
}

// PartName is the name of the member that carries the chunk of path's content that begins at start.
func PartName(path Path, start int64) string {
	digits := strconv.FormatInt(start, 10)
	return string(path) + PartSuffix + "/" + "0000000000000000"[min(16, len(digits)):] + digits
}

// AppendTarPartHeader appends the header of the member that carries the chunk of e's content that begins at start. It
// has no extended attributes.
func AppendTarPartHeader(dst []byte, e *Entry, start, bytes int64) []byte {
	h := tarHeader{entry: e, kind: tarFile, name: PartName(e.Path, start), sizeBytes: bytes}
	return h.appendTo(dst)
}

// AppendTarCopyHeader appends the header of a hard link called name to the member called of, which has the same content.
// It stands for a file or a chunk of e that is not stored again, so that extracting the tar gives that too.
func AppendTarCopyHeader(dst []byte, e *Entry, name, of string) []byte {
	h := tarHeader{entry: e, kind: tarLink, name: name, link: of}
	return h.appendTo(dst)
}

// AppendTarSymlinkHeader appends the header of a symbolic link in the place of e.
func AppendTarSymlinkHeader(dst []byte, e *Entry, target string) []byte {
	h := tarHeader{entry: e, kind: tarSymlink, name: string(e.Path), link: target}
	return h.appendTo(dst)
}

// TarPadding is how many zero bytes follow a member of so many content bytes.
func TarPadding(bytes int64) int { return int(-bytes & (tarUnit - 1)) }

type tarHeader struct {
	entry     *Entry
	kind      byte
	name      string
	link      string
	sizeBytes int64
	xattrs    []XAttr
}

// appendTo appends a ustar header, behind a pax header with what ustar can't hold. Values that are in the pax header are
// cut short or zero in the ustar header.
func (h *tarHeader) appendTo(dst []byte) []byte {
	var pax []byte
	e := h.entry
	prefix, name, ok := splitUSTAR(h.name)
	if !ok {
		pax = appendPax(pax, "path", h.name)
	}
	if !isASCII(h.link) || len(h.link) > 100 {
		pax = appendPax(pax, "linkpath", h.link)
	}
	uid, pax := ustarNumber(pax, "uid", int64(e.Owner.UID), 7)
	gid, pax := ustarNumber(pax, "gid", int64(e.Owner.GID), 7)
	mtime, pax := ustarNumber(pax, "mtime", e.MTime.Seconds, 11)
	user, pax := ustarName(pax, "uname", e.Owner.User)
	group, pax := ustarName(pax, "gname", e.Owner.Group)
	if !utf8.ValidString(h.name) || !utf8.ValidString(h.link) {
		pax = append(appendPax(nil, "hdrcharset", "BINARY"), pax...)
	}
	pax = appendPaxXAttrs(pax, h.xattrs)

	if len(pax) > 0 {
		x := ustarBlock{kind: tarPax, name: "PaxHeaders/entry", mode: 0o644, sizeBytes: int64(len(pax))}
		dst = append(x.appendTo(dst), pax...)
		dst = appendZeros(dst, TarPadding(int64(len(pax))))
	}
	u := ustarBlock{
		kind: h.kind, name: name, prefix: prefix, link: cut(h.link, 100), mode: int64(e.Mode), uid: uid, gid: gid,
		sizeBytes: h.sizeBytes, mtime: mtime, user: user, group: group,
	}
	if h.kind == tarChar || h.kind == tarBlock {
		u.major, pax = ustarNumber(pax, "", int64(e.Rdev.Major), 7)
		u.minor, _ = ustarNumber(pax, "", int64(e.Rdev.Minor), 7)
	}
	return u.appendTo(dst)
}

// splitUSTAR parts a name into ustar's prefix and name. Where that can't hold it, it gives what comes nearest.
func splitUSTAR(s string) (prefix, name string, ok bool) {
	if !isASCII(s) {
		return "", cut(s, 100), false
	}
	if len(s) <= 100 {
		return "", s, true
	}
	// The latest slash that leaves a prefix of at most 155 bytes, and not the one that ends a directory's name.
	i := bytes.LastIndexByte([]byte(s[:min(156, len(s)-1)]), '/')
	if i > 0 && len(s)-i-1 <= 100 {
		return s[:i], s[i+1:], true
	}
	return "", cut(s, 100), false
}

// ustarNumber is v where so many octal digits hold it; otherwise it is put into the pax records, if it has a key, and is 0.
func ustarNumber(pax []byte, key string, v int64, digits int) (int64, []byte) {
	if v >= 0 && v < 1<<(3*digits) {
		return v, pax
	}
	if key != "" {
		pax = appendPax(pax, key, strconv.FormatInt(v, 10))
	}
	return 0, pax
}

func ustarName(pax []byte, key, v string) (string, []byte) {
	if isASCII(v) && len(v) < 32 {
		return v, pax
	}
	return "", appendPax(pax, key, v)
}

// appendPax appends one record: its length in decimal, itself included, a space, key=value and a newline.
func appendPax(dst []byte, key, value string) []byte {
	base := len(key) + len(value) + 3 // space, '=', newline
	n := base + len(strconv.Itoa(base))
	n = base + len(strconv.Itoa(n))
	dst = append(strconv.AppendInt(dst, int64(n), 10), ' ')
	dst = append(append(dst, key...), '=')
	return append(append(dst, value...), '\n')
}

// appendPaxXAttrs leaves out what would not survive: names with '=', and what is beyond maxTarXAttrBytes.
func appendPaxXAttrs(pax []byte, xattrs []XAttr) []byte {
	left := maxTarXAttrBytes
	for _, x := range xattrs {
		size := len(x.Name) + len(x.Value)
		if bytes.IndexByte([]byte(x.Name), '=') >= 0 || size > left {
			continue
		}
		left -= size
		pax = appendPax(pax, paxXAttr+x.Name, string(x.Value))
	}
	return pax
}

// ustarBlock is one header of 512 bytes.
type ustarBlock struct {
	kind               byte
	name, prefix, link string
	mode, uid, gid     int64
	sizeBytes, mtime   int64
	user, group        string
	major, minor       int64
}

func (u *ustarBlock) appendTo(dst []byte) []byte {
	dst = appendZeros(dst, tarUnit)
	b := dst[len(dst)-tarUnit:]
	copy(b[0:100], u.name)
	putOctal(b[100:108], u.mode)
	putOctal(b[108:116], u.uid)
	putOctal(b[116:124], u.gid)
	putOctal(b[124:136], u.sizeBytes)
	putOctal(b[136:148], u.mtime)
	b[156] = u.kind
	copy(b[157:257], u.link)
	copy(b[257:265], "ustar\x0000")
	copy(b[265:297], u.user)
	copy(b[297:329], u.group)
	putOctal(b[329:337], u.major)
	putOctal(b[337:345], u.minor)
	copy(b[345:500], u.prefix)

	copy(b[148:156], "        ") // counts as spaces in its own sum
	var sum int64
	for _, c := range b {
		sum += int64(c)
	}
	putOctal(b[148:155], sum)
	return dst
}

// putOctal fills b with v in octal digits, zero-padded, and a NUL.
func putOctal(b []byte, v int64) {
	for i := len(b) - 2; i >= 0; i-- {
		b[i] = '0' + byte(v&7)
		v >>= 3
	}
	b[len(b)-1] = 0
}

func appendZeros(dst []byte, n int) []byte {
	var zeros [tarUnit]byte
	for n > tarUnit {
		dst = append(dst, zeros[:]...)
		n -= tarUnit
	}
	return append(dst, zeros[:n]...)
}

func cut(s string, n int) string { return s[:min(n, len(s))] }

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
