package writer

import (
	"context"
	"fmt"
	"io"
	"sync"

	"dura/archive/format"
	"dura/archive/parity"
)

// protection makes the parity of what a run stores, while it does. Objects of one class come one after the other.
type protection struct {
	store   *store
	scheme  parity.Scheme
	classes [parity.Classes]protected
	random  io.Reader // see vary
}

// protected is what of one class is in no group yet.
type protected struct {
	mu      sync.Mutex
	encoder *parity.Encoder
	length  int           // at which the open group ends; 0: not decided
	next    uint64        // number of the next group
	place   chan struct{} // for a group on its way to storage
	spare   chan [][]byte // its shards, for use again
}

// newProtection makes parity by the settings: nil where they want none. Taken are the numbers of groups that there are.
func newProtection(s *store, settings format.Settings, taken []uint64) (*protection, error) {
	scheme, err := parity.ParseScheme(settings.Parity)
	if err != nil || !scheme.Is() {
		return nil, err
	}
	p := &protection{store: s, scheme: scheme}
	for c := range p.classes {
		x := &p.classes[c]
		x.next, x.place, x.spare = parity.NextGroup(parity.Class(c), taken), make(chan struct{}, 1), make(chan [][]byte, 1)
		if x.encoder, err = parity.NewEncoder(scheme); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// add takes in an object that is stored or about to be. It stores the group that this fills in the background.
func (p *protection) add(ctx context.Context, name string, sum format.Hash, parts ...[]byte) error {
	if p == nil {
		return nil
	}
	_, kind, _, _ := format.ParseObjectName(name)
	class, is := parity.ClassOf(kind)
	if !is {
		return nil
	}
	x := &p.classes[class]
	x.mu.Lock()
	defer x.mu.Unlock()
	err := x.encoder.Add(name, sum, parts...)
	if err == nil && x.length == 0 {
		x.length, err = p.length()
	}
	if err != nil || x.encoder.Members() < x.length {
		return err
	}
	return p.close(ctx, x)
}

// vary makes the groups that are closed from now on shorter at random, while random is not nil: half of them have as many members as they
// may, and the others less. However little time each of many runs has to read objects back, one comes to the end of a group, and the next
// has less to do.
func (p *protection) vary(random io.Reader) {
	for c := range p.classes {
		x := &p.classes[c]
		x.mu.Lock()
		x.length = 0
		x.mu.Unlock()
	}
	p.random = random
}

// length is how many members a group is to have.
func (p *protection) length() (int, error) {
	if p.random == nil {
		return p.scheme.Members, nil
	}
	var random [2]byte
	if _, err := io.ReadFull(p.random, random[:]); err != nil {
		return 0, fmt.Errorf("random bytes for a group's length: %w", err)
	}
	return lengthBy(random, p.scheme.Members), nil
}

// lengthBy is a length of 1 to longest, which itself has half of the chances.
func lengthBy(random [2]byte, longest int) int {
	if random[0]%2 == 0 {
		return longest
	}
	return 1 + int(random[1])%longest
}

// close ends the open group of a class and stores its parity in the background, while the run lasts.
func (p *protection) close(ctx context.Context, x *protected) error {
	group, shards := x.encoder.Close(p.store.band, x.next)
	x.length = 0
	x.next += uint64(parity.Classes)
	objects, err := group.Objects(shards)
	if err != nil {
		return err
	}
	if err := send(ctx, x.place, struct{}{}); err != nil {
		return err
	}
	storeAll := func(ctx context.Context) error {
		defer func() { <-x.place }()
		for _, o := range objects {
			if err := p.store.summed(ctx, o.Name, format.SumBytes(o.Parts...), o.Parts...); err != nil {
				return err
			}
		}
		select {
		case x.spare <- shards:
		default:
		}
		return nil
	}
	select {
	case spare := <-x.spare:
		x.encoder.Recycle(spare)
	default:
	}
	if !p.store.running {
		return storeAll(ctx)
	}
	p.store.group.Go(func() error { return storeAll(p.store.ctx) })
	return nil
}

// closeAll ends and stores the groups that are open, once the run is over.
func (p *protection) closeAll(ctx context.Context) error {
	if p == nil {
		return nil
	}
	for c := range p.classes {
		x := &p.classes[c]
		x.mu.Lock()
		var err error
		if x.encoder.Members() > 0 {
			err = p.close(ctx, x)
		}
		x.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}
