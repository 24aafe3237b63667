package format

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The objects every archive has.
const (
	ArchiveName  = "DURA-ARCHIVE"
	ReadmeName   = "README.txt"
	SchemaName   = "dura.proto"
	RecoverName  = "recover.py"
	BandsPrefix  = "bands/"
	perFolder    = 1000
	bandIDLayout = "2006-01-02-150405"
)

// BandID names a band: the start of the backup in UTC to the second, and 24 random bits, as 2026-11-23-101500-4f2a9c.
// Ids sort by time.
type BandID string

// NewBandID makes the id of a band begun at t.
func NewBandID(t time.Time, random [3]byte) BandID {
	return BandID(t.UTC().Format(bandIDLayout) + "-" + hex.EncodeToString(random[:]))
}

// ParseBandID checks that s is a band id.
func ParseBandID(s string) (BandID, error) {
	const n = len(bandIDLayout)
	if len(s) == n+7 && s[n] == '-' && isLowerHex(s[n+1:]) && isMoment(s[:n]) {
		return BandID(s), nil
	}
	return "", fmt.Errorf("%q is not a band id", s)
}

// isMoment reports whether s, of the length of bandIDLayout, is a time in that form. It takes a fifth of the time that time.Parse does, which
// counts where thousands of names are listed.
func isMoment(s string) bool {
	number := func(from, to int) (n int) {
		for _, c := range []byte(s[from:to]) {
			if c < '0' || c > '9' {
				return -1
			}
			n = 10*n + int(c-'0')
		}
		return n
	}
	year, month, day := number(0, 4), number(5, 7), number(8, 10)
	hour, minute, second := number(11, 13), number(13, 15), number(15, 17)
	if s[4] != '-' || s[7] != '-' || s[10] != '-' || min(year, month, day, hour, minute, second) < 0 {
		return false
	}
	// A day that its month lacks becomes one of the next.
	return hour < 24 && minute < 60 && second < 60 && month > 0 && month <= 12 && day > 0 &&
		time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Day() == day
}

// Time is the start of the band, to the second.
func (b BandID) Time() time.Time {
	t, err := time.Parse(bandIDLayout, string(b[:min(len(b), len(bandIDLayout))]))
	if err != nil {
		return time.Time{}
	}
	return t
}

func isLowerHex(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f') {
			return false
		}
	}
	return true
}

// HeadName and the following name the objects of band b.
func HeadName(b BandID) string { return BandsPrefix + string(b) + ".head" }
func TailName(b BandID) string { return BandsPrefix + string(b) + ".tail" }

// RebuiltTailName is the name of the tail of an index that was rebuilt for the round-th time, counted from 0.
func RebuiltTailName(b BandID, round uint64) string { return fmt.Sprintf("%s-%d", TailName(b), round) }

func SumsName(b BandID) string    { return BandsPrefix + string(b) + ".sha256" }
func DeletedName(b BandID) string { return BandsPrefix + string(b) + ".deleted" }
func AlarmsName(b BandID) string  { return BandsPrefix + string(b) + "/alarms.zst" }

func BlockName(b BandID, n uint64) string { return foldered(b, "data", n, ".tar.zst") }
func HunkName(b BandID, n uint64) string  { return foldered(b, "index", n, ".hunk.zst") }
func SpansName(b BandID, n uint64) string { return foldered(b, "index", n, ".spans.zst") }
func FenceName(b BandID, n uint64) string {
	return fmt.Sprintf("%s%s/index/%06d.fence.zst", BandsPrefix, b, n)
}

func foldered(b BandID, folder string, n uint64, suffix string) string {
	return fmt.Sprintf("%s%s/%s/%03d/%06d%s", BandsPrefix, b, folder, n/perFolder, n, suffix)
}

// ParityName is the name of the parity object at place i of group n.
func ParityName(b BandID, n uint64, i int) string {
	return fmt.Sprintf("%s%s/parity/%03d/%06d-%d.rs", BandsPrefix, b, n/perFolder, n, i)
}

// LostName is the name of the mark that says that a block is not what it was and can't be had: an empty object.
func LostName(b BandID, n uint64) string {
	return fmt.Sprintf("%s%s/data/lost/%06d", BandsPrefix, b, n)
}

// ParseLostName is the number of the block of a band that a mark is of.
func ParseLostName(b BandID, name string) (uint64, bool) {
	digits, is := strings.CutPrefix(name, BandsPrefix+string(b)+"/data/lost/")
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, is && err == nil && LostName(b, n) == name
}

// RepairedArchivePrefix begins the names of repaired copies of DURA-ARCHIVE.
const RepairedArchivePrefix = "repaired/"

// RepairedArchiveName is that of the repair of this round.
func RepairedArchiveName(round int) string {
	return fmt.Sprintf("%s%d/dura-archive", RepairedArchivePrefix, round)
}

// RepairedName is the name of what an object of a band should be, as the repair of that round has written it.
func RepairedName(object string, round int) string {
	band := len(BandsPrefix) + len(bandIDLayout) + 7
	return fmt.Sprintf("%s/repaired/%d/%s", object[:band], round, object[band+1:])
}

// ParseRepairedName says of which object the one with this name is the repaired copy.
func ParseRepairedName(name string) (object string, round int, ok bool) {
	band, kind, _, err := ParseObjectName(name)
	rest, is := strings.CutPrefix(name, BandsPrefix+string(band)+"/repaired/")
	digits, suffix, _ := strings.Cut(rest, "/")
	n, errRound := strconv.ParseUint(digits, 10, 31)
	if err != nil || kind != OtherObject || !is || errRound != nil {
		return "", 0, false
	}
	for _, separator := range []string{".", "/"} {
		object = BandsPrefix + string(band) + separator + suffix
		if _, kind, _, _ := ParseObjectName(object); kind != OtherObject && RepairedName(object, int(n)) == name {
			return object, int(n), true
		}
	}
	return "", 0, false
}

// ObjectKind tells the objects of a band apart.
type ObjectKind int

const (
	OtherObject ObjectKind = iota
	HeadObject
	TailObject
	SumsObject
	DeletedObject
	AlarmsObject
	BlockObject
	HunkObject
	SpansObject
	FenceObject
	ParityObject      // its number is that of its group
	RebuiltTailObject // its number is the round
)

var errNotOfABand = errors.New("not an object of a band")

// ParseObjectName says what an object below bands/ is: its band, its kind, and its number where it has one. A name that
// is of a band but of no kind known here is an OtherObject.
func ParseObjectName(name string) (BandID, ObjectKind, uint64, error) {
	rest, ok := strings.CutPrefix(name, BandsPrefix)
	if !ok || len(rest) < len(bandIDLayout)+7 {
		return "", OtherObject, 0, errNotOfABand
	}
	band, err := ParseBandID(rest[:len(bandIDLayout)+7])
	if err != nil {
		return "", OtherObject, 0, errNotOfABand
	}
	switch end := rest[len(band):]; end {
	case ".head":
		return band, HeadObject, 0, nil
	case ".tail":
		return band, TailObject, 0, nil
	case ".sha256":
		return band, SumsObject, 0, nil
	case ".deleted":
		return band, DeletedObject, 0, nil
	case "/alarms.zst":
		return band, AlarmsObject, 0, nil
	default:
		if digits, is := strings.CutPrefix(end, ".tail-"); is {
			if n, err := strconv.ParseUint(digits, 10, 31); err == nil && RebuiltTailName(band, n) == name {
				return band, RebuiltTailObject, n, nil
			}
		}
	}
	kind, n := numbered(band, name)
	return band, kind, n, nil
}

// numbered parses the names that carry a number, by making the name anew and comparing.
func numbered(band BandID, name string) (ObjectKind, uint64) {
	base := name[strings.LastIndexByte(name, '/')+1:]
	digits, suffix, _ := strings.Cut(base, ".")
	if suffix == "rs" {
		return parityNumber(band, name, digits)
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return OtherObject, 0
	}
	var kind ObjectKind
	var made string
	switch suffix {
	case "tar.zst":
		kind, made = BlockObject, BlockName(band, n)
	case "hunk.zst":
		kind, made = HunkObject, HunkName(band, n)
	case "spans.zst":
		kind, made = SpansObject, SpansName(band, n)
	case "fence.zst":
		kind, made = FenceObject, FenceName(band, n)
	}
	if made != name {
		return OtherObject, 0
	}
	return kind, n
}

// parityNumber parses the name of a parity object.
func parityNumber(band BandID, name, digits string) (ObjectKind, uint64) {
	group, place, _ := strings.Cut(digits, "-")
	n, err := strconv.ParseUint(group, 10, 64)
	i, errPlace := strconv.ParseUint(place, 10, 8)
	if err != nil || errPlace != nil || ParityName(band, n, int(i)) != name {
		return OtherObject, 0
	}
	return ParityObject, n
}
