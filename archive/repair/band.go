package repair

import (
	"context"
	"fmt"
	"slices"

	"dura/archive"
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
	if err := b.objects(ctx); err != nil {
		return err
	}
	if b.stored {
		r.archive.Refresh(band)
	}
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

	stored bool // something was
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

// checkedAtOnce is how many objects are checked before what is damaged of them is stored again: a run that is killed has stored what it
// came past.
const checkedAtOnce = 1024

// objects checks what the band should have, and stores again what is damaged of it.
func (b *bandRun) objects(ctx context.Context) error {
	for names := range slices.Chunk(b.wantedOf(b.id), checkedAtOnce) {
		damaged, err := b.check(ctx, names)
		if err != nil {
			return err
		}
		if err := b.mendGroups(ctx, names, damaged); err != nil {
			return err
		}
		for _, name := range names {
			if damage := damaged[name]; damage != nil {
				if err := b.object(ctx, name, damage); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// object stores an object again that is not stored as it should be.
func (b *bandRun) object(ctx context.Context, name string, damage error) error {
	accept := b.accept(name)
	if accept == nil {
		return b.lose(ctx, name, damage)
	}
	object, from, err := b.mended(ctx, name, damage, accept)
	if err != nil {
		if ctx.Err() != nil || storage.Is(err, storage.KindUnavailable) {
			return err
		}
		if b.outdated[name] {
			return nil
		}
		if !b.counted[name] {
			b.counted[name] = true
			b.result.Damaged++
		}
		return b.lose(ctx, name, err)
	}
	b.isWhole(name, format.SumBytes(object), int64(len(object)))
	if from == "" {
		return nil
	}
	b.result.Damaged++
	return b.storeAgain(ctx, name, from, object)
}

// mended is an object as it should be, from wherever it can be had, and where that is; "" if there is a repaired copy.
func (b *bandRun) mended(ctx context.Context, name string, damage error, accept func([]byte) bool) (object []byte, from string, err error) {
	err = damage
	if archive.IsDamage(damage) {
		object, from, _, err = b.archive.Elsewhere(ctx, name, damage, accept)
	}
	if err == nil || ctx.Err() != nil {
		return object, from, err
	}
	if fence, is := b.fences[name]; is {
		if again := b.refence(ctx, fence); again != nil && accept(again) {
			return again, "made of the hunks", nil
		}
	}
	if list, is := b.lists[name]; is {
		again, failed := b.respan(ctx, list, accept)
		if failed != nil {
			return nil, "", failed
		}
		if again != nil {
			delete(b.deferred, name)
			return again, "made of the blocks", nil
		}
	}
	return nil, "", err
}

const opRepair = "repair"

// storeAgain stores an object under its own name, or as a repaired copy if something else has that.
func (b *bandRun) storeAgain(ctx context.Context, name, from string, parts ...[]byte) error {
	stored, err := b.create(ctx, name, parts...)
	if err != nil {
		return err
	}
	b.again(name, stored, from)
	return nil
}

// create does what storeAgain does to the storage, and says which name it took.
func (b *bandRun) create(ctx context.Context, name string, parts ...[]byte) (stored string, err error) {
	stored = name
	if _, there := b.sizes[name]; there {
		if stored, err = b.archive.NextRepaired(ctx, name); err != nil {
			return "", err
		}
	}
	if b.o.DryRun {
		return stored, nil
	}
	err = b.archive.Storage().Create(ctx, stored, parts...)
	if stored == name && storage.Is(err, storage.KindExists) { // it can't be listed
		if stored, err = b.archive.NextRepaired(ctx, name); err == nil {
			err = b.archive.Storage().Create(ctx, stored, parts...)
		}
	}
	return stored, err
}

// again tells of an object that is there again.
func (b *bandRun) again(name, stored, from string) {
	b.result.Repaired++
	b.stored = true
	b.made(Made{Object: name, Stored: format.StoredName(stored, b.archive.Head().Sealed()), From: from})
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
	bad, err := b.badParity(ctx, g)
	if err != nil {
		return err
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

// badParity are the places of a group's parity objects that are lost or damaged.
func (b *bandRun) badParity(ctx context.Context, g archive.GroupState) (bad []int, err error) {
	whole := make([]bool, len(g.Parity))
	read := make([]int64, len(g.Parity))
	err = b.parallel(ctx, len(g.Parity), func(ctx context.Context, i int, buf *[]byte) (err error) {
		whole[i], read[i], err = b.archive.ParityIsWhole(ctx, g.ParityGroup, i, b.sizeOf(g.ObjectName(i)), buf)
		return err
	})
	for i := range whole {
		b.result.Objects++
		b.result.Bytes += read[i]
		if !whole[i] {
			bad = append(bad, i)
		}
	}
	return bad, err
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
