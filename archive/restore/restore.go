// Package restore brings a band, or part of one, back to a local tree. It stands on archive for entries and their content,
// and on the system calls that take an open directory and a name: no path is ever handed to the system whole, and no
// symbolic link followed, so that nothing an archive says leads outside of the destination.
//
// One goroutine, the walker, goes through the entries in path order, makes the directories and gathers everything else into
// batches; workers restore those. A directory is 0700 until all in it is done; then it gets its metadata. A file gets its name
// once it is complete and its content has been checked, so that it is there whole or not at all.
package restore

import (
	"context"
	"io"
	"runtime"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/event"
	"dura/archive/format"
)

// Options say what is restored and how. The zero value restores everything, and leaves what is there already.
type Options struct {
	// Paths are the subtrees to restore; none: all. The directories that lead to them come with them, by themselves.
	Paths []format.Path

	// Overwrite replaces what is there: a file at once by its successor. Directories that are there are kept, with what else
	// they hold, and get the metadata of the band's. Without it whatever is in the way stays, which is an alarm.
	Overwrite bool

	// Delete removes what the band doesn't have from the directories in Paths, or in the band's sources: never from those that
	// only lead there, and never from file systems mounted there. With Overwrite it removes directories where the band has
	// something else. It takes a complete band.
	Delete bool
	// Spared names a directory, by device and inode, that is not removed, nor anything below it. nil: there is none.
	Spared func(dev, ino uint64) bool

	Removed func(format.Path) // told of each thing removed, or, in a dry run, to be removed; several calls at once

	DryRun bool // change nothing; alarms and totals are those of a run that meets no error

	Alarms alarm.Raiser // nil: every alarm continues
	Events event.Sink
	Random io.Reader // 8 bytes for the names of temporary files; nil: zeros

	// Owner says what numbers stand for an owner, by its names. It is asked once for most. nil: the numbers of the band.
	Owner func(format.Owner) (uid, gid uint32)

	// NoOwner leaves what is restored to this user, without the setuid and setgid bits of what was another's.
	NoOwner bool

	Workers       int // 0: one a processor, and no fewer than two
	MaxOpenDirs   int // directories held open on the way down; 0: 64
	MaxLinkGroups int // files of which more names are expected; names of further ones become files of their own. 0: 1<<20
}

// Result is what a restore has done.
type Result struct {
	Totals  event.Totals // Alarms counts all that were raised here, whatever was decided about them
	Left    int64        // entries that were not restored because something was in the way
	Passed  int64        // entries that were not restored because the directory above them was not
	Removed int64        // by Delete; a directory with all below it counts once
}

// Restore brings the band back below the local directory dest, which it makes if need be, with what leads there.
//
// An error ended it early: ctx, an alarm, a path of the Options that the band doesn't have (an *archive.Error, and nothing
// was done), or a destination that takes nothing more (an *Error). What was restored by then is whole; directories that
// were not come to yet have mode 0700. Everything else that goes wrong is an alarm of area restore on the local name, or of
// area block or band on the path in the band. Nothing is synced: what a crash of the machine keeps is up to the file system.
func Restore(ctx context.Context, b *archive.Band, dest string, o Options) (Result, error) {
	r, err := newRun(ctx, b, dest, o.withDefaults())
	if err != nil {
		return Result{}, err
	}
	if err = r.restore(ctx); err == nil {
		o.Events.Send(event.Done{Band: string(b.ID()), Totals: r.count.totals()})
	}
	return r.result(), err
}

func (o Options) withDefaults() Options {
	if o.Alarms == nil {
		o.Alarms = lenient{}
	}
	if o.Removed == nil {
		o.Removed = func(format.Path) {}
	}
	if o.Spared == nil {
		o.Spared = func(dev, ino uint64) bool { return false }
	}
	if o.Random == nil {
		o.Random = zeros{}
	}
	if o.Workers <= 0 {
		o.Workers = max(2, runtime.GOMAXPROCS(0))
	}
	if o.MaxOpenDirs <= 0 {
		o.MaxOpenDirs = 64
	}
	if o.MaxLinkGroups <= 0 {
		o.MaxLinkGroups = 1 << 20
	}
	return o
}

// lenient goes on whatever happens.
type lenient struct{}

func (lenient) Raise(alarm.Alarm) error { return nil }

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
