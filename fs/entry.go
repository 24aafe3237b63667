package fs

import (
	"context"
	"time"

	"dura/archive"
	"dura/archive/format"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// bandEntry is an entry of a band.
type bandEntry struct {
	f     *FileSystem
	slot  *slot
	band  *archive.Band
	entry *format.Entry
	id    nodeID
}

// node is the entry as what it is.
func (e bandEntry) node() node {
	switch e.entry.Kind {
	case format.File:
		return bandFile{e}
	case format.Directory:
		return bandDir{e, listing{e.f, e.slot, e.band, e.id, dirPlace{path: e.entry.Path}}}
	case format.Symlink:
		return bandLink{e}
	}
	return e
}

func (e bandEntry) attr(ctx context.Context) (fuse.Attr, time.Duration, error) {
	a := e.f.options.attrOf(e.entry, e.id)
	if _, exact := spanBytes(e.entry); !exact {
		a.Blocks = units(e.dataBytes(ctx))
	}
	return a, forever, nil
}

// dataBytes counts the data of a file with span lists, which takes reading them. What can't be read counts as data: that
// a list is damaged is no reason to refuse a stat.
func (e bandEntry) dataBytes(ctx context.Context) int64 {
	content := e.f.archive.Content(e.entry)
	var data int64
	for off := int64(0); off < e.entry.Size; {
		start, end, err := content.NextData(ctx, off)
		if err != nil {
			e.f.alarms.raise(err, subject{e.slot.id, e.entry.Path})
			return data + e.entry.Size - off
		}
		data += end - start
		off = end
	}
	return data
}

// bandLink is a symbolic link of a band.
type bandLink struct{ bandEntry }

func (l bandLink) target() string { return l.entry.Target }

// bandDir is a directory of a band.
type bandDir struct {
	bandEntry
	listing
}
