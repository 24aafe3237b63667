package source

import (
	"context"
	"errors"
	"iter"
	"sync/atomic"

	"dura/archive/format"
)

// Trees are local trees: a Source.
type Trees struct {
	o        Options
	top      *root
	explicit map[format.Path]bool // roots as named, those inside others included
	exclude  *excluder
	owners   *owners
	haveProc bool
	counts   counts
}

// counts is Totals while a walk goes on.
type counts struct {
	entries, directories, excluded, cacheDirectories, otherFileSystems, skippedContents, spills atomic.Int64
}

// Local presents local trees, named by absolute or relative paths. Each is stored under its path, cleaned, without a leading
// "/" and leading "../" elements; a root inside another comes with it. A root that is a symbolic link is stored as one, unless
// its name ends in "/". The directories that lead to the roots are entries, too, with nothing else in them.
//
// It fails with a *RootError where a root is missing, a *ClashError where two exclude each other, and a *PatternError for a
// bad pattern.
func Local(roots []string, o Options) (*Trees, error) {
	top, explicit, err := newRoots(roots)
	if err != nil {
		return nil, err
	}
	exclude, err := newExcluder(o.Exclude)
	if err != nil {
		return nil, err
	}
	t := &Trees{o: o.withDefaults(), top: top, explicit: explicit, exclude: exclude, haveProc: haveProc()}
	t.owners = newOwners(t.o.Names)
	return t, nil
}

// Walk is Source.Walk. Patterns don't apply to the roots themselves, nor to the directories that lead to them.
// One that begins behind a path lists no directories but those on the way there and those behind it.
func (t *Trees) Walk(ctx context.Context, start Start) iter.Seq2[Node, error] {
	return func(yield func(Node, error) bool) {
		t.counts = counts{}
		serial := func(ctx context.Context, yield func(Node, error) bool) { t.walk(ctx, start, yield) }
		if t.o.ReadAhead > 0 {
			readAhead(ctx, t.o.ReadAhead, serial, yield)
			return
		}
		serial(ctx, yield)
	}
}

// Totals is what the latest walk has met so far; it may be asked at any time.
func (t *Trees) Totals() Totals {
	return Totals{
		Entries: t.counts.entries.Load(), Directories: t.counts.directories.Load(), Excluded: t.counts.excluded.Load(),
		CacheDirectories: t.counts.cacheDirectories.Load(), OtherFileSystems: t.counts.otherFileSystems.Load(),
		SkippedContents: t.counts.skippedContents.Load(), Spills: t.counts.spills.Load(),
	}
}

// errStopped ends a walk whose caller has had enough.
var errStopped = errors.New("stopped")

func (t *Trees) walk(ctx context.Context, start Start, yield func(Node, error) bool) {
	w := newWalk(ctx, t, start, yield)
	defer w.close()
	if err := w.lead(t.top); err != nil && err != errStopped {
		yield(Node{}, err)
	}
}
