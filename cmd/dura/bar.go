package main

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"dura/archive/event"
)

// meter smooths the rate at which bytes are done. The zero value is ready.
type meter struct {
	at    time.Time
	bytes int64
	rate  float64 // bytes a second
}

// meterSpan is about how far back a meter looks.
const meterSpan = 5 * time.Second

// update notes that so many bytes were done by now.
func (m *meter) update(now time.Time, bytes int64) {
	if m.at.IsZero() {
		m.at, m.bytes = now, bytes
		return
	}
	passed := now.Sub(m.at).Seconds()
	if passed <= 0 {
		return
	}
	latest := float64(bytes-m.bytes) / passed
	if m.rate == 0 {
		m.rate = latest
	}
	weight := 1 - math.Exp(-passed/meterSpan.Seconds())
	m.rate += weight * (latest - m.rate)
	m.at, m.bytes = now, bytes
}

// glance is what a progress line shows.
type glance struct {
	verb     string
	done     event.Totals
	expected event.Totals // zero: unknown
	rate     float64      // bytes a second
	elapsed  time.Duration
	path     string
}

const (
	barColumns     = 20
	minPathColumns = 12
	// roomyColumns is how wide a terminal must be for a bar beside the figures and the path.
	roomyColumns = 110
)

// line is the progress line for a terminal of so many columns, of one less at the most.
func (g glance) line(columns int) string {
	parts := []string{g.verb}
	if share, ok := g.share(); ok {
		if columns >= roomyColumns {
			full := int(share * barColumns)
			parts = append(parts, "["+strings.Repeat("#", full)+strings.Repeat("-", barColumns-full)+"]")
		}
		parts = append(parts, fmt.Sprintf("%2d%%", int(share*100)))
	}
	done := countOf(g.done.Files, "file", "files")
	if g.done.Files == 0 && g.done.Entries > 0 { // an index is read, no content
		done = countOf(g.done.Entries, "entry", "entries")
	}
	parts = append(parts, done, bytesText(g.done.ContentBytes), bytesText(int64(g.rate))+"/s")
	if left, ok := g.left(); ok {
		parts = append(parts, sprintf(msgLeft, clockText(left)))
	}
	line := strings.Join(parts, "  ")
	if room := columns - 1 - utf8.RuneCountInString(line) - 2; room >= minPathColumns && g.path != "" {
		return line + "  " + shortened(shown(g.path), room)
	}
	return cutTo(line, columns-1)
}

// share is how much is done, from 0 to 1: by bytes, and by entries where there are none.
func (g glance) share() (float64, bool) {
	done, all := g.done.ContentBytes, g.expected.ContentBytes
	if all <= 0 {
		done, all = g.done.Entries, g.expected.Entries
	}
	if all <= 0 {
		return 0, false
	}
	return min(1, float64(done)/float64(all)), true
}

// left is the time that what is left will take at the present rate. It is not told in the first seconds.
func (g glance) left() (time.Duration, bool) {
	left := g.expected.ContentBytes - g.done.ContentBytes
	if left < 0 || g.expected.ContentBytes <= 0 || g.rate < 1 || g.elapsed < 2*time.Second {
		return 0, false
	}
	seconds := float64(left) / g.rate
	if seconds > 1e6 {
		return 0, false
	}
	return time.Duration(seconds * float64(time.Second)), true
}

// shortened is s with its middle cut out where it has more than so many runes; of a path the end says most.
func shortened(s string, columns int) string {
	runes := []rune(s)
	if len(runes) <= columns {
		return s
	}
	front := columns / 3
	return string(runes[:front]) + "…" + string(runes[len(runes)-(columns-front-1):])
}

func cutTo(s string, columns int) string {
	runes := []rune(s)
	if len(runes) <= columns {
		return s
	}
	return strings.TrimRight(string(runes[:max(columns, 0)]), " ")
}
