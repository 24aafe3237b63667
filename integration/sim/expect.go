package sim

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"dura/archive"
	"dura/archive/format"
)

// read reads all entries of a band with their contents, by path. It checks each content against its hash.
func read(ctx context.Context, a *archive.Archive, b *archive.Band) (map[format.Path]*node, error) {
	found := map[format.Path]*node{}
	last := format.Root
	for e, err := range b.Subtree(ctx, format.Root) {
		if err != nil {
			return nil, err
		}
		if len(found) > 0 && format.Compare(last, e.Path) >= 0 {
			return nil, fmt.Errorf("band %s: %q comes behind %q", b.ID(), e.Path, last)
		}
		n := &node{entry: *e.Entry}
		if e.Kind == format.File {
			if n.content, err = readContent(ctx, a, e.Entry); err != nil {
				return nil, err
			}
		}
		last, found[e.Path] = e.Path, n
	}
	return found, nil
}

func readContent(ctx context.Context, a *archive.Archive, e *format.Entry) (*content, error) {
	c := &content{}
	for s, err := range a.Content(e).Segments(ctx) {
		if err != nil {
			return nil, err
		}
		c.add(s.Start, s.Data)
	}
	c.size = e.Size
	if whole, data := c.sums(!e.DataSHA.IsZero()); whole != e.SHA256 || data != e.DataSHA {
		return nil, fmt.Errorf("%q does not have the hash of its entry\n%+v", e.Path, *e)
	}
	return c, nil
}

// compare compares what a reader has found in a band with what its source had while the band was made.
func (w *world) compare(b *archive.Band, found map[format.Path]*node) error {
	l := w.bands[b.ID()]
	if l == nil {
		return fmt.Errorf("band %s came from nowhere", b.ID())
	}
	end := l.ended
	if end == 0 {
		end = math.MaxInt64
	}
	if err := compare(b, l.tree.during(l.began, end), found, newProfile(w.seed).changes == 0); err != nil {
		return fmt.Errorf("band %s: %w", b.ID(), err)
	}
	return nil
}

// compare compares what was found in a band with the snapshots it was made of. Holes must be where they were, if no file changed
// between the walk, which tells that a file has some, and the reading.
func compare(b *archive.Band, snapshots []*snapshot, found map[format.Path]*node, holes bool) error {
	x := expectation{complete: b.Complete(), holes: holes, snapshots: snapshots, found: found, firsts: firstLinks(found)}
	for _, p := range slices.SortedFunc(maps.Keys(found), format.Compare) {
		if err := x.entry(p, found[p]); err != nil {
			return fmt.Errorf("%q: %w", p, err)
		}
	}
	if !b.Complete() {
		return nil
	}
	if tail := b.Tail(); tail.Totals.Entries != int64(len(found)) {
		return fmt.Errorf("it has %d entries, and its tail says %d", len(found), tail.Totals.Entries)
	}
	if p, ok := x.missing(); ok {
		return fmt.Errorf("%q is missing", p)
	}
	return nil
}

// expectation is what a band may hold: what was there at some time while it was made.
type expectation struct {
	complete  bool
	holes     bool // must be exact
	snapshots []*snapshot
	found     map[format.Path]*node
	firsts    map[inode]format.Path // of those with several links
}

func firstLinks(found map[format.Path]*node) map[inode]format.Path {
	firsts := map[inode]format.Path{}
	for p, n := range found {
		if first, ok := firsts[n.inode()]; n.entry.Links > 1 && (!ok || format.Compare(p, first) < 0) {
			firsts[n.inode()] = p
		}
	}
	return firsts
}

// versions are the different ones of a path, nil among them if it was not always there.
func (x *expectation) versions(p format.Path) (list []*node) {
	for _, s := range x.snapshots {
		if n := s.nodes[p]; len(list) == 0 || n != list[len(list)-1] {
			list = append(list, n)
		}
	}
	return list
}

// missing finds a path that is not in the band though nothing has ever happened to it.
func (x *expectation) missing() (format.Path, bool) {
	var list []format.Path
	for p := range x.snapshots[0].nodes {
		if x.found[p] == nil && len(x.versions(p)) == 1 {
			list = append(list, p)
		}
	}
	if len(list) == 0 {
		return "", false
	}
	return slices.MinFunc(list, format.Compare), true
}

// entry checks what was found at p: it must be one version of it. Where there are several it may be put together of them,
// and an unstable content may be anything.
func (x *expectation) entry(p format.Path, found *node) error {
	versions := x.versions(p)
	if err := x.linked(found, len(versions) == 1); err != nil {
		return err
	}
	var last error
	for _, n := range versions {
		if last = x.differ(n, found); last == nil {
			return nil
		}
	}
	if len(versions) == 1 {
		return last
	}
	return x.pieced(versions, found)
}

// linked checks what an entry says of the first of its links.
func (x *expectation) linked(n *node, unchanged bool) error {
	e := &n.entry
	if e.LinkTo == format.Root {
		if first := x.firsts[n.inode()]; unchanged && e.Links > 1 && first != e.Path && len(x.versions(first)) == 1 {
			return fmt.Errorf("it does not link to %q, which comes first", first)
		}
		return nil
	}
	first := x.found[e.LinkTo]
	if first == nil && !x.complete {
		return nil // its hunk is not there yet
	}
	if first == nil || first.inode() != n.inode() || first.entry.LinkTo != format.Root || format.Compare(e.LinkTo, e.Path) >= 0 {
		return fmt.Errorf("it links to %q, which is not the first of its links\n%+v\n%s", e.LinkTo, *e, describe([]*node{first}))
	}
	return nil
}

// differ says in what found differs from n.
func (x *expectation) differ(n, found *node) error {
	if n == nil {
		return fmt.Errorf("it was not there")
	}
	if found.entry.Unstable {
		return fmt.Errorf("it is marked as unstable")
	}
	if diff := difference(&n.entry, &found.entry); diff != "" {
		return fmt.Errorf("%s\n%+v\n%+v", diff, n.entry, found.entry)
	}
	if n.content != nil && !n.content.equal(found.content, x.holes) {
		return fmt.Errorf("its content differs: it has %d bytes, and should have %d", found.content.size, n.content.size)
	}
	return nil
}

// difference names a field that differs, of those that a source has.
func difference(a, b *format.Entry) string {
	switch {
	case a.Kind != b.Kind:
		return "kind"
	case a.Mode != b.Mode:
		return "mode"
	case a.Owner != b.Owner:
		return "owner"
	case a.MTime != b.MTime:
		return "mtime"
	case a.CTime != b.CTime:
		return "ctime"
	case a.Size != b.Size:
		return "size"
	case a.Target != b.Target:
		return "target"
	case a.Device != b.Device || a.Inode != b.Inode || a.Links != b.Links:
		return "inode"
	case a.Rdev != b.Rdev:
		return "device number"
	case !sameXAttrs(a.XAttrs, b.XAttrs):
		return "extended attributes"
	}
	return ""
}

func sameXAttrs(a, b []format.XAttr) bool {
	return slices.EqualFunc(a, b, func(x, y format.XAttr) bool { return x.Name == y.Name && bytes.Equal(x.Value, y.Value) })
}

// pieced checks an entry whose source changed: each part of it must be from some version, of this name or of another of the
// same file.
func (x *expectation) pieced(versions []*node, found *node) error {
	var parts []*node
	for _, s := range x.snapshots {
		for _, n := range s.nodes {
			if n.inode() == found.inode() || n.entry.Path == found.entry.Path {
				parts = append(parts, n)
			}
		}
	}
	has := func(same func(*node) bool) bool {
		for _, n := range parts {
			if same(n) {
				return true
			}
		}
		return false
	}
	e := &found.entry
	switch {
	case !has(func(n *node) bool {
		return n.entry.Kind == e.Kind && n.entry.Target == e.Target && n.entry.Rdev == e.Rdev
	}):
		return fmt.Errorf("its kind is of no version of it")
	case !has(func(n *node) bool { return n.entry.Mode == e.Mode && n.entry.Owner == e.Owner }):
		return fmt.Errorf("its mode and owner are of no version of it")
	case !has(func(n *node) bool { return n.entry.MTime == e.MTime && n.entry.CTime == e.CTime }):
		return fmt.Errorf("its times are of no version of it")
	case len(e.XAttrs) > 0 && !has(func(n *node) bool { return sameXAttrs(n.entry.XAttrs, e.XAttrs) }):
		return fmt.Errorf("its extended attributes are of no version of it")
	case e.Kind == format.File && !e.Unstable && !has(func(n *node) bool {
		return n.content != nil && n.entry.CTime == e.CTime && n.content.equal(found.content, false) // a walk may have seen no holes yet
	}):
		return fmt.Errorf("its content is of no version of it, and it is not marked as unstable\n%+v\n%s", *e, describe(parts))
	}
	return nil
}

// describe lists versions.
func describe(nodes []*node) string {
	var b strings.Builder
	for i, n := range nodes {
		if n != nil && (i == 0 || n != nodes[i-1]) {
			fmt.Fprintf(&b, "%+v\n", n.entry)
		}
	}
	return b.String()
}
