package fs

import (
	"context"

	"dura/archive"
	"dura/archive/format"
)

// markEvery is how many files of a walk are handed to the kernel for each one that is not: by the requests for these the walk
// is seen to go on.
const markEvery = 16

// readAhead notes a read and begins to fetch what will follow it.
func (b bandFile) readAhead(content *archive.Content, off, end int64) {
	a := &b.f.ahead
	if len(b.entry.SpanLists) > 0 || len(b.entry.Spans) > 1 {
		if s := a.fileRead(b.id, off, end); s.from < s.to {
			content.Prefetch(s.from, s.to-s.from)
		}
		return
	}
	_, ordinal, _ := b.id.band()
	walk, from, batches := a.walkRead(b.slot.number, ordinal)
	for range batches {
		files, to := b.batch(from)
		if to == from {
			return
		}
		a.walkFetched(walk, from, to)
		from = to
		b.f.fetchBatch(b.slot, files)
	}
}

// batch is the files of a batch, as far as their entries are in memory, and the entry behind the last of them.
func (b bandFile) batch(from int64) (files []archive.Located, to int64) {
	ctx := atOnce()
	bytes := b.f.ahead.batchBytes()
	for to = from; to < min(from+batchEntries, b.band.Entries()) && bytes > 0; to++ {
		l, err := b.band.At(ctx, to)
		if err != nil {
			break // its hunk is on its way
		}
		if l.Kind == format.File && len(l.Spans) > 0 {
			files = append(files, l)
			bytes -= int64(l.Spans[0].Bytes)
		}
	}
	return files, to
}

// fetchBatch begins to fetch small files and the beginnings of large ones. As they come in the kernel is given the small ones: for
// each that it need not ask for, two processes need not wake each other.
func (f *FileSystem) fetchBatch(s *slot, files []archive.Located) {
	entries := make([]*format.Entry, len(files))
	for i := range files {
		entries[i] = beginning(files[i].Entry)
	}
	f.archive.Prefetch(entries...)
	go f.push(s, files)
}

// beginning is an entry with its first span alone.
func beginning(e *format.Entry) *format.Entry {
	if len(e.Spans) == 1 {
		return e
	}
	first := *e
	first.Spans = e.Spans[:1]
	return &first
}

// push hands small files to the kernel, most of them, unless it doesn't know them.
func (f *FileSystem) push(s *slot, files []archive.Located) {
	if f.kernel.server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(f.ctx, f.options.Timeout)
	defer cancel()
	for i, l := range files {
		if i%markEvery == markEvery-1 || len(l.Spans) != 1 || int64(l.Spans[0].Bytes) != l.Size || l.LinkTo != format.Root {
			continue
		}
		data, err := f.archive.Content(l.Entry).At(ctx, 0)
		if err != nil {
			return // whoever reads it will be told
		}
		status := f.kernel.server.InodeNotifyStoreCache(uint64(entryNode(s.number, l.Ordinal)), 0, data.Data)
		data.Release()
		if !status.Ok() {
			return
		}
	}
}
