package main

import (
	"testing"
	"time"
)

func TestBytesArePrintedInBinaryUnits(t *testing.T) {
	for bytes, want := range map[int64]string{
		0: "0 B", 1: "1 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 1048524: "1023.9 KiB", 1048575: "1.0 MiB",
		860 << 20: "860.0 MiB", 1 << 40: "1.0 TiB", 1<<63 - 1: "8.0 EiB",
	} {
		if got := bytesText(bytes); got != want {
			t.Errorf("bytesText(%d) = %q, want %q", bytes, got, want)
		}
	}
}

func TestCountsHaveTheirThousandsParted(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", 70458: "70,458", 123456789: "123,456,789", -1: "-1", -123: "-123", -1234: "-1,234",
	} {
		if got := countText(n); got != want {
			t.Errorf("countText(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestDurationsArePrintedToAboutThreeDigits(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 ms", 12 * time.Millisecond: "12 ms", 2900 * time.Millisecond: "2.9 s", 185 * time.Second: "3 min 5 s",
		2*time.Hour + 61*time.Second: "2 h 1 min",
	} {
		if got := durationText(d); got != want {
			t.Errorf("durationText(%v) = %q, want %q", d, got, want)
		}
	}
	for d, want := range map[time.Duration]string{0: "0:00", 42 * time.Second: "0:42", 725 * time.Second: "12:05", 3725 * time.Second: "1:02:05"} {
		if got := clockText(d); got != want {
			t.Errorf("clockText(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestSharesAreOfSomething(t *testing.T) {
	if got := shareText(305, 1000); got != "30.5 %" {
		t.Errorf("got %q", got)
	}
	if got := shareText(1, 0); got != "-" {
		t.Errorf("got %q", got)
	}
}
