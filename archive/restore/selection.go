package restore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"dura/archive"
	"dura/archive/format"
)

// selection is what is asked for.
type selection struct {
	walks   []format.Path // the subtrees to go through, none inside another, each next to its neighbours
	asked   []format.Path // the subtrees that somebody named: now, or as sources when the band was made; sorted likewise
	partial bool          // some of the band stays where it is
	damage  error         // why the sources aren't known; everything counts as named then
}

var errIncomplete = errors.New("the band is incomplete: what it doesn't have may not have been reached; delete nothing by it")

// newSelection settles what to restore, and fails where it isn't there.
func newSelection(ctx context.Context, b *archive.Band, o Options) (*selection, error) {
	if o.Delete && !b.Complete() {
		return nil, &Error{Op: "delete by band " + string(b.ID()), Err: errIncomplete}
	}
	if len(o.Paths) == 0 {
		return wholeBand(ctx, b, o)
	}
	for _, p := range o.Paths {
		if !format.ValidPath(string(p)) {
			return nil, &archive.Error{Op: "look up", Band: b.ID(), Path: p, Kind: archive.KindNotFound}
		}
		// What is there and can't be read is met again on the walk, and is an alarm then.
		if _, err := b.Lookup(ctx, p); archive.Is(err, archive.KindNotFound) || ctx.Err() != nil {
			return nil, err
		}
	}
	walks := apart(o.Paths)
	return &selection{walks: walks, asked: walks, partial: walks[0] != format.Root}, nil
}

func wholeBand(ctx context.Context, b *archive.Band, o Options) (*selection, error) {
	s := &selection{walks: []format.Path{format.Root}}
	head, err := b.Head(ctx)
	if err != nil && (o.Delete || ctx.Err() != nil) {
		return nil, fmt.Errorf("what the band's sources were can't be read: %w", err)
	}
	for _, source := range head.Sources {
		s.asked = append(s.asked, storedPath(source))
	}
	if s.damage = err; err != nil {
		s.asked = append(s.asked, format.Root)
	}
	s.asked = apart(s.asked)
	return s, nil
}

// storedPath is where the writer puts a source: cleaned, without a leading "/" and leading "../" elements.
func storedPath(source string) format.Path {
	p := strings.TrimPrefix(path.Clean(source), "/")
	for p == ".." || strings.HasPrefix(p, "../") {
		p = strings.TrimPrefix(p[len(".."):], "/")
	}
	if p == "." {
		p = ""
	}
	return format.Path(p)
}

// apart sorts paths as one goes through a tree, and drops those inside others.
func apart(paths []format.Path) []format.Path {
	sorted := slices.Clone(paths)
	slices.SortFunc(sorted, compareDepthFirst)
	var kept []format.Path
	for _, p := range sorted {
		if n := len(kept); n == 0 || !p.Within(kept[n-1]) {
			kept = append(kept, p)
		}
	}
	return kept
}

// compareDepthFirst orders paths by component, a prefix first.
func compareDepthFirst(a, b format.Path) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] == b[i] {
			continue
		}
		if a[i] == '/' || b[i] != '/' && a[i] < b[i] {
			return -1
		}
		return +1
	}
	return cmp.Compare(len(a), len(b))
}

// names reports whether p is in what is asked for, and does not only lead there.
func (s *selection) names(p format.Path) bool {
	i, found := slices.BinarySearchFunc(s.asked, p, compareDepthFirst)
	return found || i > 0 && p.Within(s.asked[i-1])
}
