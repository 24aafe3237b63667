package fs

import (
	"context"
	"iter"
	"time"

	"dura/archive"
	"dura/archive/format"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// bandTop is the directory of a band. It opens the band only when somebody looks inside.
type bandTop struct {
	f    *FileSystem
	slot *slot
}

// attr is what stat tells: of a band that is shown alone exactly what was stored. Otherwise the time is that of the backup, and
// the rest is made up, so that listing many bands opens none; unless others may use the mount. Then permissions
// count, and the topmost directory's may keep somebody out.
func (t bandTop) attr(ctx context.Context) (fuse.Attr, time.Duration, error) {
	if !t.isExact() {
		return t.madeAttr(), t.f.options.Refresh, nil
	}
	e, err := t.entry(ctx)
	if err != nil {
		return fuse.Attr{}, 0, err
	}
	a := t.f.options.attrOf(e.Entry, t.id())
	if t.f.isSingle() {
		return a, forever, nil
	}
	at := format.TimeOf(t.slot.id.Time())
	setTimes(&a, at, at)
	return a, t.f.options.Refresh, nil
}

func (t bandTop) isExact() bool { return t.f.isSingle() || t.f.options.Shared }

func (t bandTop) madeAttr() fuse.Attr {
	return madeAttr(t.id(), fuse.S_IFDIR|madeMode, t.f.options.Mounter, t.slot.id.Time())
}

func (t bandTop) id() nodeID {
	if t.f.isSingle() {
		return rootID
	}
	return topNode(t.slot.number)
}

// entry is what was stored of the directory. The root need not have been, and any may be lost.
func (t bandTop) entry(ctx context.Context) (archive.Located, error) {
	b, err := t.f.open(ctx, t.slot)
	if err != nil {
		return archive.Located{}, err
	}
	l, err := b.Lookup(ctx, t.f.options.Subtree)
	lost := isLoss(err) && b.IsImplied(ctx, t.f.options.Subtree)
	if lost {
		t.f.alarms.raise(err, subject{t.slot.id, t.f.options.Subtree})
	}
	if lost || t.f.options.Subtree == format.Root && archive.Is(err, archive.KindNotFound) {
		at := format.TimeOf(t.slot.id.Time())
		owner := format.Owner{UID: t.f.options.Mounter.UID, GID: t.f.options.Mounter.GID}
		return archive.Located{Entry: &format.Entry{Kind: format.Directory, Mode: madeMode, Owner: owner, MTime: at, CTime: at}}, nil
	}
	return l, err
}

func (t bandTop) listing(ctx context.Context) (listing, error) {
	b, err := t.f.open(ctx, t.slot)
	return listing{t.f, t.slot, b, t.id(), dirPlace{t.f.options.Subtree, rootID}}, err
}

func (t bandTop) lookup(ctx context.Context, name string) (child, error) {
	d, err := t.listing(ctx)
	if err != nil {
		return child{}, err
	}
	c, err := d.lookup(ctx, name)
	if name == hiddenName && t.f.isSingle() && archive.Is(err, archive.KindNotFound) {
		return t.f.madeDir(hiddenID, hiddenName), nil
	}
	return c, err
}

func (t bandTop) list(ctx context.Context, offset uint64) iter.Seq2[child, error] {
	d, err := t.listing(ctx)
	if err != nil {
		return func(yield func(child, error) bool) { yield(child{}, err) }
	}
	return d.list(ctx, offset)
}

func (t bandTop) parent() nodeID { return rootID }
func (t bandTop) ended()         {}

func (t bandTop) xattr(ctx context.Context, name string) ([]byte, error) {
	if name == stateXAttr { // which shows when the band is opened
		b, err := t.f.open(ctx, t.slot)
		return []byte(stateOf(t.slot, b)), err
	}
	e, err := t.attributed(ctx)
	if err != nil {
		return nil, err
	}
	return e.xattr(ctx, name)
}

func (t bandTop) xattrNames(ctx context.Context) ([]string, error) {
	e, err := t.attributed(ctx)
	if err != nil {
		return nil, err
	}
	return e.xattrNames(ctx)
}

// attributed is the entry that has the directory's extended attributes: one without any where attr is made up too.
func (t bandTop) attributed(ctx context.Context) (bandEntry, error) {
	e := bandEntry{f: t.f, slot: t.slot, entry: &format.Entry{Kind: format.Directory}}
	if !t.isExact() {
		return e, nil
	}
	l, err := t.entry(ctx)
	e.entry = l.Entry
	return e, err
}
