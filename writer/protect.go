package writer

import (
	"context"
	"sync"

	"dura/archive/format"
	"dura/archive/parity"
)

// protection makes the parity of what a run stores, while it does. Objects of one class come one after the other.
type protection struct {
	store   *store
	scheme  parity.Scheme
	classes [parity.Classes]protected
}

// protected is what of one class is in no group yet.
type protected struct {
	mu      sync.Mutex
	encoder *parity.Encoder
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
	if err := x.encoder.Add(name, sum, parts...); err != nil || !x.encoder.Full() {
		return err
	}
	return p.close(ctx, x)
}

// closeSome ends the open group that an object was added to last, if it is as long as it is to be.
func (p *protection) closeSome(ctx context.Context, name string, lengths *groupLengths) error {
	_, kind, _, _ := format.ParseObjectName(name)
	class, _ := parity.ClassOf(kind)
	x := &p.classes[class]
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.encoder.Members() == 0 {
		lengths.length = 0
		return nil
	}
	length, err := lengths.of()
	if err != nil || x.encoder.Members() < length {
		return err
	}
	lengths.length = 0
	return p.close(ctx, x)
}

// close ends the open group of a class and stores its parity in the background, while the run lasts.
func (p *protection) close(ctx context.Context, x *protected) error {
	group, shards := x.encoder.Close(p.store.band, x.next)
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
