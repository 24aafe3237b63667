package writer

import (
	"context"

	"dura/archive/event"
	"dura/archive/format"
	"dura/writer/pack"
)

// keptRun is a run of entries that are unchanged since the parent, from the first one of a hunk on: once all of the hunk has come, it
// can be referred to.
type keptRun struct {
	hunk  *parentHunk // nil: no run
	items []*item
}

// take takes the next entry into the index: into the open hunk, or into the run of those that may be in a hunk of the parent.
func (s *sequencer) take(ctx context.Context, it *item) error {
	s.tell(it)
	if s.keptRun.goesOn(it) {
		s.keptRun.items = append(s.keptRun.items, it)
		return nil
	}
	if err := s.endRun(ctx, false); err != nil {
		return err
	}
	if it.kept && it.hunk != nil && it.place == 0 && s.hunks.MayEnd() {
		s.keptRun = keptRun{it.hunk, append(s.keptRun.items[:0], it)}
		return nil
	}
	return s.enter(ctx, it)
}

// tell counts an entry and tells of it.
func (s *sequencer) tell(it *item) {
	s.at += pack.Position(1 + indexBytes(&it.entry)/1024)
	s.count.entry(it)
	s.o.Events.Send(event.EntryDone{Path: string(it.entry.Path), ContentBytes: it.entry.Size})
}

func (r *keptRun) goesOn(it *item) bool {
	return r.hunk != nil && it.kept && it.hunk == r.hunk && it.place == len(r.items)
}

// endRun refers to the hunk of the run, if it came in full, or else puts its entries into the open hunk. Last says that nothing
// follows.
func (s *sequencer) endRun(ctx context.Context, last bool) error {
	r := s.keptRun
	s.keptRun.hunk = nil
	if r.hunk == nil {
		return nil
	}
	if len(r.items) == len(r.hunk.entries) && pack.MayShare(len(r.items), last) && !s.archive.HasMended(format.HunkName(r.hunk.ref.Band, r.hunk.ref.Number)) {
		if err := s.endHunk(ctx); err != nil {
			return err
		}
		s.hunks = pack.Hunks{}
		return send(ctx, s.pipeline.index, indexTask{shared: &r.hunk.ref})
	}
	for _, it := range r.items {
		if err := s.enter(ctx, it); err != nil {
			return err
		}
	}
	return nil
}
