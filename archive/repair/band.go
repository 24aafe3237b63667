package repair

import (
	"context"
	"errors"
	"fmt"

	"dura/archive"
	"dura/archive/event"
	"dura/archive/format"
	"dura/archive/parity"
	"dura/archive/storage"
)

// band checks and repairs the objects of one band, then its parity and its sums.
func (r *run) band(ctx context.Context, band format.BandID, living []archive.BandState) error {
	sizes, err := r.list(ctx, band)
	if err != nil {
		return err
	}
	b := &bandRun{run: r, id: band, sizes: sizes, whole: map[string]format.Hash{}}
	for _, name := range r.wantedOf(band) {
		if err := b.object(ctx, name); err != nil {
			return err
		}
	}
	r.archive.Refresh(band)
	for _, s := range living {
		if s.ID == band && s.Complete {
			if err := b.parity(ctx); err != nil {
				return err
			}
			return b.sums(ctx)
		}
	}
	return nil
}

// bandRun is the repair of one band.
type bandRun struct {
	*run
	id    format.BandID
	sizes map[string]int64       // of what is stored
	whole map[string]format.Hash // objects that can be had as they should be
}

func (r *run) list(ctx context.Context, band format.BandID) (map[string]int64, error) {
	sizes := map[string]int64{}
	for info, err := range r.archive.Storage().List(ctx, format.BandsPrefix+string(band), storage.Deep) {
		if err != nil {
			return nil, err
		}
		sizes[info.Name] = info.SizeBytes
	}
	return sizes, nil
}

var errNoHash = errors.New("nothing tells what it was")

// object checks one object, and stores it again if it is damaged.
func (b *bandRun) object(ctx context.Context, name string) error {
	w := b.wants[name]
	accept := func(object []byte) bool {
		sum := format.SumBytes(object)
		return sum == w.sum || !w.alt.IsZero() && sum == w.alt
	}
	if _, kind, _, _ := format.ParseObjectName(name); w.sum.IsZero() && (kind == format.TailObject || kind == format.RebuiltTailObject) { // nothing tells its hash: neither sums nor parity
		accept = func(object []byte) bool {
			text, err := b.archive.Opened(name, object)
			if err == nil {
				_, err = format.DecodeTail(b.id, text)
			}
			return err == nil
		}
	} else if w.sum.IsZero() {
		return b.lose(ctx, name, &archive.Error{Op: opRepair, Band: b.id, Object: name, Kind: archive.KindMissing, Err: errNoHash})
	}
	object, from, _, err := b.archive.Whole(ctx, name, accept)
	if fence, is := b.fences[name]; err != nil && is {
		if again := b.refence(ctx, fence); again != nil && accept(again) {
			object, from, err = again, "made of the hunks", nil
		}
	}
	if err != nil {
		if ctx.Err() != nil || storage.Is(err, storage.KindUnavailable) {
			return err
		}
		if b.outdated[name] {
			return nil
		}
		if !b.lost[name] || !b.final {
			b.result.Damaged++
		}
		return b.lose(ctx, name, err)
	}
	b.result.Objects++
	b.result.Bytes += int64(len(object))
	b.o.Events.Send(event.Progress{Done: event.Totals{ContentBytes: b.result.Bytes, Objects: b.result.Objects}, Path: name})
	b.whole[name] = format.SumBytes(object)
	if from == "" {
		return nil
	}
	b.result.Damaged++
	return b.storeAgain(ctx, name, from, object)
}

const opRepair = "repair"

// storeAgain stores an object under its own name, or as a repaired copy if something else has that.
func (b *bandRun) storeAgain(ctx context.Context, name, from string, parts ...[]byte) error {
	stored := name
	if _, there := b.sizes[name]; there {
		var err error
		if stored, err = b.archive.NextRepaired(ctx, name); err != nil {
			return err
		}
	}
	if !b.o.DryRun {
		err := b.archive.Storage().Create(ctx, stored, parts...)
		if stored == name && storage.Is(err, storage.KindExists) { // it can't be listed
			if stored, err = b.archive.NextRepaired(ctx, name); err == nil {
				err = b.archive.Storage().Create(ctx, stored, parts...)
			}
		}
		if err != nil {
			return err
		}
	}
	b.result.Repaired++
	b.made(Made{Object: name, Stored: format.StoredName(stored, b.archive.Head().Sealed()), From: from})
	return nil
}

// lose tells of an object that can't be had. For a block that is there and not what it was a mark is left, so that backups store again
// what it held.
func (b *bandRun) lose(ctx context.Context, name string, err error) error {
	_, kind, number, _ := format.ParseObjectName(name)
	_, there := b.sizes[name]
	mark := format.LostName(b.id, number)
	_, marked := b.sizes[mark]
	if kind == format.BlockObject && there && !marked && !b.o.DryRun {
		if err := b.archive.Storage().Create(ctx, mark); err != nil && !storage.Is(err, storage.KindExists) {
			return err
		}
	}
	return b.found(ctx, name, err)
}

// parity makes anew what is lost or damaged of parity objects, and groups for objects that are in none.
func (b *bandRun) parity(ctx context.Context) error {
	grouped := map[string]bool{}
	var taken []uint64
	err := b.archive.ParityGroups(ctx, b.id, func(g archive.GroupState) error {
		taken = append(taken, g.Number)
		if g.Group == nil {
			return nil
		}
		for i := range g.Members {
			if sum, ok := b.whole[g.Members[i].Name]; !ok || sum != g.Members[i].SHA256 {
				return nil // it protects nothing that is to be had
			}
		}
		if err := b.group(ctx, g); err != nil {
			return err
		}
		for i := range g.Members {
			grouped[g.Members[i].Name] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	var loose []string
	for _, name := range b.wantedOf(b.id) {
		if _, whole := b.whole[name]; whole && !grouped[name] {
			loose = append(loose, name)
		}
	}
	return b.protect(ctx, loose, taken)
}

// group checks the parity objects of a group, and makes anew those that are lost or damaged.
func (b *bandRun) group(ctx context.Context, g archive.GroupState) error {
	var bad []int
	for i := range g.Parity {
		ok, bytes, err := b.archive.ParityIsWhole(ctx, g.ParityGroup, i)
		if err != nil {
			return err
		}
		b.result.Objects++
		b.result.Bytes += bytes
		if !ok {
			bad = append(bad, i)
		}
	}
	if len(bad) == 0 {
		return nil
	}
	e, err := parity.NewEncoder(g.Scheme)
	if err != nil {
		return err
	}
	for i := range g.Members {
		if err := b.add(ctx, e, g.Members[i].Name); err != nil {
			return err
		}
	}
	again, shards := e.Close(g.Band, g.Group.Number)
	objects, err := again.Objects(shards)
	if err != nil {
		return err
	}
	for _, i := range bad {
		b.result.Damaged++
		if err := b.storeAgain(ctx, objects[i].Name, fmt.Sprintf("made of the %d objects of its group", len(g.Members)), objects[i].Parts...); err != nil {
			return err
		}
	}
	return nil
}

// add adds an object, as it should be, to the open group.
func (b *bandRun) add(ctx context.Context, e *parity.Encoder, name string) error {
	sum := b.whole[name]
	object, _, _, err := b.archive.Whole(ctx, name, func(object []byte) bool { return format.SumBytes(object) == sum })
	if err != nil {
		return err
	}
	return e.Add(name, sum, object)
}
