package writer

import (
	"context"
	"iter"

	"dura/archive"
	"dura/archive/format"
)

// parentHunk is a hunk of the parent.
type parentHunk struct {
	ref     format.HunkRef
	entries []format.Entry
}

// parentEntry is what the parent has at the path of an entry.
type parentEntry struct {
	old   *format.Entry // with its content; nil: nothing
	hunk  *parentHunk   // that old is in, as it is
	place int           // there
}

// parent goes through the parent's index beside the walk.
type parent struct {
	band  *archive.Band // nil: there is none
	next  func() (archive.IndexedHunk, error, bool)
	stop  func()
	hunk  *parentHunk
	at    int  // first entry of hunk that may still be asked for
	blind bool // what stands ahead of it could not be read
	ended bool
}

// newParent begins at the hunk that has from.
func newParent(ctx context.Context, b *beginning) *parent {
	p := &parent{band: b.parent, ended: b.parent == nil, blind: b.parent == nil && b.parentID != "", stop: func() {}}
	if p.band != nil {
		p.next, p.stop = iter.Pull2(p.band.Index(ctx, b.last()))
	}
	return p
}

// of is what the parent has at path, which is behind those asked for before. An alarm that says so ends the run.
func (d *dispatcher) of(ctx context.Context, path format.Path) (parentEntry, error) {
	p := d.parent
	for !p.ended {
		if p.hunk == nil || p.at == len(p.hunk.entries) {
			if err := d.nextHunk(); err != nil {
				return parentEntry{}, err
			}
			continue
		}
		e := &p.hunk.entries[p.at]
		switch c := format.Compare(e.Path, path); {
		case c > 0:
			return parentEntry{}, nil
		case c == 0:
			p.blind = false
			found := parentEntry{e, p.hunk, p.at}
			if e.AsInParent {
				resolved, err := p.band.Resolve(ctx, e)
				return parentEntry{old: resolved}, err
			}
			return found, nil
		}
		p.at++
		p.blind = false
	}
	return parentEntry{}, nil
}

// nextHunk brings in the next hunk that can be read.
func (d *dispatcher) nextHunk() error {
	p := d.parent
	for {
		h, err, more := p.next()
		switch {
		case !more:
			p.ended = true
			return nil
		case err != nil:
			p.blind = true
			if err := d.o.Alarms.Raise(archive.AlarmOf(err)); err != nil {
				return err
			}
		default:
			p.hunk, p.at = &parentHunk{h.Ref, h.Entries}, 0
			return nil
		}
	}
}
