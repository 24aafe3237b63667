package fs

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Mounted is what is mounted on a directory.
type Mounted struct {
	Type   string // fuse.dura-mount
	Source string // as mount and df show it
	device string // its number, as 0:43
}

// MountOn finds what is mounted on a directory, the topmost mount if there are several; ok is false where nothing is. It asks the list of
// mounts: a stat would be a request to whoever serves it.
func MountOn(dir string) (m Mounted, ok bool) {
	if parent, err := filepath.EvalSymlinks(filepath.Dir(dir)); err == nil {
		dir = filepath.Join(parent, filepath.Base(dir))
	}
	list, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return Mounted{}, false
	}
	defer list.Close()
	for lines := bufio.NewScanner(list); lines.Scan(); {
		where, what, _ := strings.Cut(lines.Text(), " - ")
		left, right := strings.Fields(where), strings.Fields(what)
		if len(left) > 4 && len(right) > 1 && unescapeMount(left[4]) == dir {
			m, ok = Mounted{Type: right[0], Source: unescapeMount(right[1]), device: left[2]}, true // the last one is on top
		}
	}
	return m, ok
}

// unescapeMount undoes what the kernel does to names in lists of mounts: \040 for a space.
func unescapeMount(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(c))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
