package source

import (
	"math"
	"sync"

	"golang.org/x/sys/unix"

	"dura/archive/format"
)

// kindOf is 0 for what an entry can't be.
func kindOf(st *unix.Stat_t) format.Kind {
	switch uint32(st.Mode) & unix.S_IFMT {
	case unix.S_IFREG:
		return format.File
	case unix.S_IFDIR:
		return format.Directory
	case unix.S_IFLNK:
		return format.Symlink
	case unix.S_IFIFO:
		return format.FIFO
	case unix.S_IFSOCK:
		return format.Socket
	case unix.S_IFCHR:
		return format.CharDevice
	case unix.S_IFBLK:
		return format.BlockDevice
	}
	return 0
}

// fill sets what a stat tells.
func (o *owners) fill(e *format.Entry, st *unix.Stat_t) {
	e.Kind = kindOf(st)
	e.Mode = uint32(st.Mode) & 0o7777
	e.Owner = o.of(st.Uid, st.Gid)
	e.MTime = timeOf(int64(st.Mtim.Sec), int64(st.Mtim.Nsec))
	e.CTime = timeOf(int64(st.Ctim.Sec), int64(st.Ctim.Nsec))
	e.Device, e.Inode = uint64(st.Dev), uint64(st.Ino)
	switch e.Kind {
	case format.File:
		e.Size = max(0, st.Size)
	case format.CharDevice, format.BlockDevice:
		rdev := uint64(st.Rdev)
		e.Rdev = format.DeviceNumber{Major: unix.Major(rdev), Minor: unix.Minor(rdev)}
	}
	if links := uint64(st.Nlink); links > 1 && e.Kind != format.Directory {
		e.Links = uint32(min(links, math.MaxUint32))
	}
}

// timeOf takes what a file system says, nanoseconds out of range included.
func timeOf(seconds, nanos int64) format.Time {
	const second = 1_000_000_000
	if nanos < 0 || nanos >= second {
		seconds += nanos / second
		if nanos %= second; nanos < 0 {
			nanos += second
			seconds--
		}
	}
	return format.Time{Seconds: seconds, Nanos: uint32(nanos)}
}

// owners knows the names of owners that were looked up before.
type owners struct {
	lookup func(uid, gid uint32) (user, group string)

	mu    sync.Mutex
	known map[[2]uint32]format.Owner
	last  format.Owner
}

// maxOwners bounds what is remembered: a strange tree may have any number of owners.
const maxOwners = 1 << 14

func newOwners(lookup func(uid, gid uint32) (user, group string)) *owners {
	return &owners{lookup: lookup, known: make(map[[2]uint32]format.Owner)}
}

func (o *owners) of(uid, gid uint32) format.Owner {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.last.UID == uid && o.last.GID == gid && len(o.known) > 0 {
		return o.last
	}
	pair := [2]uint32{uid, gid}
	owner, ok := o.known[pair]
	if !ok {
		owner = format.Owner{UID: uid, GID: gid}
		owner.User, owner.Group = o.lookup(uid, gid)
		if len(o.known) >= maxOwners {
			clear(o.known)
		}
		o.known[pair] = owner
	}
	o.last = owner
	return owner
}
