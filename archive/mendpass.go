package archive

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/sync/errgroup"

	"dura/archive/parity"
	"dura/archive/storage"
)

// pass is a way through the rows of a group, for one or several of its shards.
type pass struct {
	*mender
	group   *ParityGroup
	code    *parity.Rebuilder
	wanted  []int    // places of the shards that are asked for
	whole   []bool   // by place: it was read, and had its hash; its slices need not be summed
	gone    []bool   // by place: the storage does not have it
	buffers [][]byte // by place: for what is read of it
}

func (m *mender) newPass(g *ParityGroup, wanted ...int) (*pass, error) {
	code, err := parity.NewRebuilder(g.Group)
	n := g.Shards()
	return &pass{mender: m, group: g, code: code, wanted: wanted, whole: make([]bool, n), gone: make([]bool, n), buffers: make([][]byte, n)}, err
}

// eachRow yields what is wanted in a range of rows, a slice for each shard, rebuilt where they are bad. Slices are good for until yield returns.
func (p *pass) eachRow(ctx context.Context, from, to int, yield func(row int, wanted [][]byte) error) error {
	batch := max(1, mendBatchBytes/parity.SliceBytes/p.group.Shards())
	for ; from < to; from += batch {
		end := min(from+batch, to)
		got, err := p.batch(ctx, from, end)
		if err != nil {
			return err
		}
		of := make([][]byte, len(p.wanted))
		for row := from; row < end; row++ {
			for i, place := range p.wanted {
				of[i] = got[place][row-from]
			}
			if err := yield(row, of); err != nil {
				return err
			}
		}
	}
	return nil
}

// batch gives a few rows, by place. The shards that are not wanted are read only where those are bad.
func (p *pass) batch(ctx context.Context, from, to int) (got [][][]byte, err error) {
	got = make([][][]byte, p.group.Shards())
	for _, place := range p.wanted {
		got[place] = p.kept(place, from, to)
		if slices.ContainsFunc(got[place], isNil) {
			if err := p.readShard(ctx, place, from, to, got[place]); err != nil {
				return nil, err
			}
		}
	}
	var bad []int
	for row := from; row < to; row++ {
		if slices.ContainsFunc(p.wanted, func(place int) bool { return got[place][row-from] == nil }) {
			bad = append(bad, row)
		}
	}
	if len(bad) == 0 {
		return got, nil
	}
	return got, p.rebuildRows(ctx, from, to, bad, got)
}

func isNil(slice []byte) bool { return slice == nil }

// kept are the slices of a shard that were rebuilt before.
func (p *pass) kept(place, from, to int) [][]byte {
	got := make([][]byte, to-from)
	for row := from; row < to; row++ {
		slice, ok := p.rows.kept.Get(rowKey{p.group.Number, p.group.Shard(place).Name, row})
		if ok && p.group.Good(place, row, slice) {
			got[row-from] = slice
		}
	}
	return got
}

// rebuildRows rebuilds what is wanted in the rows that are bad. Members are read first, of the parity no more than is needed.
func (p *pass) rebuildRows(ctx context.Context, from, to int, bad []int, got [][][]byte) error {
	first, last := bad[0], bad[len(bad)-1]+1
	var eg errgroup.Group
	eg.SetLimit(readsAtOnce)
	for i := range p.group.Members {
		if got[i] == nil {
			got[i] = make([][]byte, to-from)
			eg.Go(func() error { return p.readShard(ctx, i, first, last, got[i][first-from:last-from]) })
		}
	}
	if err := eg.Wait(); err != nil {
		return err
	}
	for i := len(p.group.Members); i < len(got); i++ {
		if got[i] != nil {
			continue
		}
		got[i] = make([][]byte, to-from)
		if !p.enough(got[:i], from, bad) {
			if err := p.readShard(ctx, i, first, last, got[i][first-from:last-from]); err != nil {
				return err
			}
		}
	}
	for _, row := range bad {
		if err := p.fill(row, from, got); err != nil {
			return err
		}
	}
	return nil
}

// fill rebuilds what is wanted in one row.
func (p *pass) fill(row, from int, got [][][]byte) error {
	of := make([][]byte, len(got))
	for i := range got {
		of[i] = got[i][row-from]
	}
	if err := p.code.Fill(row, of, p.wanted); err != nil {
		return beyond(p.group, p.wanted[0], err)
	}
	for _, place := range p.wanted {
		if got[place][row-from] == nil {
			got[place][row-from] = of[place]
			if len(p.wanted) == 1 { // who asks for several takes them all
				p.rows.kept.Add(rowKey{p.group.Number, p.group.Shard(place).Name, row}, of[place])
			}
		}
	}
	return nil
}

// enough reports whether what was read so far rebuilds all rows that are bad.
func (p *pass) enough(got [][][]byte, from int, bad []int) bool {
	for _, row := range bad {
		good := 0
		for i := range got {
			if got[i][row-from] != nil {
				good++
			}
		}
		if good < len(p.group.Members) {
			return false
		}
	}
	return true
}

// readShard fills slices of a shard, from wherever they are good, and leaves others nil. An error says that the storage can't be had.
func (p *pass) readShard(ctx context.Context, place, from, to int, into [][]byte) error {
	s := p.group.Shard(place)
	offset := int64(0)
	if place >= len(p.group.Members) {
		offset = p.group.shardOffset
	}
	start, _ := parity.SliceOf(from, s.StoredBytes)
	_, end := parity.SliceOf(to-1, s.StoredBytes)
	for i := range into {
		if at, _ := parity.SliceOf(from+i, s.StoredBytes); at == s.StoredBytes {
			into[i] = []byte{} // behind its end
		}
	}
	if start == end {
		return nil
	}
	if !p.gone[place] {
		if err := p.readStored(ctx, place, from, offset, int(end-start), into); err != nil {
			return err
		}
	}
	sources := []source{repairedCopies{p.mender}}
	for _, o := range p.others {
		sources = append(sources, o.Storage)
	}
	for _, src := range sources {
		if !slices.ContainsFunc(into, isNil) {
			return nil
		}
		stored, err := src.Read(ctx, s.Name, offset+start, int(end-start))
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err == nil:
			p.cut(place, from, into, stored, false)
		}
	}
	return nil
}

// readStored fills slices of a shard from what is stored of it.
func (p *pass) readStored(ctx context.Context, place, from int, offset int64, bytes int, into [][]byte) error {
	s := p.group.Shard(place)
	start, _ := parity.SliceOf(from, s.StoredBytes)
	stored, err := p.read(ctx, place, offset+start, bytes)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err == nil:
		p.cut(place, from, into, stored, p.whole[place])
	case storage.Is(err, storage.KindNotFound):
		p.gone[place] = true
	case !mendable(err) && !errors.Is(err, errSubstitute):
		return objectError(opRead, p.group.Band, s.Name, err)
	case len(into) > 1:
		p.readSlices(ctx, place, from, offset, into) // one bad sector must not cost its neighbours
	}
	return nil
}

// read reads of a shard's object, into memory that was used for it before where the storage can.
func (p *pass) read(ctx context.Context, place int, offset int64, bytes int) ([]byte, error) {
	name := p.group.Shard(place).Name
	into, can := p.archive.storage.(storage.IntoReader)
	if !can {
		return p.archive.storage.Read(ctx, name, offset, bytes)
	}
	return readReusing(ctx, into, name, offset, bytes, &p.buffers[place])
}

// readSlices reads slices one by one, where they can't be read together.
func (p *pass) readSlices(ctx context.Context, place, from int, offset int64, into [][]byte) {
	s := p.group.Shard(place)
	for i := range into {
		start, end := parity.SliceOf(from+i, s.StoredBytes)
		if stored, err := p.archive.storage.Read(ctx, s.Name, offset+start, int(end-start)); err == nil {
			p.cut(place, from+i, into[i:i+1], stored, false)
		}
	}
}

// cut cuts what was read into slices, and takes those that are missing and good; of what is known to be whole, all that are as long as they should be.
func (p *pass) cut(place, from int, into [][]byte, stored []byte, whole bool) {
	size := p.group.Shard(place).StoredBytes
	base, _ := parity.SliceOf(from, size)
	for i := range into {
		start, end := parity.SliceOf(from+i, size)
		if end-base > int64(len(stored)) {
			break
		}
		if slice := stored[start-base : end-base : end-base]; into[i] == nil && (whole || p.group.Good(place, from+i, slice)) {
			into[i] = slice
		}
	}
}
