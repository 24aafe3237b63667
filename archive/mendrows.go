package archive

import (
	"context"
	"errors"
	"fmt"

	lru "github.com/hashicorp/golang-lru/v2"

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
	p, err := m.newPass(g, place)
	if err != nil {
		return nil, err
	}
	err = p.eachRow(ctx, int(offset/parity.SliceBytes), int((end-1)/parity.SliceBytes)+1, func(row int, of [][]byte) error {
		start, slice := int64(row)*parity.SliceBytes, of[0]
		got = append(got, slice[max(offset-start, 0):min(end-start, int64(len(slice)))]...)
		return nil
	})
	return got, err
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

func isTail(name string) bool {
	_, kind, _, _ := format.ParseObjectName(name)
	return kind == format.TailObject
}
