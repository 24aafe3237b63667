package archive

import (
	"context"

	"dura/archive/format"
)

// FenceState is a fence of a band, or hunks that are in none, and what is known of it.
type FenceState struct {
	Ref    format.FenceRef // of a fence that is stored; else Entries and FirstPath alone
	Stored bool            // it is an object
	Hunks  []format.HunkRef
	Err    error // why Hunks are not known
}

// Layout gives what the band's tail lists, or what was found in place of that, in path order. An error ends it.
func (b *Band) Layout(ctx context.Context) ([]FenceState, error) {
	states := make([]FenceState, len(b.fences))
	for i := range b.fences {
		f, err := b.fence(ctx, i)
		if ctx.Err() != nil || err != nil && !mendable(err) {
			return nil, err
		}
		s := &b.fences[i]
		states[i] = FenceState{Ref: s.ref, Stored: s.resident == nil, Err: err}
		if err == nil {
			states[i].Hunks = f.refs
		}
	}
	return states, nil
}

// LooseHunk is a hunk that is in no fence, with what stands ahead of it.
type LooseHunk struct {
	Hunks []format.HunkRef // hunks of other bands, and it
	Last  format.Path      // its last path
}

// LooseHunks are the hunks of a band that are in none of the fences that can be read. What can't be read is left out.
func (a *Archive) LooseHunks(ctx context.Context, id format.BandID) ([]LooseHunk, error) {
	s := &salvage{archive: a, id: id, quiet: true}
	there, err := s.list(ctx, "index/")
	if err != nil {
		return nil, err
	}
	_, slots, err := s.readIndex(ctx, there)
	if err != nil {
		return nil, err
	}
	loose := make([]LooseHunk, len(slots))
	for i := range slots {
		loose[i] = LooseHunk{slots[i].resident.refs, slots[i].lastPath}
	}
	return loose, nil
}

// Raw gives what a frame of a block, which must have been found in its footer, decompresses to. It is shared and must not be modified.
func (a *Archive) Raw(ctx context.Context, f *format.Frame) ([]byte, error) {
	raw, err := a.frame(ctx, f)
	if err != nil {
		return nil, err
	}
	return raw.bytes, nil // held, so that nobody else gets the memory
}
