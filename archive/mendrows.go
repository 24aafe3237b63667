package archive

import (
	"context"
	"errors"
	"fmt"
	"slices"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/errgroup"

	"dura/archive/format"
	"dura/archive/parity"
)

// rowCache keeps slices that were rebuilt.
type rowCache struct {
	kept *lru.Cache[rowKey, []byte]
}

type rowKey struct {
	group uint64
	name  string
	row   int
}

const (
	rowsKept = 128 // slices of 64 KiB at most
	// batchBytes bounds what of a group is in memory at a time for one rebuilding, as long as that is a row.
	mendBatchBytes = 16 << 20
)

func newRowCache() (rowCache, error) {
	kept, err := lru.New[rowKey, []byte](rowsKept)
	return rowCache{kept}, err
}

// BeyondError says that more of a group is damaged than its parity makes up for.
type BeyondError struct {
	Object string   // that can't be rebuilt
	Group  uint64   // number of the group
	Bad    []string // objects of the group that are damaged in that row
	Err    *parity.RowError
}

func (e *BeyondError) Error() string {
	return fmt.Sprintf("parity group %d can't rebuild it: %v", e.Group, e.Err)
}

func (e *BeyondError) Unwrap() error { return e.Err }

// parityOf is the source of what parity rebuilds.
type parityOf struct{ m *mender }

func (p parityOf) Read(ctx context.Context, name string, offset int64, maxBytes int) ([]byte, error) {
	failure := errSubstitute
	for tried := 0; ; tried++ { // an object may be in several groups, and all but one of those are of interrupted runs
		g, err := p.m.groupOf(ctx, name, tried)
		if err != nil {
			return nil, err
		}
		if g == nil || tried > 0 && isTail(name) { // earlier groups may have a tail that was never stored
			return nil, failure
		}
		got, err := p.m.rebuild(ctx, g, name, offset, maxBytes)
		if err == nil || ctx.Err() != nil {
			return got, err
		}
		failure = err
	}
}

// groupOf is the group that has an object and stands behind so many others that have it, too; nil if there is none.
func (m *mender) groupOf(ctx context.Context, name string, behind int) (found *ParityGroup, err error) {
	err = m.eachGroupOf(ctx, name, func(g *ParityGroup) bool {
		if behind == 0 {
			found = g
		}
		behind--
		return behind >= 0
	})
	return found, err
}

// rebuild gives a range of a member, or of a parity object's shard, of a group.
func (m *mender) rebuild(ctx context.Context, g *ParityGroup, name string, offset int64, maxBytes int) ([]byte, error) {
	place, _ := g.Place(name)
	size := g.Shard(place).StoredBytes
	if offset >= size || maxBytes <= 0 {
		return nil, nil
	}
	end := min(offset+int64(maxBytes), size)
	got := make([]byte, 0, end-offset)
	err := m.eachRow(ctx, g, place, int(offset/parity.SliceBytes), int((end-1)/parity.SliceBytes)+1, func(row int, slice []byte) error {
		start := int64(row) * parity.SliceBytes
		got = append(got, slice[max(offset-start, 0):min(end-start, int64(len(slice)))]...)
		return nil
	})
	return got, err
}

// eachRow yields the slices of a shard in a range of rows, rebuilt where they are bad.
func (m *mender) eachRow(ctx context.Context, g *ParityGroup, place, from, to int, yield func(row int, slice []byte) error) error {
	batch := max(1, mendBatchBytes/parity.SliceBytes/g.Shards())
	for ; from < to; from += batch {
		slices, err := m.batch(ctx, g, place, from, min(from+batch, to))
		if err != nil {
			return err
		}
		for i, slice := range slices {
			if err := yield(from+i, slice); err != nil {
				return err
			}
		}
	}
	return nil
}

// batch gives a few slices of a shard. The other shards are read only where these are bad.
func (m *mender) batch(ctx context.Context, g *ParityGroup, place, from, to int) ([][]byte, error) {
	name := g.Shard(place).Name
	got := make([][]byte, to-from)
	for row := from; row < to; row++ {
		if slice, ok := m.rows.kept.Get(rowKey{g.Number, name, row}); ok {
			got[row-from] = slice
		}
	}
	bad := badRows(got, from, func(row int, s []byte) bool { return s != nil && g.Good(place, row, s) })
	if len(bad) == 0 {
		return got, nil
	}
	if err := m.readShard(ctx, g, place, from, to, got); err != nil {
		return nil, err
	}
	bad = badRows(got, from, func(row int, s []byte) bool { return g.Good(place, row, s) })
	if len(bad) == 0 {
		return got, nil
	}
	return got, m.rebuildRows(ctx, g, place, from, bad, got)
}

// badRows are the rows whose slice is not good.
func badRows(got [][]byte, from int, good func(row int, slice []byte) bool) (bad []int) {
	for i, slice := range got {
		if !good(from+i, slice) {
			bad = append(bad, from+i)
		}
	}
	return bad
}

// rebuildRows rebuilds the slices of a shard in the rows that are bad. Members are read first, of the parity no more than is needed.
func (m *mender) rebuildRows(ctx context.Context, g *ParityGroup, place, from int, bad []int, got [][]byte) error {
	first, last := bad[0], bad[len(bad)-1]+1
	shards := make([][][]byte, g.Shards())
	var eg errgroup.Group
	eg.SetLimit(readsAtOnce)
	for i := range g.Members {
		shards[i] = make([][]byte, last-first)
		if i == place {
			copy(shards[i], got[first-from:last-from])
			continue
		}
		eg.Go(func() error { return m.readShard(ctx, g, i, first, last, shards[i]) })
	}
	if err := eg.Wait(); err != nil {
		return err
	}
	for i := len(g.Members); i < len(shards); i++ {
		shards[i] = make([][]byte, last-first)
		if i != place && !enough(g, shards[:i], first, bad) {
			if err := m.readShard(ctx, g, i, first, last, shards[i]); err != nil {
				return err
			}
		}
	}
	r, err := parity.NewRebuilder(g.Group)
	if err != nil {
		return err
	}
	for _, row := range bad {
		slices := make([][]byte, len(shards))
		for i := range shards {
			slices[i] = shards[i][row-first]
		}
		if err := r.Row(row, slices); err != nil {
			return beyond(g, place, err)
		}
		got[row-from] = slices[place]
		m.rows.kept.Add(rowKey{g.Number, g.Shard(place).Name, row}, slices[place])
	}
	return nil
}

// enough reports whether the shards read so far rebuild all rows that are bad.
func enough(g *ParityGroup, shards [][][]byte, first int, rows []int) bool {
	for _, row := range rows {
		good := 0
		for i := range shards {
			if g.Good(i, row, shards[i][row-first]) {
				good++
			}
		}
		if good < len(g.Members) {
			return false
		}
	}
	return true
}

func beyond(g *ParityGroup, place int, err error) error {
	var row *parity.RowError
	if !errors.As(err, &row) {
		return err
	}
	e := &BeyondError{Object: g.Shard(place).Name, Group: g.Number, Err: row}
	for _, i := range row.Bad {
		e.Bad = append(e.Bad, g.Shard(i).Name)
	}
	return e
}

// readShard fills slices of a shard, from wherever they are good, and leaves others nil. An error says that the storage can't be had.
func (m *mender) readShard(ctx context.Context, g *ParityGroup, place, from, to int, into [][]byte) error {
	s := g.Shard(place)
	offset := int64(0)
	if place >= len(g.Members) {
		offset = g.shardOffset
	}
	start, _ := parity.SliceOf(from, s.StoredBytes)
	_, end := parity.SliceOf(to-1, s.StoredBytes)
	if start == end {
		fill(g, place, from, into, nil)
		return nil
	}
	sources := []source{m.archive.storage, repairedCopies{m}}
	for _, o := range m.others {
		sources = append(sources, o.Storage)
	}
	for i, src := range sources {
		stored, err := src.Read(ctx, s.Name, offset+start, int(end-start))
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err == nil:
			fill(g, place, from, into, stored)
		case i == 0 && !mendable(err) && !errors.Is(err, errSubstitute):
			return objectError(opRead, g.Band, s.Name, err)
		case from+1 < to && i == 0:
			m.readSlices(ctx, g, place, from, offset, into) // one bad sector must not cost its neighbours
		}
		if !slices.ContainsFunc(into, func(s []byte) bool { return s == nil }) {
			return nil
		}
	}
	return nil
}

// readSlices reads slices one by one, where they can't be read together.
func (m *mender) readSlices(ctx context.Context, g *ParityGroup, place, from int, offset int64, into [][]byte) {
	s := g.Shard(place)
	for i := range into {
		start, end := parity.SliceOf(from+i, s.StoredBytes)
		if stored, err := m.archive.storage.Read(ctx, s.Name, offset+start, int(end-start)); err == nil {
			fill(g, place, from+i, into[i:i+1], stored)
		}
	}
}

// fill cuts what was read into slices, and takes those that are missing and good.
func fill(g *ParityGroup, place, from int, into [][]byte, stored []byte) {
	size := g.Shard(place).StoredBytes
	base, _ := parity.SliceOf(from, size)
	for i := range into {
		start, end := parity.SliceOf(from+i, size)
		if end-base > int64(len(stored)) {
			break
		}
		if slice := stored[start-base : end-base : end-base]; into[i] == nil && g.Good(place, from+i, slice) {
			if slice == nil {
				slice = []byte{}
			}
			into[i] = slice
		}
	}
}

func isTail(name string) bool {
	_, kind, _, _ := format.ParseObjectName(name)
	return kind == format.TailObject
}
