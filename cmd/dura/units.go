package main

import (
	"fmt"
	"strconv"
	"time"
)

// bytesText is a number of bytes for people: 860.1 MiB.
func bytesText(n int64) string {
	if n < 1024 && n > -1024 {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n)/1024, 0
	const units = "KMGTPE"
	for (value >= 1023.95 || value <= -1023.95) && unit < len(units)-1 {
		value /= 1024
		unit++
	}
	return fmt.Sprintf("%.1f %ciB", value, units[unit])
}

// countText is a number with its thousands parted: 70,458.
func countText(n int64) string {
	digits := strconv.FormatInt(n, 10)
	start := len(digits) % 3
	if n < 0 {
		start = 1 + (len(digits)-1)%3
	}
	text := digits[:start]
	for ; start < len(digits); start += 3 {
		if text != "" && text != "-" {
			text += ","
		}
		text += digits[start : start+3]
	}
	return text
}

// countOf is a number and the word for what it counts: 1 file, 2 files.
func countOf(n int64, one, many string) string {
	if n == 1 {
		return countText(n) + " " + one
	}
	return countText(n) + " " + many
}

// durationText is how long something took, to about three digits.
func durationText(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}

// clockText is a time left: 0:42, 12:05, 1:02:05.
func clockText(d time.Duration) string {
	seconds := int(d.Seconds())
	if seconds < 3600 {
		return fmt.Sprintf("%d:%02d", seconds/60, seconds%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
}

// rateText is a number of bytes over a time.
func rateText(bytes int64, d time.Duration) string {
	return bytesText(rate(bytes, d)) + "/s"
}

// rate is in bytes a second.
func rate(bytes int64, d time.Duration) int64 {
	return int64(float64(bytes) / max(d.Seconds(), 1e-3))
}

// shareText is part as a share of whole.
func shareText(part, whole int64) string {
	if whole <= 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(part)/float64(whole))
}

// timeText is a time for people, in their time zone.
func timeText(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }
