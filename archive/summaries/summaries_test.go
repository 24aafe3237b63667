package summaries_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dura/archive/format"
	"dura/archive/summaries"
)

const archiveID = "0123456789abcdef0123456789abcdef"

func drawSummary(t *rapid.T) summaries.Summary {
	number := rapid.Int64Range(0, math.MaxInt64)
	at := time.Unix(rapid.Int64Range(0, 1<<32).Draw(t, "at"), 0)
	s := summaries.Summary{Band: format.NewBandID(at, [3]byte{rapid.Byte().Draw(t, "random")})}
	s.TailSHA256 = format.SumBytes([]byte(s.Band))
	for _, n := range []*int64{&s.Totals.Entries, &s.Totals.Files, &s.Totals.ContentBytes, &s.Totals.Blocks, &s.Totals.StoredBytes} {
		*n = number.Draw(t, "number")
	}
	return s
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := summaries.List{Archive: archiveID, Since: time.Unix(rapid.Int64Range(0, 1<<32).Draw(t, "since"), 5).UTC()}
		want := map[format.BandID]summaries.Summary{}
		for range rapid.IntRange(0, 20).Draw(t, "bands") {
			s := drawSummary(t)
			l, want[s.Band] = l.With(s), s
		}
		text := summaries.Encode(l)
		got, err := summaries.Decode(text)
		if err != nil || !reflect.DeepEqual(got, l) || len(got.Bands) != len(want) {
			t.Fatalf("%v: %+v, not %+v", err, got, l)
		}
		for _, s := range got.Bands {
			if s != want[s.Band] {
				t.Fatalf("%+v, not %+v", s, want[s.Band])
			}
		}
		at := rapid.IntRange(0, len(text)-1).Draw(t, "at")
		damaged := bytes.Clone(text)
		damaged[at] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		for _, d := range [][]byte{damaged, text[:at], append(bytes.Clone(text), text[at:]...)} {
			var corrupt *format.CorruptError
			if _, err := summaries.Decode(d); !errors.As(err, &corrupt) {
				t.Fatalf("%q is read: %v", d, err)
			}
		}
	})
}

func TestAFullListKeepsTheLatestAndSaysSinceWhen(t *testing.T) {
	begun := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	l := summaries.List{Archive: archiveID, Since: begun}
	big := format.Totals{Entries: math.MaxInt64, Files: math.MaxInt64, ContentBytes: math.MaxInt64, Blocks: math.MaxInt64, StoredBytes: math.MaxInt64}
	for i := range summaries.MaxBands {
		l.Bands = append(l.Bands, summaries.Summary{Band: format.NewBandID(begun.Add(time.Duration(i)*time.Hour), [3]byte{}), Totals: big})
	}
	text := summaries.Encode(l)
	if len(text) > summaries.MaxBytes {
		t.Errorf("a full list has %d bytes", len(text))
	}
	if again, err := summaries.Decode(text); err != nil || !again.Since.Equal(begun) {
		t.Error(err)
	}
	next := l.With(summaries.Summary{Band: format.NewBandID(begun.Add(summaries.MaxBands*time.Hour), [3]byte{})})
	if len(next.Bands) != summaries.MaxBands || next.Bands[0].Band != l.Bands[1].Band || !next.Since.Equal(begun.Add(time.Hour)) {
		t.Errorf("%d from %s on, since %v", len(next.Bands), next.Bands[0].Band, next.Since)
	}
	if len(l.Bands) != summaries.MaxBands || !l.Since.Equal(begun) {
		t.Error("the list that it was made from has changed")
	}
	next.Bands = append(next.Bands, summaries.Summary{Band: "2099-01-01-000000-000000"})
	if _, err := summaries.Decode(summaries.Encode(next)); err == nil {
		t.Error("one too many is read")
	}
}

// FuzzDecode: whatever is read is what would be written.
func FuzzDecode(f *testing.F) {
	seal := func(body string) []byte {
		return fmt.Appendf(nil, "%ssha256 %s\n", body, format.SumBytes([]byte(body)))
	}
	line := "2026-11-23-101500-4f2a9c " + format.SumBytes().String() + " 1 2 3 4 5\n"
	head := "dura summaries 1\narchive " + archiveID + "\nsince 2026-11-23T10:15:00Z\n"
	for _, body := range []string{"", head, head + line, head + line + line, "dura summaries 2\n" + head, head + "x\n", head + line[:30]} {
		f.Add([]byte(body), true)
		f.Add(seal(body), false)
	}
	f.Fuzz(func(t *testing.T, text []byte, sealed bool) {
		if sealed { // past the hash
			text = seal(string(text))
		}
		l, err := summaries.Decode(text)
		if err != nil {
			return
		}
		if again := summaries.Encode(l); !bytes.Equal(again, text) {
			t.Errorf("%q is read, and written as %q", text, again)
		}
	})
}
