package source

import (
	"os"
	"os/user"
	"strconv"

	"golang.org/x/sys/unix"

	"dura/archive/alarm"
	"dura/archive/format"
)

// Options say how local trees are walked. The zero value takes everything in them, and ends at the first alarm.
type Options struct {
	Alarms alarm.Raiser // nil: every alarm ends the walk

	// Names looks up who owns an entry. What it says is remembered. A name it doesn't know is empty. nil: the system's users and
	// groups.
	Names func(uid, gid uint32) (user, group string)

	Exclude       []string // patterns, see ParseExcludes
	ExcludeCaches bool     // of a directory with a valid CACHEDIR.TAG keep that file alone
	OneFileSystem bool     // keep mount points inside the roots as empty directories, unless they are roots themselves

	// Skip names directories to keep as empty ones by device and inode: the archive, where it lies inside the source.
	Skip func(dev, ino uint64) bool

	// Skipped is told what is left out, from the goroutine that walks. What is below it is not told, nor what lies ahead of
	// where the walk begins.
	Skipped func(path format.Path, why Why)

	// MaxNameBytes bounds the memory for names of directories that are being listed or still to be visited; what is beyond it
	// goes to unlinked files in TempDir. 0: 16 MiB; "": the system's directory for temporary files.
	MaxNameBytes int64
	TempDir      string

	// MaxOpenDirs bounds the directories held open, for the walk and for the handles it gave away: others are opened again
	// when they are needed, which takes long in deep trees if there are fewer than 3. 0: 256, or a quarter of what the process
	// may open where that is less.
	MaxOpenDirs int

	// ReadAhead is how many nodes a goroutine of its own may read ahead; 0: none, the walk goes on when it is asked for more.
	ReadAhead int
}

// Why says why something was left out.
type Why struct {
	Reason  Reason
	Pattern string // Excluded: the pattern that decided
}

// Reason is a kind of Why.
type Reason uint8

const (
	Excluded        Reason = iota + 1 // by a pattern, with what is below it
	CacheDirectory                    // the content of a directory, but for its CACHEDIR.TAG
	OtherFileSystem                   // the content of a mount point
	SkippedContent                    // the content of a directory that Options.Skip named
)

func (r Reason) String() string {
	switch r {
	case Excluded:
		return "excluded"
	case CacheDirectory:
		return "cache directory"
	case OtherFileSystem:
		return "other file system"
	case SkippedContent:
		return "skipped content"
	}
	return "Reason(" + strconv.Itoa(int(r)) + ")"
}

// Totals is what a walk has met so far, from its start on.
type Totals struct {
	Entries          int64 // given to the caller
	Directories      int64 // listed, those on the way to the start included
	Excluded         int64 // entries left out by a pattern; what is below them is not counted
	CacheDirectories int64 // kept with nothing but their tag
	OtherFileSystems int64 // mount points kept empty
	SkippedContents  int64 // directories that Options.Skip named
	Spills           int64 // runs of names that went to temporary files
}

const (
	defaultMaxNameBytes = 16 << 20
	defaultMaxOpenDirs  = 256
)

func (o Options) withDefaults() Options {
	if o.Alarms == nil {
		o.Alarms = strict{}
	}
	if o.Names == nil {
		o.Names = systemNames
	}
	if o.MaxNameBytes <= 0 {
		o.MaxNameBytes = defaultMaxNameBytes
	}
	o.MaxNameBytes = min(o.MaxNameBytes, 1<<30) // offsets are 32 bits wide
	if o.TempDir == "" {
		o.TempDir = os.TempDir()
	}
	if o.MaxOpenDirs <= 0 {
		o.MaxOpenDirs = defaultMaxOpenDirs
		var limit unix.Rlimit
		if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) == nil {
			o.MaxOpenDirs = int(min(uint64(o.MaxOpenDirs), max(4, uint64(limit.Cur)/4)))
		}
	}
	return o
}

// strict ends the walk at the first alarm.
type strict struct{}

func (strict) Raise(a alarm.Alarm) error { return &alarm.AbortError{Alarm: a} }

func systemNames(uid, gid uint32) (userName, groupName string) {
	if u, err := user.LookupId(strconv.FormatUint(uint64(uid), 10)); err == nil {
		userName = u.Username
	}
	if g, err := user.LookupGroupId(strconv.FormatUint(uint64(gid), 10)); err == nil {
		groupName = g.Name
	}
	return userName, groupName
}
