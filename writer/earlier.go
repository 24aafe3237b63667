package writer

import (
	"context"

	"dura/archive"
	"dura/archive/format"
	"dura/writer/plan"
	"dura/writer/source"
)

// earlier is what an earlier run stored of the band that this one goes on with.
type earlier struct {
	band   *archive.Band // nil: there was none
	groups map[plan.LinkKey]*linkGroup
}

// start is where the walk of the source begins.
func (b *beginning) start() source.Start {
	if b.progress == nil || b.progress.Band.Entries() == 0 {
		return source.Start{}
	}
	return source.Behind(b.progress.Last)
}

// last is the last path that the index has; the root if there is none.
func (b *beginning) last() format.Path {
	if b.progress == nil {
		return format.Root
	}
	return b.progress.Last
}

// numbers are those of the objects to come, the zero value where the band is new.
func (b *beginning) numbers() *archive.Progress {
	if b.progress == nil {
		return &archive.Progress{}
	}
	return b.progress
}

func newEarlier(b *beginning) *earlier {
	if b.progress == nil || b.progress.Band.Entries() == 0 {
		return &earlier{}
	}
	return &earlier{band: b.progress.Band}
}

// group is the hard-link group of e, if its first entry is in the earlier part of the band. To know that, the first call reads
// all of it.
func (x *earlier) group(ctx context.Context, e *format.Entry) (*linkGroup, error) {
	if x.band == nil {
		return nil, nil
	}
	if x.groups == nil {
		if err := x.readGroups(ctx); err != nil {
			return nil, err
		}
	}
	return x.groups[plan.KeyOf(e)], nil
}

func (x *earlier) readGroups(ctx context.Context) error {
	x.groups = map[plan.LinkKey]*linkGroup{}
	for h, err := range x.band.Index(ctx, format.Root) {
		if err != nil {
			return err
		}
		for i := range h.Entries {
			e := &h.Entries[i]
			if e.Links > 1 && e.LinkTo == format.Root {
				x.groups[plan.KeyOf(e)] = groupOf(e)
			}
		}
	}
	return nil
}

// groupOf is the group of an entry that is in an index already.
func groupOf(e *format.Entry) *linkGroup {
	first := *e
	return &linkGroup{path: e.Path, entry: &first, inChunks: inChunks(e), named: true}
}

// inChunks reports whether a file is stored as chunks: then no member has its name.
func inChunks(e *format.Entry) bool {
	return len(e.SpanLists) > 0 || len(e.Spans) > 0 && !e.Spans[0].SHA256.IsZero()
}
