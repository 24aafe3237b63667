package awkward

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// nest makes directories below each other, one for each name, and calls each with the open directory at each depth.
func (d *dir) nest(names []string, is Feature, each func(d *dir, depth int)) {
	var fill func(depth int) func(*dir)
	fill = func(depth int) func(*dir) {
		return func(d *dir) {
			each(d, depth)
			if depth < len(names) {
				d.sub(names[depth], fill(depth+1), feature(is))
			}
		}
	}
	fill(0)(d)
}

func deepDirs(d *dir) {
	names := make([]string, 200)
	for i := range names {
		names[i] = fmt.Sprintf("%03d", i)
	}
	d.nest(names, DeepDirs, func(d *dir, depth int) {
		if depth%50 == 0 {
			d.file("file", []byte(fmt.Sprintf("depth %d\n", depth)), feature(DeepDirs))
		}
	})
}

// longPaths ends at paths of twice PATH_MAX, where nothing can be opened by its whole path.
func longPaths(d *dir) {
	names := make([]string, 40)
	for i := range names {
		names[i] = fmt.Sprintf("%02d-%s", i, strings.Repeat("l", 197))
	}
	d.nest(names, LongPaths, func(d *dir, depth int) {
		if depth < 15 && depth != 0 {
			return
		}
		d.file("file", []byte(fmt.Sprintf("depth %d\n", depth)), attr("user.dura", []byte("deep")))
		d.symlink("symlink", "file")
		d.link(d, "file", "link")
	})
}

func emptyDirs(d *dir) {
	d.sub("empty", nil, feature(EmptyDirs))
	d.sub("a", func(d *dir) {
		d.sub("b", func(d *dir) { d.sub("c", nil, feature(EmptyDirs)) }, feature(EmptyDirs))
		d.sub("d", nil, feature(EmptyDirs), mode(0o1777))
	}, feature(EmptyDirs))
	d.sub("mode-0000", nil, feature(EmptyDirs), mode(0))
	d.sub("set-group", nil, feature(EmptyDirs), mode(0o2755), mtime(time.Unix(-1, 1)))
}

func manyEntries(d *dir) {
	count := d.options.ManyEntries
	if count == 0 {
		count = 5000
	}
	r := d.random("many-entries")
	for i := range count {
		d.file(fmt.Sprintf("%05d", i), textBytes(r, i%97), feature(ManyEntries))
	}
}

func cacheDirs(d *dir) {
	const signature = "Signature: 8a477f597d28d172789f06886806bc55"
	put := func(name, content string) {
		d.sub(name, func(d *dir) {
			d.file("CACHEDIR.TAG", []byte(content), feature(CacheDirs))
			d.file("cached", []byte("could be made again\n"))
		})
	}
	put("true", signature)
	put("true-comment", signature+"\n# made by a test\n")
	put("false", "Signature: 00000000000000000000000000000000")
	put("false-prefix", " "+signature)
	put("false-short", signature[:len(signature)-1])
	put("false-empty", "")
	d.sub("false-link", func(d *dir) { d.symlink("CACHEDIR.TAG", "../true/CACHEDIR.TAG", feature(CacheDirs)) })
	d.sub("false-dir", func(d *dir) { d.sub("CACHEDIR.TAG", nil, feature(CacheDirs)) })
	d.file("cachedir.tag", []byte(signature), feature(CacheDirs))
}

// mixed makes entries in which the awkward things meet, three levels of them.
func mixed(d *dir) { d.mix(d.random("mixed"), 3) }

func (d *dir) mix(r *rand.Rand, levels int) {
	names := oddNames()
	r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	count := 12 + r.IntN(12)
	for _, name := range names[:count] {
		switch pick := r.IntN(10); {
		case pick < 5:
			d.file(name, textBytes(r, r.IntN(1<<r.IntN(18))), mixedOptions(r, "user.", "trusted.", "security.")...)
		case pick < 6:
			d.symlink(name, names[r.IntN(len(names))], mixedOptions(r, "trusted.", "security.")...)
		case pick < 7:
			d.node(name, unix.S_IFIFO, 0, mixedOptions(r, "trusted.", "security.")...)
		case levels > 1:
			d.sub(name, func(d *dir) { d.mix(r, levels-1) }, mixedOptions(r, "user.", "trusted.")...)
		default:
			d.sub(name, nil, mixedOptions(r, "user.", "security.")...)
		}
	}
	d.file("linked", []byte("x"), mixedOptions(r, "user.")...)
	d.link(d, "linked", "linked again")
}

// mixedOptions draws metadata, with extended attributes of some of the namespaces: only files and directories take user's.
func mixedOptions(r *rand.Rand, namespaces ...string) []option {
	list := []option{feature(Mixed)}
	if r.IntN(2) == 0 {
		list = append(list, mode(r.Uint32N(0o10000)))
	}
	if r.IntN(3) == 0 {
		list = append(list, owner(r.Uint32N(3)*500, r.Uint32N(1<<31)))
	}
	if r.IntN(3) == 0 {
		list = append(list, mtime(time.Unix(r.Int64N(1<<32)-1<<31, r.Int64N(1_000_000_000))))
	}
	for r.IntN(3) == 0 {
		namespace := namespaces[r.IntN(len(namespaces))]
		list = append(list, attr(fmt.Sprintf("%smixed-%d", namespace, r.IntN(1000)), randomBytes(r, r.IntN(200))))
	}
	return list
}
