package archive

import (
	"context"
	"errors"

	"dura/archive/format"
)

// maxParents bounds how far content is followed from parent to parent.
const maxParents = 10_000

// resolved gives an entry that refers to the parent by its path the content that it has there; AsInParent is false then. Where
// that can't be found it raises an alarm and gives the entry as it is; an error ends the run.
func (b *Band) resolved(ctx context.Context, e Located) (Located, error) {
	if !e.AsInParent {
		return e, nil
	}
	from, err := b.inParents(ctx, e.Path)
	if ctx.Err() != nil {
		return Located{}, ctx.Err()
	}
	if err != nil {
		return e, b.archive.raise(&Error{Op: opLookup, Band: b.id, Path: e.Path, Kind: kindOfParent(err), Err: err})
	}
	own := *e.Entry
	own.AsInParent = false
	own.Size, own.SHA256, own.DataSHA, own.Spans, own.SpanLists = from.Size, from.SHA256, from.DataSHA, from.Spans, from.SpanLists
	return Located{&own, e.Ordinal}, nil
}

// kindOfParent: to the band that has the entry, whatever is not in its parent is missing.
func kindOfParent(err error) Kind {
	var e *Error
	switch {
	case !errors.As(err, &e):
		return KindIO
	case e.Kind == KindNotFound || e.Kind == KindNotAFile:
		return KindMissing
	}
	return e.Kind
}

// inParents finds p in the nearest parent that has content for it.
func (b *Band) inParents(ctx context.Context, p format.Path) (Located, error) {
	seen := map[format.BandID]bool{b.id: true}
	for range maxParents {
		parent, err := b.parentBand(ctx)
		if err != nil {
			return Located{}, err
		}
		if seen[parent.id] {
			break
		}
		seen[parent.id] = true
		e, err := parent.find(ctx, p)
		switch {
		case err != nil:
			return Located{}, parent.failed(p, err)
		case e.Kind != format.File:
			return Located{}, &Error{Op: opLookup, Band: parent.id, Path: p, Kind: KindNotAFile}
		case !e.AsInParent:
			return e, nil
		}
		b = parent
	}
	return Located{}, contradiction(b.id, format.HeadName(b.id), "its parents have no end")
}

// parentBand opens the parent the first time it is asked for.
func (b *Band) parentBand(ctx context.Context) (*Band, error) {
	if p := b.parent.Load(); p != nil {
		return p, nil
	}
	head, err := b.Head(ctx)
	if err != nil {
		return nil, err
	}
	if head.Parent == "" {
		return nil, contradiction(b.id, format.HeadName(b.id), "an entry refers to the parent, and there is none")
	}
	p, err := b.archive.openByID(ctx, head.Parent)
	if err != nil {
		return nil, err
	}
	b.parent.Store(p)
	return p, nil
}
