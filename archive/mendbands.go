package archive

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"dura/archive/format"
	"dura/archive/parity"
	"dura/archive/storage"
)

// bandTable has what is known of the parity and the repaired objects of a few bands.
type bandTable struct {
	mu    sync.Mutex
	bands map[format.BandID]*mendedBand
}

// maxMendedBands is how many bands are kept in mind.
const maxMendedBands = 16

// mendedBand is what a band has for repair: listed once.
type mendedBand struct {
	id       format.BandID
	mu       sync.Mutex // held while it is listed, and while descriptions are read
	listed   bool
	groups   []listedGroup             // by number
	repaired map[string][]repairedCopy // by the name of what they are copies of, the last one first
	read     map[uint64]*ParityGroup
}

// listedGroup is what there is of a group.
type listedGroup struct {
	number  uint64
	objects []ParityObject
}

// ParityGroup is a group as one of its parity objects describes it.
type ParityGroup struct {
	*parity.Group
	shardOffset int64 // in its parity objects
}

type repairedCopy struct {
	name  string
	round int
}

// maxGroupsKept bounds the descriptions kept of a band.
const maxGroupsKept = 64

// of is what is known of a band.
func (t *bandTable) of(id format.BandID) *mendedBand {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.bands[id]
	if b == nil {
		if t.bands == nil || len(t.bands) >= maxMendedBands {
			t.bands = map[format.BandID]*mendedBand{}
		}
		b = &mendedBand{id: id, repaired: map[string][]repairedCopy{}, read: map[uint64]*ParityGroup{}}
		t.bands[id] = b
	}
	return b
}

// list lists the band's parity and repaired objects, once. The caller holds mu.
func (b *mendedBand) list(ctx context.Context, st storage.Storage) error {
	if b.listed {
		return nil
	}
	var there []storage.Info
	for _, folder := range []string{"/parity/", "/repaired/"} {
		for info, err := range st.List(ctx, format.BandsPrefix+string(b.id)+folder, storage.Deep) {
			if err != nil {
				return err
			}
			there = append(there, info)
		}
	}
	b.take(there)
	return nil
}

// take takes over a listing of the band's parity and repaired objects. The caller holds mu.
func (b *mendedBand) take(there []storage.Info) {
	var groups []listedGroup
	repaired := map[string][]repairedCopy{}
	for _, info := range there {
		if _, kind, number, _ := format.ParseObjectName(info.Name); kind == format.ParityObject {
			if n := len(groups); n == 0 || groups[n-1].number != number {
				groups = append(groups, listedGroup{number: number})
			}
			last := &groups[len(groups)-1]
			last.objects = append(last.objects, ParityObject{Name: info.Name, StoredBytes: info.SizeBytes})
		} else if of, round, ok := format.ParseRepairedName(info.Name); ok {
			repaired[of] = append(repaired[of], repairedCopy{info.Name, round})
			groups = addRepaired(groups, of, info)
		}
	}
	for _, copies := range repaired {
		slices.SortFunc(copies, func(x, y repairedCopy) int { return -cmp.Compare(x.round, y.round) })
	}
	slices.SortFunc(groups, func(x, y listedGroup) int { return cmp.Compare(x.number, y.number) })
	b.groups, b.repaired, b.listed = groups, repaired, true
}

// addRepaired adds a repaired copy to the group that it is of, if it is one of a parity object.
func addRepaired(groups []listedGroup, of string, info storage.Info) []listedGroup {
	_, kind, number, _ := format.ParseObjectName(of)
	if kind != format.ParityObject {
		return groups
	}
	i := slices.IndexFunc(groups, func(g listedGroup) bool { return g.number == number })
	if i < 0 {
		i = len(groups)
		groups = append(groups, listedGroup{number: number})
	}
	groups[i].objects = append(groups[i].objects, ParityObject{Name: info.Name, StoredBytes: info.SizeBytes, Of: of})
	return groups
}

// copiesOf are the repaired copies of an object, the last one first.
func (m *mender) copiesOf(ctx context.Context, name string) ([]repairedCopy, error) {
	b := m.bands.of(bandOf(name))
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.list(ctx, m.archive.storage); err != nil {
		return nil, err
	}
	return b.repaired[name], nil
}

// eachGroupOf yields the groups that have an object, the one with the truth first, until yield says that it is enough.
func (m *mender) eachGroupOf(ctx context.Context, name string, yield func(*ParityGroup) bool) error {
	_, kind, number, err := format.ParseObjectName(name)
	class, is := parity.ClassOf(kind)
	if err != nil || !is {
		return errSubstitute
	}
	b := m.bands.of(bandOf(name))
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.list(ctx, m.archive.storage); err != nil {
		return err
	}
	for _, i := range searchOrder(b.groups, class, kind, number, m.membersAGroup()) {
		g, err := m.describe(ctx, b, &b.groups[i])
		if err != nil {
			return err
		}
		if g == nil {
			continue
		}
		if _, has := g.Place(name); has && !yield(g) {
			return nil
		}
	}
	return nil
}

// searchOrder is in which order groups are looked through for an object: those of its class that are likely to have it, then the
// others. The tail is in the last group, and only that one tells what it is.
func searchOrder(groups []listedGroup, class parity.Class, kind format.ObjectKind, number uint64, k int) []int {
	var of []int
	for i := range groups {
		if parity.ClassOfGroup(groups[i].number) == class {
			of = append(of, i)
		}
	}
	switch {
	case kind == format.TailObject || kind == format.AlarmsObject:
		slices.Reverse(of)
	case kind == format.BlockObject && len(of) > 0:
		// Groups are of like size, and blocks are in them in order.
		likely := func(i int) uint64 { return groups[i].number / uint64(parity.Classes) }
		guess := number / uint64(k)
		slices.SortStableFunc(of, func(x, y int) int { return cmp.Compare(distance(likely(x), guess), distance(likely(y), guess)) })
	}
	return of
}

// membersAGroup is how many members full groups have, if bands were made as the archive says.
func (m *mender) membersAGroup() int {
	s, err := parity.ParseScheme(m.archive.head.Settings.Parity)
	if err != nil || !s.Is() {
		return 16
	}
	return s.Members
}

func distance(x, y uint64) uint64 { return max(x, y) - min(x, y) }

// describe reads the description of a group from any of its parity objects; nil if none tells. The caller holds the band's mu.
func (m *mender) describe(ctx context.Context, b *mendedBand, l *listedGroup) (*ParityGroup, error) {
	if g, known := b.read[l.number]; known {
		return g, nil
	}
	var found *ParityGroup
	for _, o := range l.objects {
		g, label, err := m.archive.ReadParityGroup(ctx, o)
		if err == nil {
			found = &ParityGroup{g, label.ShardOffset()}
			break
		}
		if ctx.Err() != nil || storage.Is(err, storage.KindUnavailable) {
			return nil, err
		}
	}
	if len(b.read) >= maxGroupsKept {
		clear(b.read)
	}
	b.read[l.number] = found
	return found, nil
}

// repairedCopies is the source of objects that a repair has written beside damaged ones.
type repairedCopies struct{ m *mender }

func (r repairedCopies) Read(ctx context.Context, name string, offset int64, maxBytes int) ([]byte, error) {
	copies, err := r.m.copiesOf(ctx, name)
	if err != nil {
		return nil, err
	}
	for _, c := range copies {
		got, err := r.m.archive.storage.Read(ctx, c.name, offset, maxBytes)
		if err == nil {
			return got, nil // a later one is written only because the earlier ones are damaged
		}
	}
	return nil, errSubstitute
}
