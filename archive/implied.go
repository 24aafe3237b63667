package archive

import (
	"context"
	"iter"

	"dura/archive/format"
)

// Implied yields, by name, the directories in dir that something stands below, those behind the name from; "" for all. So a
// directory whose own entry is lost can be found. It reads one hunk for each, and passes over what it can't read.
func (b *Band) Implied(ctx context.Context, dir format.Path, from string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for ctx.Err() == nil {
			// Below whatever comes behind from: that stands behind all that is below from itself.
			p, ok := b.firstFrom(ctx, dir.Join(from+beforeAll).Join(beforeAll), dir)
			if !ok {
				return
			}
			from = nameIn(dir, p)
			if !yield(from) {
				return
			}
		}
	}
}

// IsImplied reports whether something stands below p. It passes over what it can't read.
func (b *Band) IsImplied(ctx context.Context, p format.Path) bool {
	_, ok := b.firstFrom(ctx, p.Join(beforeAll), p)
	return ok
}

// nameIn is the name in dir of what p is, or is below.
func nameIn(dir, p format.Path) string {
	for {
		parent, name := p.Split()
		if parent == dir {
			return name
		}
		p = parent
	}
}

// firstFrom is the first entry at or behind key that is below dir.
func (b *Band) firstFrom(ctx context.Context, key, dir format.Path) (first format.Path, ok bool) {
	within := func(p format.Path) bool { return p != dir && p.Within(dir) }
	b.walk(key, within).each(ctx, func(e Located, err error) bool {
		if err != nil {
			return ctx.Err() == nil
		}
		first, ok = e.Path, true
		return false
	})
	return first, ok
}
