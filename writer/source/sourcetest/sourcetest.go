// Package sourcetest has what tests of sources and of their users need: a synthetic Source whose entries and contents a test
// gives exactly, a check that every Source must pass, and a watch over what its user does with handles. It stands on
// writer/source.
package sourcetest

import (
	"context"
	"iter"
	"slices"

	"dura/archive/format"
	"dura/writer/source"
)

// Source is a synthetic source. It touches no file, and two walks of it are alike.
type Source struct {
	items func(source.Start) iter.Seq[Item] // those that belong to such a walk, and perhaps some ahead of them
}

// Item is one entry of a Source.
type Item struct {
	// Entry is what the walk yields, XAttrs aside, which the handle gives. Size of a File is set from Data if it is 0.
	Entry  format.Entry
	Blocks int64 // 0: as many as the runs of Data need
	Data   *Data // of a File; nil: empty

	Err     error                       // the walk ends with it instead of yielding the entry
	OpenErr error                       // of Handle.Open
	Stat    func(call int) format.Entry // what Content.Stat tells, calls counted from 0; nil: the entry
}

// New makes a Source of items in any order. A root is added where there is none.
func New(items ...Item) *Source {
	items = slices.Clone(items)
	slices.SortStableFunc(items, func(a, b Item) int { return format.Compare(a.Entry.Path, b.Entry.Path) })
	if len(items) == 0 || items[0].Entry.Path != format.Root {
		items = slices.Insert(items, 0, Dir(format.Root))
	}
	return Generated(slices.Values(items))
}

// Generated makes a Source of items as they come: in path order, the root first. None is kept, so there may be any number.
func Generated(items iter.Seq[Item]) *Source {
	return &Source{items: func(source.Start) iter.Seq[Item] { return items }}
}

// Items are the source's, in path order.
func (s *Source) Items() iter.Seq[Item] { return s.items(source.Start{}) }

// Walk is source.Source.Walk.
func (s *Source) Walk(ctx context.Context, start source.Start) iter.Seq2[source.Node, error] {
	return func(yield func(source.Node, error) bool) {
		for it := range s.items(start) {
			if !start.Yields(it.Entry.Path) {
				continue
			}
			err := it.Err
			if ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			if err != nil {
				yield(source.Node{}, err)
				return
			}
			if !yield(it.node(), nil) {
				return
			}
		}
	}
}

var noData Data

func (it Item) node() source.Node {
	if it.Data == nil {
		it.Data = &noData
	}
	if it.Entry.Kind == format.File {
		if it.Entry.Size == 0 {
			it.Entry.Size = it.Data.Size
		}
		if it.Blocks == 0 {
			it.Blocks = it.Data.blocks()
		}
	}
	h := &handle{item: it}
	n := source.Node{Entry: it.Entry, Blocks: it.Blocks, Handle: h}
	n.Entry.XAttrs = nil
	return n
}

// mtime is that of the entries below: 2026-11-24 03:00:00 and a little.
var mtime = format.Time{Seconds: 1795489200, Nanos: 123456789}

func entry(p format.Path, kind format.Kind, mode uint32) format.Entry {
	return format.Entry{
		Path: p, Kind: kind, Mode: mode, Owner: format.Owner{UID: 1000, GID: 100, User: "user", Group: "users"},
		MTime: mtime, CTime: mtime, Device: 1, Inode: 1,
	}
}

// Dir is a directory with ordinary metadata.
func Dir(p format.Path) Item { return Item{Entry: entry(p, format.Directory, 0o755)} }

// File is a file with ordinary metadata.
func File(p format.Path, content string) Item {
	return Item{Entry: entry(p, format.File, 0o644), Data: Bytes([]byte(content))}
}

// Symlink is a symbolic link with ordinary metadata.
func Symlink(p format.Path, target string) Item {
	it := Item{Entry: entry(p, format.Symlink, 0o777)}
	it.Entry.Target = target
	return it
}
