package mounting

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestOptionsArePartedAtCommas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		options := rapid.SliceOfN(rapid.StringOfN(rapid.RuneFrom([]rune(`a=,\ ä`)), 0, 8, -1), 1, 5).Draw(t, "options")
		var escaped []string
		for _, option := range options {
			escaped = append(escaped, strings.NewReplacer(`\`, `\\`, ",", `\,`).Replace(option))
		}
		if got := splitOptions(strings.Join(escaped, ",")); !slices.Equal(got, options) {
			t.Fatalf("%q becomes %q", options, got)
		}
	})
}

func TestSizesAndTimesAreReadAsPeopleWriteThem(t *testing.T) {
	for text, want := range map[string]int64{
		"1": 1, "64M": 64 << 20, "64m": 64 << 20, "64MiB": 64 << 20, "3G": 3 << 30, "2tb": 2 << 40, "10k": 10 << 10, "5b": 5,
		"": 0, "0": 0, "-1": 0, "M": 0, "1.5G": 0, "1X": 0, "9999999999T": 0, "1 M": 0, "1MM": 0,
	} {
		if got, err := parseSize(text); got != want || (err != nil) != (want == 0) {
			t.Errorf("the size %q is %d, %v", text, got, err)
		}
	}
	for text, want := range map[string]time.Duration{
		"30": 30 * time.Second, "30s": 30 * time.Second, "2m": 2 * time.Minute, "250ms": 250 * time.Millisecond, "": 0, "0": 0, "-1s": 0, "x": 0,
	} {
		if got, err := parseSeconds(text); got != want || (err != nil) != (want == 0) {
			t.Errorf("the time %q is %v, %v", text, got, err)
		}
	}
}

// What mount(8), fstab and systemd put among the options is no error.
func TestOptionsOfOthersArePassedOver(t *testing.T) {
	s := &settings{}
	if err := s.setOptions("rw,noauto,_netdev,nofail,x-systemd.automount,x-gvfs-show,comment=a,user,nosuid,uid=5,subdir=/a/../b/"); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.flags, []string{"nosuid"}) || s.uid == nil || *s.uid != 5 || s.subtree != "b" {
		t.Errorf("%+v", s)
	}
}
