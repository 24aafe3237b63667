package awkward

import (
	"fmt"
	"strings"
)

func nameBytes(d *dir) {
	for b := 1; b < 256; b++ {
		name := string([]byte{byte(b)})
		if name == "/" {
			continue
		}
		d.file("in"+name+"side", []byte(fmt.Sprintf("byte %d\n", b)), feature(NameBytes))
		if name != "." {
			d.file(name, nil, feature(NameBytes))
		}
	}
}

// named makes a file of each name, and in directories beside it a directory and a symbolic link of each.
func (d *dir) named(f Feature, names []string) {
	content := func(name string) []byte { return []byte(fmt.Sprintf("%q\n", name)) }
	for _, name := range names {
		d.file(name, content(name), feature(f))
	}
	d.sub("as-directories", func(d *dir) {
		for _, name := range names {
			d.sub(name, func(d *dir) { d.file(name, content(name), feature(f)) }, feature(f))
		}
	})
	d.sub("as-links", func(d *dir) {
		for _, name := range names {
			d.symlink(name, "../"+name, feature(f))
		}
	})
}

func nameOdd(d *dir)  { d.named(NameOdd, oddNames()) }
func nameFold(d *dir) { d.named(NameFold, foldedNames()) }

func nameLong(d *dir) {
	d.named(NameLong, longNames())
	for _, total := range []int{99, 100, 101, 154, 155, 156, 255, 256, 257} { // of the whole path in the tree
		directory := strings.Repeat("d", 40)
		used := len(d.below(directory)) + 1
		d.sub(fmt.Sprintf("%s%03d", directory[:37], total), func(d *dir) {
			if name := total - used; name <= 255 {
				d.file(strings.Repeat("f", name), []byte("x"), feature(NameLong))
			}
		})
	}
}

// nameReserved also puts a large file beside what its parts could be called.
func nameReserved(d *dir) {
	d.named(NameReserved, reservedNames())
	r := d.random("name-reserved")
	d.file("large", randomBytes(r, 6*mib), feature(NameReserved))
	d.sub("large.dura-part", func(d *dir) {
		for _, offset := range []int{0, 1, mib} {
			d.file(fmt.Sprintf("%016d", offset), []byte("not a part of it\n"), feature(NameReserved))
		}
	}, feature(NameReserved))
	d.sub("PaxHeaders.1", func(d *dir) { d.file("large", []byte("not a header\n"), feature(NameReserved)) })
}
