package writer

import (
	"sync"

	"dura/archive/event"
	"dura/archive/format"
)

// counter counts what has been sequenced.
type counter struct {
	mu   sync.Mutex
	done event.Totals
	at   format.Path
}

func (c *counter) entry(it *item) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := &it.entry
	c.at = e.Path
	c.done.Entries++
	switch {
	case it.kept:
		c.done.Unchanged++
	case it.old != nil:
		c.done.Changed++
	default:
		c.done.New++
	}
	if e.Kind != format.File {
		return
	}
	c.done.Files++
	if e.LinkTo == format.Root {
		c.done.ContentBytes += it.contentBytes()
	}
}

// contentBytes is what it has of content, holes not counted.
func (it *item) contentBytes() (bytes int64) {
	for i := range it.entry.Spans {
		bytes += int64(it.entry.Spans[i].Bytes)
	}
	for _, l := range it.lists {
		bytes += l.bytes
	}
	if len(it.lists) == 0 {
		for i := range it.entry.SpanLists {
			bytes += it.entry.SpanLists[i].DataBytes
		}
	}
	return bytes
}

func (c *counter) totals() event.Totals {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.done
}

func (c *counter) path() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.at)
}
