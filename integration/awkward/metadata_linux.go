package awkward

import (
	"fmt"
	"math"
	"time"

	"golang.org/x/sys/unix"
)

func modes(d *dir) {
	bits := []uint32{0, 0o7777, 0o777, 0o644, 0o4755, 0o2755, 0o1777, 0o6711, 0o555, 0o444, 0o333, 0o222, 0o111}
	for bit := uint32(1); bit <= 0o4000; bit <<= 1 {
		bits = append(bits, bit)
	}
	r := d.random("modes")
	for range 64 {
		bits = append(bits, r.Uint32N(0o10000))
	}
	d.sub("files", func(d *dir) {
		for i, b := range bits {
			d.file(fmt.Sprintf("%03d-%04o", i, b), []byte("some content\n"), mode(b))
		}
	})
	d.sub("dirs", func(d *dir) {
		for i, b := range bits {
			d.sub(fmt.Sprintf("%03d-%04o", i, b), func(d *dir) {
				d.file("file", []byte("in a directory of its own\n"), mode(0o600))
				d.sub("sub", nil, mode(b))
			}, mode(b))
		}
	})
	d.node("fifo-0000", unix.S_IFIFO, 0, mode(0))
	d.node("fifo-7777", unix.S_IFIFO, 0, mode(0o7777))
}

func owners(d *dir) {
	// 2097151 is the most that a tar header holds in octal.
	ids := []uint32{0, 1, 2, 1000, 12345, 65534, 65535, 65536, 2097151, 2097152, math.MaxInt32, math.MaxInt32 + 1, 4294967294}
	for i, id := range ids {
		other := ids[len(ids)-1-i]
		name := fmt.Sprintf("%d-%d", id, other)
		d.file("file-"+name, []byte("owned\n"), owner(id, other))
		d.file("setuid-"+name, []byte("owned and setuid\n"), owner(id, other), mode(0o6755))
		d.sub("dir-"+name, func(d *dir) { d.file("root's", nil) }, owner(id, other), mode(0o2750))
		d.symlink("symlink-"+name, "file-"+name, owner(id, other))
		d.node("fifo-"+name, unix.S_IFIFO, 0, owner(id, other))
	}
}

func times(d *dir) {
	for i, t := range awkwardTimes() {
		name := fmt.Sprintf("%02d", i)
		d.file("file-"+name, []byte(t.String()+"\n"), mtime(t))
		d.symlink("symlink-"+name, "nowhere", mtime(t))
		d.node("fifo-"+name, unix.S_IFIFO, 0, mtime(t))
		d.sub("dir-"+name, func(d *dir) { d.file("inside", nil) }, mtime(t))
	}
}

// awkwardTimes are where counts of seconds or nanoseconds run out, and what is next to that.
func awkwardTimes() []time.Time {
	var list []time.Time
	around := func(t time.Time) {
		list = append(list, t.Add(-time.Second), t.Add(-1), t, t.Add(1), t.Add(123_456_789))
	}
	around(time.Unix(0, 0))
	around(time.Unix(math.MinInt32, 0))  // 1901
	around(time.Unix(math.MaxInt32, 0))  // 2038
	around(time.Unix(math.MaxUint32, 0)) // 2106
	around(time.Unix(1<<33, 0))          // 2242, where the octal seconds of a tar header end
	around(time.Unix(0, math.MinInt64))  // 1677
	around(time.Unix(0, math.MaxInt64))  // 2262
	for _, year := range []int{1, 1600, 1900, 1969, 2000, 2261, 2263, 2300, 2446, 2487, 9999} {
		list = append(list, time.Date(year, 2, 28, 23, 59, 59, 999_999_999, time.UTC))
	}
	return append(list,
		time.Unix(1_234_567_890, 100), time.Unix(1_234_567_890, 1000), time.Unix(1_234_567_890, 999_999_000),
		time.Unix(1<<34-1<<31-1, 0)) // the last second of ext4
}

func xattrsUser(d *dir) {
	values := xattrValues()
	for i, x := range values {
		x.name = "user." + x.name
		d.file(fmt.Sprintf("file-%02d", i), []byte("with an attribute\n"), attr(x.name, x.value))
		d.sub(fmt.Sprintf("dir-%02d", i), nil, attr(x.name, x.value))
	}
	var many []option
	for i := range 50 {
		many = append(many, attr(fmt.Sprintf("user.dura.%02d", i), fmt.Append(nil, i)))
	}
	d.file("many", nil, many...)
	d.file("not-writable", []byte("x"), attr("user.dura", []byte("set all the same")), mode(0o444))
	d.file("mode-0000", []byte("x"), attr("user.dura", []byte("set all the same")), mode(0))
	d.file("largest", []byte("x"), d.largest("user.dura"))
}

// largest returns the largest value that the file system takes for the attribute name, found on a file that goes again.
func (d *dir) largest(name string) option {
	const probe = "probe"
	size := 0
	d.fileBy(probe, nothing)
	for step := 1 << 16; step > 0 && d.err == nil; step >>= 1 {
		if size+step <= 1<<16 && d.setXattr(probe, xattr{name, everyByte(size + step)}) == nil {
			size += step
		}
	}
	if d.err == nil && unix.Unlinkat(d.fd, probe, 0) == nil {
		d.report.Entries--
	}
	return attr(name, everyByte(size))
}

func xattrValues() []xattr {
	longName := make([]byte, 255-len("security."))
	for i := range longName {
		longName[i] = 'n'
	}
	return []xattr{
		{"dura-plain", []byte("value")}, {"dura-empty", nil}, {"dura-nul", []byte("a\x00b\x00")},
		{"dura-binary", everyByte(256)}, {"dura-1000", everyByte(1000)}, {"dura-line", []byte("two\nlines\n")},
		{"dura=with=equals", []byte("=")}, {"dura.ünï\u0301cödé", []byte("ü")}, {"dura.\xff\xfe", []byte("name not UTF-8")},
		{"dura new\nline", []byte("x")}, {" dura ", []byte("spaces")}, {"dura/slash", []byte("x")},
		{string(longName), []byte("long name")},
	}
}

func xattrsTrusted(d *dir)  { xattrsOnAllTypes(d, "trusted.") }
func xattrsSecurity(d *dir) { xattrsOnAllTypes(d, "security.") }

func xattrsOnAllTypes(d *dir, namespace string) {
	for i, x := range xattrValues() {
		d.file(fmt.Sprintf("file-%02d", i), []byte("with an attribute\n"), attr(namespace+x.name, x.value))
	}
	x := attr(namespace+"dura", []byte("not a file"))
	d.sub("dir", nil, x)
	d.symlink("symlink", "nowhere", x)
	d.node("fifo", unix.S_IFIFO, 0, x)
	d.node("socket", unix.S_IFSOCK, 0, x)
	d.node("whiteout", unix.S_IFCHR, 0, x)
	d.file("both", nil, x, attr("user.dura", []byte("and a user's")))
}

func acls(d *dir) {
	named := aclBytes(aclEntry{aclUserObj, 7, aclNoID}, aclEntry{aclUser, 4, 1000}, aclEntry{aclUser, 7, 4294967294},
		aclEntry{aclGroupObj, 4, aclNoID}, aclEntry{aclGroup, 2, 12345}, aclEntry{aclMask, 5, aclNoID}, aclEntry{aclOther, 0, aclNoID})
	bare := aclBytes(aclEntry{aclUserObj, 7, aclNoID}, aclEntry{aclGroupObj, 5, aclNoID}, aclEntry{aclOther, 1, aclNoID})
	closed := aclBytes(aclEntry{aclUserObj, 0, aclNoID}, aclEntry{aclUser, 0, 0}, aclEntry{aclGroupObj, 0, aclNoID},
		aclEntry{aclMask, 0, aclNoID}, aclEntry{aclOther, 0, aclNoID})
	d.file("file", []byte("with an ACL\n"), attr(aclAccess, named))
	d.file("file-setuid", []byte("with an ACL\n"), mode(0o4755), attr(aclAccess, named))
	d.node("fifo", unix.S_IFIFO, 0, attr(aclAccess, named))
	d.sub("dir-access", nil, attr(aclAccess, named))
	if !d.options.Readable {
		d.file("file-closed", []byte("nobody may\n"), attr(aclAccess, closed))
	}
	children := func(d *dir) {
		d.file("file", []byte("x"))
		d.file("file-0600", []byte("x"), mode(0o600))
		d.sub("sub", func(d *dir) { d.file("file", nil) })
		d.symlink("symlink", "file")
	}
	d.sub("dir-default-after", children, attr(aclDefault, named)) // children without ACLs in a directory with a default
	d.sub("dir-default-bare", children, attr(aclDefault, bare))
	d.sub("dir-default-before", func(d *dir) { // children that got ACLs from the default
		d.setXattrs(".", d.path, []xattr{{aclDefault, named}}, true)
		children(d)
	})
	d.sub("dir-both", children, attr(aclAccess, named), attr(aclDefault, bare), mode(0o1700))
}

func capabilities(d *dir) {
	d.file("net-raw", []byte("#!/bin/true\n"), mode(0o755), attr(capability, capabilityBytes(1<<13, 0)))
	d.file("high", []byte("#!/bin/true\n"), mode(0o755), attr(capability, capabilityBytes(1<<39|1, 0)))
	d.file("version-3", []byte("#!/bin/true\n"), mode(0o755), attr(capability, capabilityBytes(1<<10, 100_000)))
	d.file("owned", []byte("#!/bin/true\n"), owner(1000, 1000), mode(0o755), attr(capability, capabilityBytes(1<<10, 0)))
}
