package main

import (
	"errors"
	"strings"
	"time"

	"dura/archive/event"
	"dura/archive/format"
	"dura/writer/source"
)

// printDocument writes the JSON document of a command that may have failed after it had done something, and hands err on.
func (a *app) printDocument(err error, document any) error {
	a.told = true
	return errors.Join(err, a.printJSON(document))
}

// totalsText is what was done: 70,458 entries: 60,512 files, 860.1 MiB.
func totalsText(t event.Totals) string {
	return sprintf(msgTotals, countOf(t.Entries, "entry", "entries"), countOf(t.Files, "file", "files"), bytesText(t.ContentBytes))
}

// tookText is a time and the rate that it makes: 2.9 s, 296.5 MiB/s.
func tookText(bytes int64, elapsed time.Duration) string {
	return sprintf(msgTook, durationText(elapsed), rateText(bytes, elapsed))
}

// alarmsText is the alarms row of a summary.
func (a *app) alarmsText() string {
	if a.alarms.Raised() == 0 {
		return msgNone
	}
	return a.alarmSummary()
}

// storedText is what was written: 262.3 MiB in 17 objects, 30.5 % of what was read. Where the index outweighs what was read, the
// share means nothing.
func storedText(t event.Totals) string {
	stored := sprintf(msgStored, bytesText(t.StoredBytes), countOf(t.Objects, "object", "objects"))
	if t.StoredBytes > t.ContentBytes {
		return stored
	}
	return stored + sprintf(msgStoredShare, shareText(t.StoredBytes, t.ContentBytes))
}

// leftOut adds what was left out of the source, where that is anything.
func leftOut(t *table, walked source.Totals) {
	var parts []string
	add := func(n int64, one, many string) {
		if n > 0 {
			parts = append(parts, countOf(n, one, many))
		}
	}
	add(walked.Excluded, "entry by patterns", "entries by patterns")
	add(walked.CacheDirectories, "cache directory", "cache directories")
	add(walked.OtherFileSystems, "other file system", "other file systems")
	add(walked.SkippedContents, "archive", "archives")
	if len(parts) > 0 {
		t.add(msgRowLeftOut, strings.Join(parts, ", "))
	}
}

// tellSkipped tells of something that is left out.
func (a *app) tellSkipped(path format.Path, why source.Why) {
	reason := why.Reason.String()
	if why.Reason == source.Excluded {
		reason = sprintf(msgPattern, shown(why.Pattern))
	}
	a.tell(sprintf(msgSkipped, shown(rooted(string(path))), reason))
}
