package archive

import (
	"context"
	"errors"
	"slices"
	"sort"
	"sync"
	"sync/atomic"

	"dura/archive/format"
	"dura/archive/seal"
)

// Band is an open band: what its tail said when it was opened, or, of an incomplete one, what it had then. It is safe for
// concurrent use.
type Band struct {
	archive  *Archive
	id       format.BandID
	complete bool
	tail     format.Tail
	tailName string
	fences   []fenceSlot
	ends     []int64 // how many entries the first fences have together
	damage   []error
	head     atomic.Pointer[format.Head]
	parent   atomic.Pointer[Band]
	refenced struct { // fences put together from hunks, by place
		mu     sync.Mutex
		fences map[int]*fence
	}
}

// fenceSlot is a fence in storage; or one that is in memory alone, of hunks that are in no fence yet.
type fenceSlot struct {
	ref      format.FenceRef
	resident *fence

	// Of incomplete bands alone:
	ownHunk  numberOf        // the last of the band's own hunks
	previous format.Previous // of the hunk that a resident one is made of
	lastPath format.Path     // of that hunk
}

// numberOf is the number of an own hunk, if there is one.
type numberOf struct {
	number uint64
	is     bool
}

// OpenBand opens a band. Of a complete one it reads the tail alone, that of its index as it was last rebuilt, if it was.
//
// Of an incomplete one, and of one whose tail is damaged or lost, it reads what fences there are, and the hunks that are in none.
// Damage there is raised as an alarm and kept for Damage, and what can be read is what the band has.
func (a *Archive) OpenBand(ctx context.Context, s BandState) (*Band, error) {
	if s.Deleted {
		return nil, &Error{Op: opOpenBand, Band: s.ID, Kind: KindDeleted}
	}
	if s.Complete {
		b, err := a.openLatest(ctx, s)
		if err == nil || !isBadTail(err) {
			return b, err
		}
		return a.openIncomplete(ctx, s.ID, err)
	}
	return a.openIncomplete(ctx, s.ID, nil)
}

// openByID opens a band of which nothing is known.
func (a *Archive) openByID(ctx context.Context, id format.BandID) (*Band, error) {
	s, err := a.bandState(ctx, id)
	if err != nil {
		return nil, err
	}
	b, err := a.openLatest(ctx, s)
	if err == nil || !Is(err, KindMissing) {
		return b, err
	}
	b, err = a.openIncomplete(ctx, id, nil)
	if err == nil && len(b.fences) == 0 {
		return nil, &Error{Op: opOpenBand, Band: id, Object: format.TailName(id), Kind: KindMissing}
	}
	return b, err
}

// openLatest opens a complete band by the last tail of a rebuilt index that can be read, or else by its own.
func (a *Archive) openLatest(ctx context.Context, s BandState) (*Band, error) {
	if s.Rebuilt == 0 {
		return a.openComplete(ctx, s.ID, format.TailName(s.ID))
	}
	b, err := a.openComplete(ctx, s.ID, format.RebuiltTailName(s.ID, s.Rebuilt-1))
	if err == nil || !isBadTail(err) {
		return b, err
	}
	damage := rebuiltElsewhere(err)
	if _, known := a.badTails.LoadOrStore(format.RebuiltTailName(s.ID, s.Rebuilt-1), true); !known {
		if err := a.raise(damage); err != nil {
			return nil, err
		}
	}
	if s.Rebuilt, err = a.rebuiltAhead(ctx, s.ID, s.Rebuilt-1); err != nil {
		return nil, err
	}
	b, err = a.openLatest(ctx, s)
	if err == nil {
		b.damage = append(b.damage, damage)
	}
	return b, err
}

var errRebuiltElsewhere = errors.New("the index of the band was rebuilt by dura repair on another machine, if not forged, or this one has lost its key to it; it goes by the index that it stored itself")

// rebuiltElsewhere is err, put into words where the tail of a rebuilt index is none that this machine has sealed.
func rebuiltElsewhere(err error) error {
	var is *Error
	var locked *seal.LockedError
	if !errors.As(err, &is) || !errors.As(err, &locked) || !locked.Foreign {
		return err
	}
	said := *is
	said.Err = errRebuiltElsewhere
	return &said
}

// isBadTail reports whether err says that a tail is lost, damaged, or not the one that this machine sealed.
func isBadTail(err error) bool {
	return Is(err, KindCorrupt) || Is(err, KindMissing) || Is(err, KindMismatch)
}

// openComplete opens a band by the tail with this name.
func (a *Archive) openComplete(ctx context.Context, id format.BandID, name string) (*Band, error) {
	tail, err := mended(ctx, a, name, func(from source) (format.Tail, error) {
		text, _, err := a.readOpened(ctx, from, name)
		var tail format.Tail
		if err == nil {
			tail, err = format.DecodeTail(id, text)
		}
		if err != nil {
			return format.Tail{}, objectError(opOpenBand, id, name, err)
		}
		return tail, checkTail(&tail, name)
	})
	if err != nil {
		return nil, err
	}
	slots := make([]fenceSlot, len(tail.Fences))
	for i := range tail.Fences {
		slots[i].ref = tail.Fences[i]
	}
	b := newBand(a, id, slots)
	b.complete, b.tail, b.tailName = true, tail, name
	return b, nil
}

// checkTail finds a tail that lost lines at its end: totals come ahead of fences there, and no band is without an entry.
func checkTail(t *format.Tail, name string) error {
	var entries int64
	for i := range t.Fences {
		entries += t.Fences[i].Entries
	}
	if entries != t.Totals.Entries || entries == 0 {
		return contradiction(t.Band, name, "its fences have %d entries, and it says %d", entries, t.Totals.Entries)
	}
	return nil
}

func newBand(a *Archive, id format.BandID, slots []fenceSlot) *Band {
	b := &Band{archive: a, id: id, tail: format.Tail{Band: id}, fences: slots, ends: make([]int64, len(slots))}
	var end int64
	for i := range slots {
		end += slots[i].ref.Entries
		b.ends[i] = end
	}
	return b
}

// Archive is the archive that b is of.
func (b *Band) Archive() *Archive { return b.archive }

// ID is the band's.
func (b *Band) ID() format.BandID { return b.id }

// Complete reports whether the band was opened by its tail.
func (b *Band) Complete() bool { return b.complete }

// Tail is the band's tail. That of an incomplete band has the id alone.
func (b *Band) Tail() format.Tail { return b.tail }

// TailName is the name of the object that Tail is of: the last one whose index was rebuilt counts. Of an incomplete band it is empty.
func (b *Band) TailName() string { return b.tailName }

// Damage is what was passed over when the band was opened, each an alarm already. A complete band has none, but for
// tails of a rebuilt index that can't be read.
func (b *Band) Damage() []error { return slices.Clip(b.damage) }

// Head reads the band's head, the first time it is asked for.
func (b *Band) Head(ctx context.Context) (format.Head, error) {
	if h := b.head.Load(); h != nil {
		return *h, nil
	}
	head, _, err := b.archive.bandHead(ctx, b.id, b.tail.HeadSHA256)
	if err != nil {
		return format.Head{}, err
	}
	b.head.Store(&head)
	return head, nil
}

// Entries is how many entries the band has.
func (b *Band) Entries() int64 {
	if len(b.ends) == 0 {
		return 0
	}
	return b.ends[len(b.ends)-1]
}

// Fences are the band's fences in storage, in path order. Of an incomplete band the hashes are those that were found.
func (b *Band) Fences() []format.FenceRef {
	var refs []format.FenceRef
	for i := range b.fences {
		if b.fences[i].resident == nil {
			refs = append(refs, b.fences[i].ref)
		}
	}
	return refs
}

// fence gives the i-th fence.
func (b *Band) fence(ctx context.Context, i int) (*fence, error) {
	s := &b.fences[i]
	if s.resident != nil {
		return s.resident, nil
	}
	object, err := b.archive.getIndex(ctx, fenceKey(&s.ref))
	if mendable(err) {
		f, again := b.refence(ctx, i)
		if again != nil {
			return nil, err
		}
		return f, b.archive.mender.tell(substitute{from: "put together from the hunks"}, fenceKey(&s.ref).name(), err)
	}
	if err != nil {
		return nil, err
	}
	f := object.(*fence)
	return f, checkFence(f, &s.ref, b.firstPath(i+1))
}

// firstPath is where the i-th fence begins; the root where there is none.
func (b *Band) firstPath(i int) format.Path {
	if i >= len(b.fences) {
		return format.Root
	}
	return b.fences[i].ref.FirstPath
}

// fenceOf is the fence that p is in if it is anywhere. There must be one.
func (b *Band) fenceOf(p format.Path) int {
	behind := sort.Search(len(b.fences), func(i int) bool { return format.Compare(b.fences[i].ref.FirstPath, p) > 0 })
	return max(behind-1, 0)
}

// hunkOf is the hunk that p is in if it is anywhere.
func (f *fence) hunkOf(p format.Path) int {
	behind := sort.Search(len(f.refs), func(i int) bool { return format.Compare(f.refs[i].FirstPath, p) > 0 })
	return max(behind-1, 0)
}

// place is where a hunk stands in its band.
type place struct {
	ref   *format.HunkRef
	start int64       // ordinal of the first entry
	next  format.Path // where the next hunk begins; the root where there is none
}

// place is that of the j-th hunk of f, the i-th fence.
func (b *Band) place(f *fence, i, j int) place {
	p := place{ref: &f.refs[j], start: b.ends[i] - b.fences[i].ref.Entries}
	if j > 0 {
		p.start += f.ends[j-1]
	}
	if j+1 < len(f.refs) {
		p.next = f.refs[j+1].FirstPath
	} else {
		p.next = b.firstPath(i + 1)
	}
	return p
}

// hunk gives the hunk at p.
func (b *Band) hunk(ctx context.Context, p place) (*hunk, error) {
	object, err := b.archive.getIndex(ctx, hunkKey(p.ref))
	if err != nil {
		return nil, err
	}
	h := object.(*hunk)
	return h, checkHunk(h, p.ref, p.next)
}
