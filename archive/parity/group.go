package parity

import (
	"math"
	"strings"

	"google.golang.org/protobuf/proto"

	"dura/archive/format"
	"dura/archive/format/pb"
)

// SliceBytes is how long the slices are by which damage is found and repaired; the last one of an object is shorter.
const SliceBytes = 64 << 10

// SliceSum is the first bytes of a slice's hash.
type SliceSum [8]byte

// Member is an object of a group.
type Member struct {
	Name        string // of the object
	StoredBytes int64
	SHA256      format.Hash
	Slices      []SliceSum
}

// Group describes a group, as each of its parity objects does.
type Group struct {
	Band       format.BandID
	Number     uint64
	Scheme     Scheme // of the code; a group that is not full has no objects at the last places
	ShardBytes int64  // of each parity shard: the size of the longest member
	Members    []Member
	Parity     [][]SliceSum // of each parity shard
}

// Bounds of what a description may say.
const (
	maxGroupBytes  = format.MaxIndexBytes
	maxMemberBytes = 1<<40 - 1
	maxNameBytes   = 256
)

// slicesOf is how many slices so many bytes have.
func slicesOf(bytes int64) int64 { return (bytes + SliceBytes - 1) / SliceBytes }

// SliceOf is where a slice of an object of so many bytes lies: none of it if it is behind the end.
func SliceOf(row int, bytes int64) (start, end int64) {
	start = min(int64(row)*SliceBytes, bytes)
	return start, min(start+SliceBytes, bytes)
}

// ObjectName is the name of the parity object at place i.
func (g *Group) ObjectName(i int) string { return format.ParityName(g.Band, g.Number, i) }

// Shards is how many members and parity shards there are. By their places the members come first.
func (g *Group) Shards() int { return len(g.Members) + len(g.Parity) }

// Shard describes the i-th of them: the name of the object that has it, how long it is, and its slices.
func (g *Group) Shard(i int) Member {
	if i < len(g.Members) {
		return g.Members[i]
	}
	i -= len(g.Members)
	return Member{Name: g.ObjectName(i), StoredBytes: g.ShardBytes, Slices: g.Parity[i]}
}

// IsThere reports whether all members and parity objects of the group are among what is stored, by name and size.
func (g *Group) IsThere(sizes map[string]int64) bool {
	for i := range g.Members {
		if size, ok := sizes[g.Members[i].Name]; !ok || size != g.Members[i].StoredBytes {
			return false
		}
	}
	for i := range g.Parity {
		if _, ok := sizes[g.ObjectName(i)]; !ok {
			return false
		}
	}
	return true
}

// IsOutdated reports whether a member should be something else by now: the group is one of an interrupted backup.
func (g *Group) IsOutdated(sumOf func(name string) (format.Hash, bool)) bool {
	for i := range g.Members {
		if sum, known := sumOf(g.Members[i].Name); known && sum != g.Members[i].SHA256 {
			return true
		}
	}
	return false
}

// ObjectBytes is how long each parity object is.
func (g *Group) ObjectBytes() int64 {
	description, err := encodeGroup(g)
	if err != nil {
		return 0
	}
	return Label{DescriptionBytes: int64(len(description)), ShardBytes: g.ShardBytes}.ObjectBytes()
}

// Place is where an object is in the group.
func (g *Group) Place(name string) (place int, ok bool) {
	for i := range g.Members {
		if g.Members[i].Name == name {
			return i, true
		}
	}
	return 0, false
}

func encodeGroup(g *Group) ([]byte, error) {
	m := &pb.ParityGroup{
		Band: string(g.Band), Number: g.Number, SliceBytes: SliceBytes, ShardBytes: uint64(g.ShardBytes),
		MemberPlaces: uint32(g.Scheme.Members), ParityPlaces: uint32(g.Scheme.Parity),
	}
	for i := range g.Members {
		b := &g.Members[i]
		m.Members = append(m.Members, &pb.ParityMember{
			Name: strings.TrimPrefix(b.Name, g.prefix()), StoredBytes: uint64(b.StoredBytes), Sha256: b.SHA256[:], Slices: joinSums(b.Slices),
		})
	}
	for _, sums := range g.Parity {
		m.ParitySlices = append(m.ParitySlices, joinSums(sums))
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(m)
}

// prefix is what the names of all members begin with.
func (g *Group) prefix() string { return format.BandsPrefix + string(g.Band) }

// decodeGroup parses a description, and refuses one that contradicts itself.
func decodeGroup(raw []byte) (*Group, error) {
	var m pb.ParityGroup
	if err := proto.Unmarshal(raw, &m); err != nil {
		return nil, &format.CorruptError{What: "parity object", Reason: "not a description", Err: err}
	}
	band, err := format.ParseBandID(m.Band)
	if err != nil {
		return nil, corrupt("band %q", m.Band)
	}
	g := &Group{Band: band, Number: m.Number, ShardBytes: int64(min(m.ShardBytes, math.MaxInt64))}
	g.Scheme = Scheme{int(min(m.MemberPlaces, maxPlaces)), int(min(m.ParityPlaces, maxPlaces))}
	if err := g.Scheme.check(); err != nil {
		return nil, err
	}
	if len(m.Members) < 1 || len(m.Members) > g.Scheme.Members || len(m.ParitySlices) < 1 || len(m.ParitySlices) > g.Scheme.Parity ||
		m.SliceBytes != SliceBytes {
		return nil, corrupt("%d members, %d parity objects, slices of %d bytes", len(m.Members), len(m.ParitySlices), m.SliceBytes)
	}
	return g, g.fill(&m)
}

// fill takes over members and slices.
func (g *Group) fill(m *pb.ParityGroup) error {
	var longest int64
	for i, b := range m.Members {
		member := Member{Name: g.prefix() + b.Name, StoredBytes: int64(min(b.StoredBytes, math.MaxInt64))}
		_, taken := g.Place(member.Name)
		kindOf, kind, _, err := format.ParseObjectName(member.Name)
		if _, is := ClassOf(kind); taken || !is || err != nil || kindOf != g.Band || len(b.Name) > maxNameBytes {
			return corrupt("member %q", b.Name)
		}
		if member.StoredBytes > maxMemberBytes || len(b.Sha256) != len(member.SHA256) {
			return corrupt("member %d of %d bytes", i, b.StoredBytes)
		}
		if member.Slices, err = splitSums(b.Slices, member.StoredBytes); err != nil {
			return err
		}
		copy(member.SHA256[:], b.Sha256)
		longest = max(longest, member.StoredBytes)
		g.Members = append(g.Members, member)
	}
	if longest != g.ShardBytes {
		return corrupt("shards of %d bytes, where the longest member has %d", g.ShardBytes, longest)
	}
	for _, b := range m.ParitySlices {
		sums, err := splitSums(b, g.ShardBytes)
		if err != nil {
			return err
		}
		g.Parity = append(g.Parity, sums)
	}
	return nil
}

func joinSums(sums []SliceSum) []byte {
	joined := make([]byte, 0, len(sums)*len(SliceSum{}))
	for i := range sums {
		joined = append(joined, sums[i][:]...)
	}
	return joined
}

// splitSums are the sums of an object of so many bytes.
func splitSums(joined []byte, bytes int64) ([]SliceSum, error) {
	const each = int64(len(SliceSum{}))
	if int64(len(joined)) != slicesOf(bytes)*each {
		return nil, corrupt("%d bytes of slices' sums for %d bytes", len(joined), bytes)
	}
	sums := make([]SliceSum, slicesOf(bytes))
	for i := range sums {
		copy(sums[i][:], joined[int64(i)*each:])
	}
	return sums, nil
}
