package format

import (
	"encoding/hex"
	"math"
	"slices"
	"time"

	"dura/archive/format/pb"
)

// ArchiveHead is DURA-ARCHIVE.
type ArchiveHead struct {
	ID             string // 32 hex digits
	Created        time.Time
	Settings       Settings
	KeyFingerprint string // of the archive's key, 40 hex digits; empty: it is not encrypted
}

// Sealed reports whether the archive is encrypted.
func (h ArchiveHead) Sealed() bool { return h.KeyFingerprint != "" }

// EncodeArchiveHead is the content of DURA-ARCHIVE.
func EncodeArchiveHead(h ArchiveHead) []byte {
	m := &pb.Archive{
		Format: Version, Id: h.ID, Created: timeText(h.Created), Settings: settingsToPB(h.Settings), KeyFingerprint: h.KeyFingerprint,
	}
	if h.Sealed() {
		m.RequiredFeatures = []string{FeatureOpenPGP}
	}
	return marshalText(m)
}

// DecodeArchiveHead parses DURA-ARCHIVE. What is too new is an *UnsupportedError.
func DecodeArchiveHead(text []byte) (ArchiveHead, error) {
	var m pb.Archive
	if err := unmarshalText("archive head", text, &m); err != nil {
		return ArchiveHead{}, err
	}
	if err := checkVersion("archive", m.Format, unknownFeatures(m.RequiredFeatures)); err != nil {
		return ArchiveHead{}, err
	}
	created, err := parseTime("archive head", m.Created)
	if err != nil {
		return ArchiveHead{}, err
	}
	if len(m.Id) != 32 || !isLowerHex(m.Id) {
		return ArchiveHead{}, corrupt("archive head", "id %q", m.Id)
	}
	sealed := slices.Contains(m.RequiredFeatures, FeatureOpenPGP)
	if sealed != (m.KeyFingerprint != "") || sealed && (len(m.KeyFingerprint) != 40 || !isLowerHex(m.KeyFingerprint)) {
		return ArchiveHead{}, corrupt("archive head", "it needs %q, and its key is %q", m.RequiredFeatures, m.KeyFingerprint)
	}
	return ArchiveHead{ID: m.Id, Created: created, Settings: settingsFromPB(m.Settings), KeyFingerprint: m.KeyFingerprint}, nil
}

// Head is what a band says of itself when it begins.
type Head struct {
	Archive    string // the archive's id
	Band       BandID
	Started    time.Time
	Host       string
	Program    string
	Sources    []string // as they were named
	Parent     BandID   // empty where there is none
	Settings   Settings
	Exclusions []string
}

// EncodeHead is the content of a head.
func EncodeHead(h Head) []byte {
	return marshalText(&pb.Head{
		Format: Version, Archive: h.Archive, Band: string(h.Band), Started: timeText(h.Started), Host: h.Host,
		Program: h.Program, Sources: toBytes(h.Sources), Parent: string(h.Parent), Settings: settingsToPB(h.Settings),
		Exclusions: toBytes(h.Exclusions),
	})
}

// DecodeHead parses the head of band. What is too new is an *UnsupportedError.
func DecodeHead(band BandID, text []byte) (Head, error) {
	var m pb.Head
	if err := unmarshalText("head", text, &m); err != nil {
		return Head{}, err
	}
	if err := checkVersion("band", m.Format, m.RequiredFeatures); err != nil {
		return Head{}, err
	}
	if m.Band != string(band) {
		return Head{}, corrupt("head", "it is the head of band %q", m.Band)
	}
	if m.Parent != "" {
		if _, err := ParseBandID(m.Parent); err != nil {
			return Head{}, corrupt("head", "parent %q", m.Parent)
		}
	}
	started, err := parseTime("head", m.Started)
	if err != nil {
		return Head{}, err
	}
	return Head{
		Archive: m.Archive, Band: band, Started: started, Host: m.Host, Program: m.Program, Sources: toStrings(m.Sources),
		Parent: BandID(m.Parent), Settings: settingsFromPB(m.Settings), Exclusions: toStrings(m.Exclusions),
	}, nil
}

// Totals sum up a band.
type Totals struct {
	Entries      int64
	Files        int64
	ContentBytes int64 // of regular files, holes and further hard links not counted
	Blocks       int64 // written by this band
	StoredBytes  int64 // of those blocks
}

// AlarmCount says how many alarms of one area and condition were raised.
type AlarmCount struct {
	Area, Condition string
	Count           int64
}

// Tail is what a band says of itself when it is complete.
type Tail struct {
	Band              BandID
	Ended             time.Time
	HeadSHA256        Hash
	Totals            Totals
	Fences            []FenceRef // in path order
	AlarmCounts       []AlarmCount
	AlarmsSHA256      Hash // zero where there are no stored alarms
	AlarmsStoredBytes int64
}

// EncodeTail is the content of a tail.
func EncodeTail(t Tail) []byte {
	m := &pb.Tail{
		Format: Version, Band: string(t.Band), Ended: timeText(t.Ended), HeadSha256: t.HeadSHA256.String(),
		Totals: &pb.Totals{
			Entries: uint64(t.Totals.Entries), Files: uint64(t.Totals.Files), ContentBytes: uint64(t.Totals.ContentBytes),
			Blocks: uint64(t.Totals.Blocks), StoredBytes: uint64(t.Totals.StoredBytes),
		},
	}
	for _, f := range t.Fences {
		ref := &pb.FenceRef{
			Number: f.Number, StoredBytes: uint64(f.StoredBytes), Sha256: f.SHA256.String(), Entries: uint64(f.Entries),
			FirstPath: []byte(f.FirstPath),
		}
		if f.Band != t.Band {
			ref.Band = string(f.Band)
		}
		m.Fences = append(m.Fences, ref)
	}
	for _, c := range t.AlarmCounts {
		m.AlarmCounts = append(m.AlarmCounts, &pb.AlarmCount{Area: c.Area, Condition: c.Condition, Count: uint64(c.Count)})
	}
	if !t.AlarmsSHA256.IsZero() {
		m.AlarmsSha256, m.AlarmsStoredBytes = t.AlarmsSHA256.String(), uint64(t.AlarmsStoredBytes)
	}
	return marshalText(m)
}

// DecodeTail parses the tail of band.
func DecodeTail(band BandID, text []byte) (Tail, error) {
	var m pb.Tail
	if err := unmarshalText("tail", text, &m); err != nil {
		return Tail{}, err
	}
	if err := checkVersion("band", m.Format, nil); err != nil {
		return Tail{}, err
	}
	if m.Band != string(band) {
		return Tail{}, corrupt("tail", "it is the tail of band %q", m.Band)
	}
	t := Tail{Band: band, Totals: Totals{
		Entries: clampInt64(m.GetTotals().GetEntries()), Files: clampInt64(m.GetTotals().GetFiles()),
		ContentBytes: clampInt64(m.GetTotals().GetContentBytes()), Blocks: clampInt64(m.GetTotals().GetBlocks()),
		StoredBytes: clampInt64(m.GetTotals().GetStoredBytes()),
	}}
	var err error
	if t.Ended, err = parseTime("tail", m.Ended); err != nil {
		return Tail{}, err
	}
	if t.HeadSHA256, err = hashFromHex("tail", m.HeadSha256); err != nil {
		return Tail{}, err
	}
	if t.Fences, err = fencesFromPB(band, m.Fences); err != nil {
		return Tail{}, err
	}
	for _, c := range m.AlarmCounts {
		t.AlarmCounts = append(t.AlarmCounts, AlarmCount{c.Area, c.Condition, clampInt64(c.Count)})
	}
	if m.AlarmsSha256 != "" {
		if t.AlarmsSHA256, err = hashFromHex("tail", m.AlarmsSha256); err != nil {
			return Tail{}, err
		}
		t.AlarmsStoredBytes = clampInt64(m.AlarmsStoredBytes)
	}
	return t, nil
}

func fencesFromPB(band BandID, refs []*pb.FenceRef) ([]FenceRef, error) {
	fences := make([]FenceRef, 0, len(refs))
	var entries int64
	for i, r := range refs {
		sum, err := hashFromHex("tail", r.Sha256)
		if err != nil {
			return nil, err
		}
		f, err := checkRef("tail", HunkRef{
			Band: BandID(r.Band), Number: r.Number, StoredBytes: clampInt64(r.StoredBytes), SHA256: sum,
			Entries: clampInt64(r.Entries), FirstPath: Path(r.FirstPath),
		}, band)
		if err != nil {
			return nil, err
		}
		if i > 0 && Compare(fences[i-1].FirstPath, f.FirstPath) >= 0 {
			return nil, corrupt("tail", "fences out of order")
		}
		if entries += f.Entries; entries < 0 {
			return nil, corrupt("tail", "too many entries")
		}
		fences = append(fences, FenceRef(f))
	}
	return fences, nil
}

func toBytes(ss []string) [][]byte {
	var bs [][]byte
	for _, s := range ss {
		bs = append(bs, []byte(s))
	}
	return bs
}

func toStrings(bs [][]byte) []string {
	var ss []string
	for _, b := range bs {
		ss = append(ss, string(b))
	}
	return ss
}

func timeText(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func parseTime(what, s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, corrupt(what, "time %q", s)
	}
	return t.UTC(), nil
}

func hashFromHex(what, s string) (Hash, error) {
	var h Hash
	if len(s) != 2*len(h) || !isLowerHex(s) {
		return h, corrupt(what, "SHA-256 %q", s)
	}
	_, err := hex.Decode(h[:], []byte(s))
	return h, err
}

func clampInt64(v uint64) int64 { return int64(min(v, math.MaxInt64)) }
