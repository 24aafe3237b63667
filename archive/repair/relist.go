package repair

import (
	"context"
	"maps"
	"slices"

	"dura/archive/format"
	"dura/archive/repair/reindex"
)

// relist finds what the span lists were that can't be stored again as they were: those of files whose content comes out right. It is for hunks that
// refer to such lists to be made anew.
func (b *rebuilding) relist(ctx context.Context) error {
	files := map[*format.Entry]bool{}
	for name := range b.deferred {
		if l, is := b.lists[name]; is {
			files[l.entry] = true
		}
	}
	byPath := func(x, y *format.Entry) int { return format.Compare(x.Path, y.Path) }
	for _, e := range slices.SortedFunc(maps.Keys(files), byPath) {
		found, err := b.relistFile(ctx, e)
		if err != nil {
			return err
		}
		maps.Copy(b.relists, found)
	}
	return nil
}

// relistFile finds the lost lists of one file, by name; nil if these can't be had.
func (b *rebuilding) relistFile(ctx context.Context, e *format.Entry) (map[string][]format.Span, error) {
	found := map[string][]format.Span{}
	as := *e
	as.Spans, as.SpanLists, as.SHA256, as.DataSHA = nil, nil, format.Hash{}, format.Hash{}
	for _, ref := range e.SpanLists {
		name := format.SpansName(ref.Band, ref.Number)
		var spans []format.Span
		var err error
		if l, lost := b.lists[name]; lost && b.deferred[name] != nil {
			var answers [][]format.Span
			if answers, err = b.answers(ctx, &l); err == nil {
				if spans = fitting(answers, &ref); spans == nil {
					return nil, nil
				}
				found[name] = spans
			}
		} else {
			spans, err = b.archive.Spans(ctx, ref)
		}
		if err != nil {
			return nil, ignoreDamage(ctx, err)
		}
		as.Spans = append(as.Spans, spans...)
	}
	if err := b.sumContent(ctx, &as); err != nil || as.SHA256 != e.SHA256 || as.DataSHA != e.DataSHA {
		return nil, err
	}
	return found, nil
}

// fitting is the first answer that has as many bytes as the list should have, and no more spans than one may.
func fitting(answers [][]format.Span, ref *format.SpanListRef) []format.Span {
	for _, spans := range answers {
		content, data := format.SpannedBytes(spans)
		if content == ref.ContentBytes && data == ref.DataBytes && len(spans) <= format.MaxSpansInline && len(spans) > 0 {
			return spans
		}
	}
	return nil
}

// mayRelist reports whether a hunk that can be had is to be made anew, since lists that it refers to were found again.
func (b *rebuilding) mayRelist(ref *format.HunkRef) bool {
	name := format.HunkName(ref.Band, ref.Number)
	return b.deferred[name] == nil && slices.ContainsFunc(b.lacking[name], func(list string) bool { return b.relists[list] != nil })
}

// fillLists makes a hunk anew that lacks nothing but span lists.
func (b *rebuilding) fillLists(ctx context.Context, l *lostIndex, s *reindex.Stretch) (stretchFilled, error) {
	filled := stretchFilled{exact: true, lists: true}
	old, err := b.archive.Hunk(ctx, s.Lost)
	if err != nil {
		return filled, err
	}
	entries := slices.Clone(old)
	for i := range entries {
		e := &entries[i]
		e.SpanLists = slices.Clone(e.SpanLists)
		for j := range e.SpanLists {
			if err := b.replaceList(ctx, &e.SpanLists[j]); err != nil {
				return filled, err
			}
		}
	}
	for _, run := range reindex.Hunks(entries) {
		ref, err := b.storeHunk(ctx, l, run)
		if err != nil {
			return filled, err
		}
		filled.hunks = append(filled.hunks, ref)
	}
	return filled, nil
}

// replaceList has a reference to a lost list refer to the one that stands in its place, which is stored for the first of them.
func (b *rebuilding) replaceList(ctx context.Context, ref *format.SpanListRef) error {
	name := format.SpansName(ref.Band, ref.Number)
	spans := b.relists[name]
	if spans == nil {
		return nil
	}
	if again, stored := b.relisted[name]; stored {
		*ref = again
		return nil
	}
	again, err := b.storeList(ctx, spans)
	if err != nil {
		return err
	}
	b.relisted[name] = again
	b.made(Made{Object: name, Stored: b.storedName(format.SpansName(again.Band, again.Number)), From: "made of the blocks"})
	*ref = again
	return nil
}

// storeList stores a new span list of the band whose index is made.
func (b *rebuilding) storeList(ctx context.Context, spans []format.Span) (format.SpanListRef, error) {
	band := b.home
	n, err := b.numbersOf(ctx, band)
	if err != nil {
		return format.SpanListRef{}, err
	}
	raw, err := format.EncodeSpanList(spans)
	if err != nil {
		return format.SpanListRef{}, err
	}
	ref, err := b.createIndex(ctx, &n.spans, func(n uint64) string { return format.SpansName(band, n) }, raw)
	l := format.SpanListRef{Band: band, Number: ref.Number, StoredBytes: ref.StoredBytes, SHA256: ref.SHA256}
	l.ContentBytes, l.DataBytes = format.SpannedBytes(spans)
	return l, err
}
