package awkward

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// hardLinks makes groups of names that are one file. Their first names come early and late in path order, ahead of and
// behind the directories that hold the others.
func hardLinks(d *dir) {
	r := d.random("hard-links")
	d.sub("z", func(z *dir) {
		z.file("later", []byte("its first name in path order is that of another directory\n"))
	})
	d.sub("a", func(a *dir) {
		a.link(d, "z/later", "before")
		a.file("small", []byte("one file, several names\n"), mode(0o640))
		a.file("empty", nil)
		a.file("large", randomBytes(r, 5*mib))
		a.file("attributes", []byte("x"), attr("user.dura", []byte("on all names")), mode(0o4711))
		a.symlink("symlink", "small")
		a.node("fifo", unix.S_IFIFO, 0)
		a.node("socket", unix.S_IFSOCK, 0)
		a.node("whiteout", unix.S_IFCHR, 0)
		a.link(a, "small", "again")
	})
	names := []string{"small", "empty", "large", "attributes", "symlink", "fifo", "socket", "whiteout"}
	d.sub("b", func(b *dir) {
		for _, name := range names {
			b.link(d, "a/"+name, name)
		}
		b.sub("below", func(below *dir) {
			for _, name := range names {
				below.link(d, "a/"+name, "z-"+name)
			}
		})
	})
	d.link(d, "z/later", "0-first")
	d.link(d, "a/small", "zz-last")
	d.link(d, "a/large", "0-large")
	d.parent.link(d, "a/small", "zz-hard-link") // the root is filled until the end
	d.sub("many", func(many *dir) {
		many.file("000", []byte("a hundred names\n"))
		for i := 1; i < 100; i++ {
			many.link(many, "000", fmt.Sprintf("%03d", i))
		}
	})
	d.file("twin-1", []byte("twins: equal, not linked\n"))
	d.file("twin-2", []byte("twins: equal, not linked\n"))
}

func symlinks(d *dir) {
	d.file("file", []byte("what links point to\n"))
	d.sub("dir", func(d *dir) { d.file("inside", nil) })
	targets := map[string]string{
		"to-file": "file", "to-dir": "dir", "to-dir-slash": "dir/", "to-inside": "dir/inside", "to-link": "to-file",
		"dangling": "no/such/file", "absolute": "/", "absolute-etc": "/etc/passwd", "parent": "..", "self-dir": ".",
		"up": "../../../../../../../../../../etc", "proc": "/proc/self/cwd",
		"loop-1": "loop-2", "loop-2": "loop-1", "loop": "loop",
		"newline": "a\nb", "not-utf8": "\xff\xfe\x80", "spaces": "  ", "arrow": "a -> b", "odd": "//.//../x//",
		"escape": "\x1b[31mred\x07", "quote": `"'\`, "nfd": "e\u0301",
	}
	for _, name := range slices.Sorted(maps.Keys(targets)) {
		d.symlink(name, targets[name])
	}
	var every []byte
	for b := 1; b < 256; b++ {
		every = append(every, byte(b))
	}
	d.symlink("every-byte", string(every))
	for _, size := range []int{59, 60, 99, 100, 101, 255, 256, 1023, 1024, 4095} { // 60 is where ext4 takes a block for it
		d.symlink(fmt.Sprintf("long-%04d", size), strings.Repeat("long/", size/5+1)[:size])
	}
}
