package archive

import (
	"context"

	"dura/archive/format"
	"dura/archive/parity"
	"dura/archive/storage"
)

// maxGroupMendedBytes bounds what MendGroup keeps in memory.
const maxGroupMendedBytes = 256 << 20

// MendGroup rebuilds members of the parity group that an object is in, in one pass over the group: those that lost names, that one among them.
// IsWhole tells of others that they were read just now and had this hash. What comes back is to be held to its hash; nothing comes back
// where the group does not do, and Elsewhere tells why.
func (a *Archive) MendGroup(ctx context.Context, name string, lost func(string) bool, isWhole func(string, format.Hash) bool) (map[string][]byte, error) {
	g, err := a.mender.groupOf(ctx, name, 0)
	if g == nil || err != nil {
		return nil, passOver(ctx, err)
	}
	var wanted []int
	var bytes int64
	for i := range g.Members {
		if lost(g.Members[i].Name) {
			wanted = append(wanted, i)
			bytes += g.Members[i].StoredBytes
		}
	}
	if len(wanted) == 0 || bytes > maxGroupMendedBytes {
		return nil, nil
	}
	p, err := a.mender.newPass(g, wanted...)
	if err != nil {
		return nil, err
	}
	for i := range g.Members {
		p.whole[i] = isWhole(g.Members[i].Name, g.Members[i].SHA256)
	}
	mended, err := p.allRows(ctx)
	if err != nil {
		return nil, passOver(ctx, err)
	}
	objects := map[string][]byte{}
	for i, place := range wanted {
		objects[g.Members[place].Name] = mended[i]
	}
	return objects, nil
}

// allRows is all of what is wanted, each shard by itself.
func (p *pass) allRows(ctx context.Context) ([][]byte, error) {
	all := make([][]byte, len(p.wanted))
	rows := int((p.group.ShardBytes + parity.SliceBytes - 1) / parity.SliceBytes)
	err := p.eachRow(ctx, 0, rows, func(row int, slices [][]byte) error {
		for i, place := range p.wanted {
			if row == 0 { // or where nothing is left of the group, nothing is taken
				all[i] = make([]byte, 0, p.group.Shard(place).StoredBytes)
			}
			all[i] = append(all[i], slices[i]...)
		}
		return nil
	})
	return all, err
}

// passOver is err if it does not speak of the group, but of the storage or of the end of ctx.
func passOver(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if storage.Is(err, storage.KindUnavailable) {
		return err
	}
	return nil
}
