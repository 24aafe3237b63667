package format

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

var testTime = time.Date(2026, 11, 23, 9, 15, 0, 123456789, time.UTC)

func TestHeadsRoundTripInTheFixedLayout(t *testing.T) {
	a := ArchiveHead{ID: "00112233445566778899aabbccddeeff", Created: testTime, Settings: DefaultSettings()}
	if got, err := DecodeArchiveHead(EncodeArchiveHead(a)); err != nil || got != a {
		t.Fatalf("%+v %v", got, err)
	}
	h := Head{
		Archive: a.ID, Band: testBand, Started: testTime, Host: "höst", Program: "dura test", Sources: []string{"/home/\xff\n\"\\", "/etc"},
		Parent: testBand, Settings: DefaultSettings(), Exclusions: []string{"*.o"},
	}
	text := EncodeHead(h)
	if got, err := DecodeHead(testBand, text); err != nil || !reflect.DeepEqual(got, h) {
		t.Fatalf("%+v %v", got, err)
	}
	const want = `format: 1
archive: "00112233445566778899aabbccddeeff"
band: "2026-11-23-091500-4f2a9c"
started: "2026-11-23T09:15:00.123456789Z"
host: "h\303\266st"
program: "dura test"
sources: "/home/\377\012\"\\"
sources: "/etc"
parent: "2026-11-23-091500-4f2a9c"
settings {
  compression: "default"
`
	if !strings.HasPrefix(string(text), want) {
		t.Fatalf("%s", text)
	}
}

func TestTailsRoundTrip(t *testing.T) {
	tail := Tail{
		Band: testBand, Ended: testTime, HeadSHA256: Hash{1}, Totals: Totals{1, 2, 3, 4, 5},
		Fences: []FenceRef{
			{testBand, 0, 10, Hash{2}, 5, ""}, {"2025-11-23-091500-4f2a9c", 7, 11, Hash{3}, 6, "a/\xff"},
		},
		AlarmCounts: []AlarmCount{{"source", "denied", 3}}, AlarmsSHA256: Hash{4}, AlarmsStoredBytes: 99,
	}
	if got, err := DecodeTail(testBand, EncodeTail(tail)); err != nil || !reflect.DeepEqual(got, tail) {
		t.Fatalf("%+v %v", got, err)
	}
	if _, err := DecodeTail("2025-11-23-091500-4f2a9c", EncodeTail(tail)); err == nil {
		t.Fatal("the tail of another band passes")
	}
}

func TestUnknownFieldsArePassedOver(t *testing.T) {
	text := string(EncodeArchiveHead(ArchiveHead{ID: strings.Repeat("0", 32), Created: testTime})) + "from_the_future { x: 1 }\n999: 3\n"
	if _, err := DecodeArchiveHead([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsTooNewIsNamed(t *testing.T) {
	good := string(EncodeArchiveHead(ArchiveHead{ID: strings.Repeat("0", 32), Created: testTime}))
	var u *UnsupportedError
	_, err := DecodeArchiveHead([]byte(strings.Replace(good, "format: 1", "format: 2", 1)))
	if !errors.As(err, &u) || u.Version != 2 {
		t.Fatal(err)
	}
	_, err = DecodeArchiveHead([]byte(good + "required_features: \"teleport\"\n"))
	if !errors.As(err, &u) || u.Feature != "teleport" || !strings.Contains(err.Error(), "teleport") {
		t.Fatal(err)
	}
	_, err = DecodeHead(testBand, []byte(string(EncodeHead(Head{Band: testBand, Started: testTime}))+"required_features: \"x\"\n"))
	if !errors.As(err, &u) || u.What != "band" {
		t.Fatal(err)
	}
}

func TestDamagedTextIsRefused(t *testing.T) {
	good := EncodeTail(Tail{Band: testBand, Ended: testTime, Fences: []FenceRef{{testBand, 0, 10, Hash{2}, 5, ""}, {testBand, 1, 10, Hash{2}, 5, "a"}}})
	for what, text := range map[string]string{
		"empty": "", "binary": "\x00\x01\x02", "no format": strings.Replace(string(good), "format: 1", "", 1),
		"half":         string(good[:len(good)-20]),
		"bad hash":     strings.Replace(string(good), "sha256: \"02", "sha256: \"0x", 1),
		"bad time":     strings.Replace(string(good), "2026-11-23T", "2026-11-23 ", 1),
		"out of order": strings.Replace(string(good), "first_path: \"a\"", "", 1),
	} {
		if _, err := DecodeTail(testBand, []byte(text)); err == nil {
			t.Errorf("%s: passes", what)
		}
	}
	if _, err := DecodeTail(testBand, make([]byte, MaxTextBytes+1)); err == nil {
		t.Error("a tail of any size passes")
	}
}

func FuzzDecodeText(f *testing.F) {
	f.Add(EncodeArchiveHead(ArchiveHead{ID: strings.Repeat("0", 32), Created: testTime, Settings: DefaultSettings()}))
	f.Add(EncodeHead(Head{Band: testBand, Started: testTime, Sources: []string{"a"}}))
	f.Add(EncodeTail(Tail{Band: testBand, Ended: testTime, Fences: []FenceRef{{testBand, 0, 10, Hash{2}, 5, ""}}}))
	f.Fuzz(func(t *testing.T, text []byte) {
		if h, err := DecodeArchiveHead(text); err == nil {
			if got, err := DecodeArchiveHead(EncodeArchiveHead(h)); err != nil || got != h {
				t.Fatal(got, h, err)
			}
		}
		if h, err := DecodeHead(testBand, text); err == nil {
			if got, err := DecodeHead(testBand, EncodeHead(h)); err != nil || !reflect.DeepEqual(got, h) {
				t.Fatal(got, h, err)
			}
		}
		if tail, err := DecodeTail(testBand, text); err == nil {
			if _, err := DecodeTail(testBand, EncodeTail(tail)); err != nil {
				t.Fatal(err)
			}
		}
	})
}
