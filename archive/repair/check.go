package repair

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"dura/archive"
	"dura/archive/event"
	"dura/archive/format"
	"dura/archive/storage"
)

var errNoHash = errors.New("nothing tells what it was")

// accept decides whether an object is what it should be; nil if nothing tells.
func (b *bandRun) accept(name string) func(object []byte) bool {
	if b.wants[name].sum.IsZero() && !isTail(name) {
		return nil
	}
	return func(object []byte) bool { return b.agrees(name, object, format.SumBytes(object)) }
}

// agrees reports whether an object with this hash is what it should be. Of a tail that neither sums nor parity tell of it is enough to be one.
func (b *bandRun) agrees(name string, object []byte, sum format.Hash) bool {
	w := b.wants[name]
	if !w.sum.IsZero() {
		return sum == w.sum || sum == w.alt && !w.alt.IsZero()
	}
	text, err := b.archive.Opened(name, object)
	if err == nil {
		_, err = format.DecodeTail(b.id, text)
	}
	return err == nil
}

func isTail(name string) bool {
	_, kind, _, _ := format.ParseObjectName(name)
	return kind == format.TailObject || kind == format.RebuiltTailObject
}

// check reads each object once, several at a time, and gives what is wrong with those that are not stored as they should be.
func (b *bandRun) check(ctx context.Context, names []string) (damaged map[string]error, err error) {
	damaged = map[string]error{}
	var mu sync.Mutex
	err = b.parallel(ctx, len(names), func(ctx context.Context, i int, buf *[]byte) error {
		name := names[i]
		if b.accept(name) == nil {
			mu.Lock()
			defer mu.Unlock()
			damaged[name] = &archive.Error{Op: opRepair, Band: b.id, Object: name, Kind: archive.KindMissing, Err: errNoHash}
			return nil
		}
		var sum format.Hash
		bytes, err := b.archive.Stored(ctx, name, b.sizeOf(name), buf, func(object []byte) bool {
			sum = format.SumBytes(object)
			return b.agrees(name, object, sum)
		})
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err == nil:
			b.isWhole(name, sum, bytes)
		case ctx.Err() != nil || storage.Is(err, storage.KindUnavailable):
			return err
		default:
			damaged[name] = err
		}
		return nil
	})
	return damaged, err
}

// sizeOf is how many bytes of an object are stored; -1 if the listing does not have it.
func (b *bandRun) sizeOf(name string) int64 {
	if size, there := b.sizes[name]; there {
		return size
	}
	return -1
}

// isWhole counts an object that can be had as it should be.
func (b *bandRun) isWhole(name string, sum format.Hash, bytes int64) {
	b.result.Objects++
	b.result.Bytes += bytes
	b.o.Events.Send(event.Progress{Done: event.Totals{ContentBytes: b.result.Bytes, Objects: b.result.Objects}, Path: name})
	b.whole[name] = sum
}

// parallel calls do for each number below n, each time with memory that no other call has.
func (r *run) parallel(ctx context.Context, n int, do func(ctx context.Context, i int, buf *[]byte) error) error {
	g, gctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range min(r.o.Workers, n) {
		g.Go(func() error {
			buf, _ := r.spare.Get().(*[]byte)
			if buf == nil {
				buf = new([]byte)
			}
			defer r.spare.Put(buf)
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if gctx.Err() != nil {
					return context.Cause(gctx)
				}
				if err := do(gctx, i, buf); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// mendGroups stores again what parity rebuilds of what is damaged, one group after the other: all that is damaged of a group in one pass. What was
// stored is damaged no more. What has a repaired copy already, or can't be had in this way, is left.
func (b *bandRun) mendGroups(ctx context.Context, names []string, damaged map[string]error) error {
	lost := map[string]bool{}
	for _, name := range names {
		if damage := damaged[name]; damage == nil || !archive.IsDamage(damage) || b.accept(name) == nil {
			continue
		}
		_, copied, err := b.archive.LastRepaired(ctx, name)
		if err != nil {
			return err
		}
		lost[name] = !copied
	}
	for _, name := range names {
		if !lost[name] {
			continue
		}
		objects, err := b.archive.MendGroup(ctx, name, func(name string) bool { return lost[name] }, func(name string, sum format.Hash) bool { return b.whole[name] == sum })
		if err != nil {
			return err
		}
		lost[name] = false
		if err := b.storeMended(ctx, objects, damaged); err != nil {
			return err
		}
		for mended := range objects {
			lost[mended] = false
		}
	}
	return nil
}

// storeMended stores again what was rebuilt from parity, several at a time.
func (b *bandRun) storeMended(ctx context.Context, objects map[string][]byte, damaged map[string]error) error {
	names := slices.Sorted(maps.Keys(objects))
	sums := map[string]format.Hash{}
	names = slices.DeleteFunc(names, func(name string) bool {
		sums[name] = format.SumBytes(objects[name])
		return !b.agrees(name, objects[name], sums[name])
	})
	stored := make([]string, len(names))
	err := b.parallel(ctx, len(names), func(ctx context.Context, i int, _ *[]byte) (err error) {
		stored[i], err = b.create(ctx, names[i], objects[names[i]])
		return err
	})
	if err != nil {
		return err
	}
	for i, name := range names {
		delete(damaged, name)
		b.isWhole(name, sums[name], int64(len(objects[name])))
		b.result.Damaged++
		b.again(name, stored[i], "rebuilt from parity")
	}
	return nil
}
