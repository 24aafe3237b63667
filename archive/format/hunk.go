package format

import (
	"dura/archive/format/pb"
)

// Hunk is a run of entries of a band.
type Hunk struct {
	Entries []Entry   // in path order, each path once
	Before  []HunkRef // of other bands, that stand ahead of it while its band is incomplete

	// Previous tells the band's own hunk ahead of it, while the band is incomplete.
	Previous Previous
}

// Previous is how a hunk tells the own one ahead of it. The zero value stands for the one with the number below its own.
type Previous uint64

// NoPrevious says that there is none.
const NoPrevious Previous = 1

// PreviousOf is for the hunk numbered own behind the one numbered ahead, or behind none.
func PreviousOf(own, ahead uint64, none bool) Previous {
	switch {
	case none && own == 0 || !none && ahead+1 == own:
		return 0
	case none:
		return NoPrevious
	}
	return Previous(ahead + 2)
}

// Of is the number of the hunk that the one numbered own stands behind; ok is false where there is none.
func (p Previous) Of(own uint64) (ahead uint64, ok bool) {
	switch {
	case p == NoPrevious || p == 0 && own == 0:
		return 0, false
	case p == 0:
		return own - 1, true
	}
	return uint64(p) - 2, true
}

// EncodeHunk is a hunk before compression.
func EncodeHunk(h Hunk) ([]byte, error) {
	var t tables
	owners := map[Owner]uint32{}
	m := &pb.Hunk{Entries: make([]*pb.Entry, len(h.Entries)), Previous: uint64(h.Previous)}
	for i := range h.Before {
		m.Before = append(m.Before, refToPB(&h.Before[i]))
	}
	for i := range h.Entries {
		e := &h.Entries[i]
		owner, ok := owners[e.Owner]
		if !ok {
			owner = uint32(len(owners))
			owners[e.Owner] = owner
			m.Owners = append(m.Owners, &pb.Owner{
				Uid: e.Owner.UID, Gid: e.Owner.GID, User: []byte(e.Owner.User), Group: []byte(e.Owner.Group),
			})
		}
		m.Entries[i] = entryToPB(e, owner, &t)
	}
	m.Blocks, m.Frames = t.blocks, t.frames
	return marshal(m)
}

func entryToPB(e *Entry, owner uint32, t *tables) *pb.Entry {
	m := &pb.Entry{
		Path: []byte(e.Path), Kind: pb.Kind(e.Kind), Mode: e.Mode, Owner: owner,
		MtimeSeconds: e.MTime.Seconds, MtimeNanos: e.MTime.Nanos, CtimeSeconds: e.CTime.Seconds, CtimeNanos: e.CTime.Nanos,
		Size: uint64(e.Size), Sha256: hashToPB(e.SHA256), DataSha256: hashToPB(e.DataSHA), Spans: t.spans(e.Spans),
		Device: e.Device, Inode: e.Inode, Links: e.Links, RdevMajor: e.Rdev.Major, RdevMinor: e.Rdev.Minor,
		Unstable: e.Unstable, AsInParent: e.AsInParent,
	}
	if e.Target != "" {
		m.Target = []byte(e.Target)
	}
	if e.LinkTo != "" {
		m.LinkTo = []byte(e.LinkTo)
	}
	for _, x := range e.XAttrs {
		m.Xattrs = append(m.Xattrs, &pb.XAttr{Name: []byte(x.Name), Value: x.Value})
	}
	for _, l := range e.SpanLists {
		m.SpanLists = append(m.SpanLists, &pb.SpanListRef{
			Band: string(l.Band), Number: l.Number, StoredBytes: uint64(l.StoredBytes), Sha256: hashToPB(l.SHA256),
			ContentBytes: uint64(l.ContentBytes), DataBytes: uint64(l.DataBytes),
		})
	}
	return m
}

// DecodeHunk undoes EncodeHunk and checks every value. Entries share what they refer to.
func DecodeHunk(raw []byte) (Hunk, error) {
	var m pb.Hunk
	if err := unmarshal("hunk", raw, &m); err != nil {
		return Hunk{}, err
	}
	entries, err := entriesFromPB(&m)
	if err != nil {
		return Hunk{}, err
	}
	before, err := refsFromPB("hunk", m.Before)
	if err != nil {
		return Hunk{}, err
	}
	if n := len(before); n > 0 && (len(entries) == 0 || Compare(before[n-1].FirstPath, entries[0].Path) >= 0) {
		return Hunk{}, corrupt("hunk", "what is to stand ahead of it does not")
	}
	return Hunk{Entries: entries, Before: before, Previous: Previous(m.Previous)}, nil
}

func entriesFromPB(m *pb.Hunk) ([]Entry, error) {
	frames, err := framesFromPB("hunk", m.Blocks, m.Frames)
	if err != nil {
		return nil, err
	}
	owners := make([]Owner, len(m.Owners))
	for i, o := range m.Owners {
		owners[i] = Owner{o.Uid, o.Gid, string(o.User), string(o.Group)}
	}
	entries := make([]Entry, len(m.Entries))
	for i, e := range m.Entries {
		if entries[i], err = entryFromPB(e, owners, frames); err != nil {
			return nil, err
		}
		if i > 0 && Compare(entries[i-1].Path, entries[i].Path) >= 0 {
			return nil, corrupt("hunk", "%q stands behind %q", entries[i].Path, entries[i-1].Path)
		}
	}
	return entries, nil
}

func entryFromPB(m *pb.Entry, owners []Owner, frames []Frame) (Entry, error) {
	path := string(m.Path)
	if !ValidPath(path) {
		return Entry{}, corrupt("hunk", "path %q", path)
	}
	if m.Kind < pb.Kind(File) || m.Kind > pb.Kind(BlockDevice) || m.Mode > 0o7777 || int64(m.Owner) >= int64(len(owners)) ||
		m.MtimeNanos > 999_999_999 || m.CtimeNanos > 999_999_999 || int64(m.Size) < 0 || !ValidPath(string(m.LinkTo)) {
		return Entry{}, corrupt("hunk", "%q has a value out of range", path)
	}
	e := Entry{
		Path: Path(path), Kind: Kind(m.Kind), Mode: m.Mode, Owner: owners[m.Owner],
		MTime: Time{m.MtimeSeconds, m.MtimeNanos}, CTime: Time{m.CtimeSeconds, m.CtimeNanos}, Size: int64(m.Size),
		Target: string(m.Target), Device: m.Device, Inode: m.Inode, Links: m.Links, LinkTo: Path(m.LinkTo),
		Rdev: DeviceNumber{m.RdevMajor, m.RdevMinor}, Unstable: m.Unstable, AsInParent: m.AsInParent,
	}
	for _, x := range m.Xattrs {
		e.XAttrs = append(e.XAttrs, XAttr{string(x.Name), x.Value})
	}
	if err := contentFromPB(&e, m, frames); err != nil {
		return Entry{}, err
	}
	return e, nil
}

func contentFromPB(e *Entry, m *pb.Entry, frames []Frame) (err error) {
	if len(m.Sha256) > 0 {
		if e.SHA256, err = hashFromPB("hunk", m.Sha256); err != nil {
			return err
		}
	}
	if len(m.DataSha256) > 0 {
		if e.DataSHA, err = hashFromPB("hunk", m.DataSha256); err != nil {
			return err
		}
	}
	if e.Spans, err = spansFromPB("hunk", frames, m.Spans); err != nil {
		return err
	}
	left := e.Size // what the spans and lists still may cover
	for i := range e.Spans {
		left = takeBytes(takeBytes(left, e.Spans[i].HoleBytes), int64(e.Spans[i].Bytes))
	}
	for _, l := range m.SpanLists {
		ref := SpanListRef{
			Band: BandID(l.Band), Number: l.Number, StoredBytes: clampInt64(l.StoredBytes),
			ContentBytes: clampInt64(l.ContentBytes), DataBytes: clampInt64(l.DataBytes),
		}
		if _, err := ParseBandID(l.Band); err != nil || ref.StoredBytes > MaxIndexBytes || ref.DataBytes > ref.ContentBytes {
			return corrupt("hunk", "%q has a span list of %d bytes in band %q", e.Path, ref.StoredBytes, l.Band)
		}
		if ref.SHA256, err = hashFromPB("hunk", l.Sha256); err != nil {
			return err
		}
		left = takeBytes(left, ref.ContentBytes)
		e.SpanLists = append(e.SpanLists, ref)
	}
	if left < 0 || len(e.Spans) > 0 && len(e.SpanLists) > 0 {
		return corrupt("hunk", "the spans of %q do not fit its %d bytes", e.Path, e.Size)
	}
	return nil
}

// takeBytes is left - n, or -1 where left does not have them.
func takeBytes(left, n int64) int64 {
	if left < 0 || n > left {
		return -1
	}
	return left - n
}
