package fs

import (
	"time"

	"dura/archive/alarm"
	"dura/archive/format"
)

// Owner is a user and a group.
type Owner struct{ UID, GID uint32 }

// Options say what is shown and how. The zero value is ready for use but for Now and Mounter.
type Options struct {
	// Band shows one band alone, with its tree right at the mount's root: whatever archive.FindBand takes. Empty shows a
	// directory for each complete band, and the link latest.
	Band string
	// Subtree shows only what is in this directory of each band.
	Subtree format.Path

	// UID and GID take the place of everybody who owns something in a band; nil shows the true owners.
	UID, GID *uint32
	// Mounter owns what the mount makes up: the root and, as long as nobody else may enter them, the bands' directories.
	Mounter Owner
	// Shared says that others than Mounter may use the mount, so that permissions count: a band's directory then has those
	// that its topmost directory had.
	Shared bool

	// ListAdded lists the extended attributes that the mount adds, user.dura.band and so on, beside those that were stored.
	ListAdded bool

	// Timeout is how long a request may take before it fails with EIO. 0: a minute.
	Timeout time.Duration
	// Refresh is how old the list of bands may be. 0: a second.
	Refresh time.Duration
	// FetchAheadBytes is how much may be fetched ahead of readers, to be kept in the archive's cache: a part of that. 0: 16 MiB.
	FetchAheadBytes int64
	// Storage says, for status.json, what was asked of the storage; nil: it has nothing about that.
	Storage func() any
	// Now is the time of day; time.Now if nil.
	Now func() time.Time
	// Alarms gets what is damaged or can't be reached; nil is silence. What it returns changes nothing: the mount goes on.
	Alarms alarm.Raiser
}

// DefaultTimeout is Options.Timeout where that is 0.
const DefaultTimeout = time.Minute

// DefaultFetchAheadBytes is Options.FetchAheadBytes where that is 0: 50 ms at 100 MB a second are 5 MB, and some is on its way while
// some is read.
const DefaultFetchAheadBytes = 16 << 20

const defaultRefresh = time.Second

func (o Options) withDefaults() Options {
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Refresh == 0 {
		o.Refresh = defaultRefresh
	}
	if o.FetchAheadBytes == 0 {
		o.FetchAheadBytes = DefaultFetchAheadBytes
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}
