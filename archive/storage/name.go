package storage

import "strings"

const (
	// MaxNameBytes bounds an object's name, MaxComponentBytes each part of it between slashes.
	MaxNameBytes      = 512
	MaxComponentBytes = 128

	// TemporaryPrefix begins the names of what a storage keeps for itself while it writes. No object has such a name.
	TemporaryPrefix = ".tmp-"
)

// ValidName reports whether name can be an object's: DURA-ARCHIVE, README.txt, or slash-separated components, each of
// [a-z0-9._-], none empty and none beginning with a dot, within MaxNameBytes and MaxComponentBytes.
//
// So no name leads out of an archive, no two names are the same where case is ignored, and no name is one that systems
// make up for files of their own (".nfs…", "._…"), nor a temporary one.
func ValidName(name string) bool {
	switch name {
	case "DURA-ARCHIVE", "README.txt":
		return true
	}
	if len(name) > MaxNameBytes {
		return false
	}
	first, _, _ := strings.Cut(name, "/")
	if first == "dura-archive" || first == "readme.txt" {
		return false // the two above, where case is ignored
	}
	for component := range strings.SplitSeq(name, "/") {
		if !validComponent(component) {
			return false
		}
	}
	return true
}

func validComponent(s string) bool {
	if s == "" || len(s) > MaxComponentBytes || s[0] == '.' {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}
