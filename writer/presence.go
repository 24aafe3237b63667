package writer

import (
	"cmp"
	"context"
	"slices"

	"dura/archive"
	"dura/archive/format"
	"dura/archive/storage"
)

// presence knows which blocks and span lists are in storage, by one listing of each band that is asked about. What an index refers
// to may have been lost since.
type presence struct {
	archive *archive.Archive
	turn    chan struct{} // holds one while somebody looks into folders, or lists for them
	folders map[presenceKey][]numberedObject
}

type presenceKey struct {
	band format.BandID
	kind format.ObjectKind
}

// numberedObject is an object of one band and kind.
type numberedObject struct {
	number    uint64
	sizeBytes int64
}

func newPresence(a *archive.Archive) *presence {
	return &presence{archive: a, turn: make(chan struct{}, 1), folders: map[presenceKey][]numberedObject{}}
}

// has reports whether the object is there in its size.
func (p *presence) has(ctx context.Context, band format.BandID, kind format.ObjectKind, o numberedObject) (bool, error) {
	size, found, err := p.size(ctx, band, kind, o.number)
	return found && size == o.sizeBytes, err
}

// size is how large an object is, if it is there.
func (p *presence) size(ctx context.Context, band format.BandID, kind format.ObjectKind, number uint64) (int64, bool, error) {
	there, err := p.folder(ctx, presenceKey{band, kind})
	i, found := slices.BinarySearchFunc(there, number, func(x numberedObject, n uint64) int { return cmp.Compare(x.number, n) })
	if !found || err != nil {
		return 0, false, err
	}
	return there[i].sizeBytes, true, nil
}

// folder lists the objects of a band and kind, once.
func (p *presence) folder(ctx context.Context, key presenceKey) ([]numberedObject, error) {
	if err := send(ctx, p.turn, struct{}{}); err != nil {
		return nil, err
	}
	defer func() { <-p.turn }()
	if there, listed := p.folders[key]; listed {
		return there, nil
	}
	there, err := p.list(ctx, key)
	if err != nil {
		return nil, err
	}
	p.folders[key] = there
	return there, nil
}

func (p *presence) list(ctx context.Context, key presenceKey) ([]numberedObject, error) {
	folder := "/data/"
	if key.kind == format.SpansObject {
		folder = "/index/"
	}
	var there []numberedObject
	lost := map[uint64]bool{}
	for info, err := range p.archive.Storage().List(ctx, format.BandsPrefix+string(key.band)+folder, storage.Deep) {
		if err != nil {
			return nil, err
		}
		if number, is := format.ParseLostName(key.band, info.Name); is {
			lost[number] = true // it is there, and a repair has found that it is not what it was
		} else if _, kind, number, _ := format.ParseObjectName(info.Name); kind == key.kind {
			there = append(there, numberedObject{number, info.SizeBytes})
		}
	}
	if key.kind == format.BlockObject {
		there = slices.DeleteFunc(there, func(o numberedObject) bool { return lost[o.number] })
	}
	slices.SortFunc(there, func(x, y numberedObject) int { return cmp.Compare(x.number, y.number) })
	return there, nil
}

// spans reports whether the blocks of all spans are there.
func (p *presence) spans(ctx context.Context, spans []format.Span) (bool, error) {
	for b := range format.BlocksOf(spans) {
		if ok, err := p.has(ctx, b.Band, format.BlockObject, numberedObject{b.Number, b.StoredBytes}); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

// content reports whether everything that an entry's content needs is there.
func (p *presence) content(ctx context.Context, e *format.Entry) (bool, error) {
	for _, l := range e.SpanLists {
		ok, err := p.has(ctx, l.Band, format.SpansObject, numberedObject{l.Number, l.StoredBytes})
		if !ok || err != nil {
			return false, err
		}
		spans, err := p.archive.Spans(ctx, l)
		if err != nil {
			return false, lostOnly(err)
		}
		if ok, err := p.spans(ctx, spans); !ok || err != nil {
			return false, err
		}
	}
	return p.spans(ctx, e.Spans)
}

// lostOnly passes over what says that an object is not what it was: then it is as good as not there.
func lostOnly(err error) error {
	for _, kind := range []archive.Kind{archive.KindMissing, archive.KindCorrupt, archive.KindMismatch, archive.KindLocked} {
		if archive.Is(err, kind) {
			return nil
		}
	}
	return err
}
