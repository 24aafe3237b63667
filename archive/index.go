package archive

import (
	"context"
	"fmt"
	"unsafe"

	"dura/archive/format"
)

// indexObject is a decoded hunk, fence or span list.
type indexObject interface{ memoryBytes() int64 }

// indexKey names an index object by where it is and what its hash must be, so that a wrong reference never gets what a right
// one brought in.
type indexKey struct {
	kind        format.ObjectKind
	band        format.BandID
	number      uint64
	storedBytes int64
	sum         format.Hash
}

func (k indexKey) name() string {
	switch k.kind {
	case format.HunkObject:
		return format.HunkName(k.band, k.number)
	case format.FenceObject:
		return format.FenceName(k.band, k.number)
	}
	return format.SpansName(k.band, k.number)
}

func hunkKey(r *format.HunkRef) indexKey {
	return indexKey{format.HunkObject, r.Band, r.Number, r.StoredBytes, r.SHA256}
}

func fenceKey(r *format.FenceRef) indexKey {
	return indexKey{format.FenceObject, r.Band, r.Number, r.StoredBytes, r.SHA256}
}

func spansKey(r *format.SpanListRef) indexKey {
	return indexKey{format.SpansObject, r.Band, r.Number, r.StoredBytes, r.SHA256}
}

// fetchIndex brings an index object in, checked against its hash and decoded.
func (a *Archive) fetchIndex(k indexKey) func(context.Context) (indexObject, error) {
	return func(ctx context.Context) (indexObject, error) {
		return mended(ctx, a, k.name(), func(from source) (indexObject, error) {
			stored, err := a.readIndex(ctx, from, k)
			var object indexObject
			if err == nil {
				object, err = a.decodeIndex(k, stored)
			}
			return object, objectError(opRead, k.band, k.name(), err)
		})
	}
}

// readIndex reads an index object, from the disk or from a source.
func (a *Archive) readIndex(ctx context.Context, from source, k indexKey) ([]byte, error) {
	if a.disk != nil && a.disk.Has(k.sum[:], k.storedBytes) {
		if stored := make([]byte, k.storedBytes); a.onDisk(k.sum[:], stored) {
			return stored, nil
		}
	}
	stored, err := readExactly(ctx, from, k.name(), 0, k.storedBytes)
	if err == nil && format.SumBytes(stored) != k.sum {
		err = &format.MismatchError{What: "object"}
	}
	if err == nil {
		a.keepOnDisk(k.sum[:], stored)
	}
	return stored, err
}

// decodeIndex makes of an index object as it is stored what it says.
func (a *Archive) decodeIndex(k indexKey, stored []byte) (indexObject, error) {
	frame, err := a.Opened(k.name(), stored)
	if err != nil {
		return nil, err
	}
	raw, err := a.decoder.Decode("index object", frame, format.MaxIndexBytes)
	if err != nil {
		return nil, err
	}
	switch k.kind {
	case format.HunkObject:
		h, err := format.DecodeHunk(raw)
		return &hunk{h.Entries, h.Before, h.Previous}, err
	case format.FenceObject:
		refs, err := format.DecodeFence(raw)
		return newFence(refs), err
	}
	spans, err := format.DecodeSpanList(raw)
	return &spanList{spans, spanEnds(spans)}, err
}

// getIndex gives an index object, from the cache or from storage.
func (a *Archive) getIndex(ctx context.Context, k indexKey) (indexObject, error) {
	if object, ok := a.index.Cached(k); ok {
		return object, nil
	}
	return a.index.Start(k, a.fetchIndex(k)).Wait(ctx)
}

// contradiction says that an object is not what refers to it says, though its hash is.
func contradiction(band format.BandID, object, reason string, args ...any) error {
	err := &format.CorruptError{What: "index", Reason: fmt.Sprintf(reason, args...)}
	return &Error{Op: opRead, Band: band, Object: object, Kind: KindCorrupt, Err: err}
}

// hunk is a decoded hunk.
type hunk struct {
	entries  []format.Entry
	before   []format.HunkRef
	previous format.Previous
}

func (h *hunk) memoryBytes() int64 {
	bytes := int64(len(h.entries)) * int64(unsafe.Sizeof(format.Entry{}))
	var last *format.Frame
	for i := range h.entries {
		e := &h.entries[i]
		bytes += int64(len(e.Path) + len(e.Target) + len(e.LinkTo))
		bytes += int64(len(e.SpanLists)) * int64(unsafe.Sizeof(format.SpanListRef{}))
		for _, x := range e.XAttrs {
			bytes += int64(unsafe.Sizeof(x)) + int64(len(x.Name)+len(x.Value))
		}
		bytes += spansMemoryBytes(e.Spans, &last)
	}
	return bytes + refsMemoryBytes(h.before)
}

func refsMemoryBytes(refs []format.HunkRef) int64 {
	bytes := int64(len(refs)) * int64(unsafe.Sizeof(format.HunkRef{}))
	for i := range refs {
		bytes += int64(len(refs[i].FirstPath) + len(refs[i].Band))
	}
	return bytes
}

// spansMemoryBytes is what spans take up, with each frame that is not last counted: spans in order share frames with their
// neighbours.
func spansMemoryBytes(spans []format.Span, last **format.Frame) int64 {
	bytes := int64(len(spans)) * int64(unsafe.Sizeof(format.Span{}))
	for i := range spans {
		if f := spans[i].Frame; f != *last {
			bytes += int64(unsafe.Sizeof(*f)) + int64(unsafe.Sizeof(*f.Block))
			*last = f
		}
	}
	return bytes
}

// checkHunk checks a hunk against what refers to it: next is the first path behind it, or the root if nothing is.
func checkHunk(h *hunk, r *format.HunkRef, next format.Path) error {
	n := len(h.entries)
	switch {
	case int64(n) != r.Entries || n == 0:
		return contradiction(r.Band, hunkKey(r).name(), "it has %d entries where %d are expected", n, r.Entries)
	case h.entries[0].Path != r.FirstPath:
		return contradiction(r.Band, hunkKey(r).name(), "it begins at %q where %q is expected", h.entries[0].Path, r.FirstPath)
	case next != format.Root && format.Compare(h.entries[n-1].Path, next) >= 0:
		return contradiction(r.Band, hunkKey(r).name(), "it ends at %q, behind %q where the next begins", h.entries[n-1].Path, next)
	}
	return nil
}

// Hunk reads the entries that r refers to. They are shared and must not be modified.
func (a *Archive) Hunk(ctx context.Context, r format.HunkRef) ([]format.Entry, error) {
	object, err := a.getIndex(ctx, hunkKey(&r))
	if err != nil {
		return nil, err
	}
	h := object.(*hunk)
	return h.entries, checkHunk(h, &r, format.Root)
}

// fence is a decoded fence.
type fence struct {
	refs []format.HunkRef
	ends []int64 // how many entries the first hunks have together, the first, the first two, …
}

func newFence(refs []format.HunkRef) *fence {
	f := &fence{refs, make([]int64, len(refs))}
	var end int64
	for i := range refs {
		end += refs[i].Entries
		f.ends[i] = end
	}
	return f
}

func (f *fence) entries() int64 {
	if len(f.ends) == 0 {
		return 0
	}
	return f.ends[len(f.ends)-1]
}

func (f *fence) last() *format.HunkRef { return &f.refs[len(f.refs)-1] }

func (f *fence) memoryBytes() int64 {
	return refsMemoryBytes(f.refs) + int64(len(f.ends))*int64(unsafe.Sizeof(f.ends[0]))
}

// checkFence is for fences what checkHunk is for hunks.
func checkFence(f *fence, r *format.FenceRef, next format.Path) error {
	n := len(f.refs)
	name := func() string { return fenceKey(r).name() }
	switch {
	case f.entries() != r.Entries || n == 0:
		return contradiction(r.Band, name(), "it has %d entries where %d are expected", f.entries(), r.Entries)
	case f.refs[0].FirstPath != r.FirstPath:
		return contradiction(r.Band, name(), "it begins at %q where %q is expected", f.refs[0].FirstPath, r.FirstPath)
	case next != format.Root && format.Compare(f.refs[n-1].FirstPath, next) >= 0:
		return contradiction(r.Band, name(), "it ends at %q, behind %q where the next begins", f.refs[n-1].FirstPath, next)
	}
	return nil
}

// Fence reads the references that r refers to. They are shared and must not be modified.
func (a *Archive) Fence(ctx context.Context, r format.FenceRef) ([]format.HunkRef, error) {
	object, err := a.getIndex(ctx, fenceKey(&r))
	if err != nil {
		return nil, err
	}
	f := object.(*fence)
	return f.refs, checkFence(f, &r, format.Root)
}
