package compare

import (
	"context"
	"time"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/format"
	"dura/archive/seal"
	"dura/archive/storage"
)

// ends compares the head and the tail, as they are stored. What the tail refers to, and so all of the index, is the same where the tail is.
func (b *band) ends(ctx context.Context) error {
	for _, name := range []string{format.HeadName(b.id), format.TailName(b.id)} {
		if !b.texts[name] {
			continue
		}
		var sums [2]format.Hash
		for s, a := range b.archives {
			stored, err := a.Storage().Read(ctx, name, 0, format.MaxTextBytes+1)
			if err != nil {
				return b.failed(ctx, side(s), name, err)
			}
			sums[s] = format.SumBytes(stored)
		}
		same, err := sums[here] == sums[there], error(nil)
		if !same && !b.countsInOne(name, sums) {
			same, err = b.wrong(ctx, name, sums)
		}
		if err != nil {
			return err
		}
		b.same[name] = same
	}
	return nil
}

// wrong says which of two heads or tails is not what it was: the one that is not what both .sha256 have, or else the one whose
// archive has, by a repaired copy or parity, the other's. Same is whether both archives still have the same one.
func (b *band) wrong(ctx context.Context, name string, sums [2]format.Hash) (same bool, err error) {
	if right := b.sums[here][name]; !right.IsZero() && right == b.sums[there][name] {
		same = true
		for s := range sums {
			if sums[s] != right {
				has, err := b.damaged(ctx, side(s), name, right)
				if err != nil {
					return false, err
				}
				same = same && has
			}
		}
		return same, nil
	}
	for s := range sums {
		has, repaired, err := b.has(ctx, side(s), name, sums[side(s).other()])
		switch {
		case err != nil:
			return false, err
		case has && !repaired:
			return true, b.notAsStored(side(s), name)
		case has:
			return true, nil
		}
	}
	return false, b.object(alarm.Mismatch, name, "it is another one in %s, and nothing says which of them is right", b.o.Other)
}

// damaged tells of a head or tail that is not what it was, unless it was repaired. Has is whether the archive can still give it.
func (b *band) damaged(ctx context.Context, s side, name string, right format.Hash) (has bool, err error) {
	has, repaired, err := b.has(ctx, s, name, right)
	if err == nil && !repaired {
		err = b.notAsStored(s, name)
	}
	return has, err
}

func (b *band) notAsStored(s side, name string) error {
	b.told[name] = true
	if s == there { // it may be both
		return b.differ(alarm.Band, alarm.Mismatch, name, "in %s it is not what was stored", b.o.Other)
	}
	return b.differ(alarm.Band, alarm.Mismatch, name, "it is not what was stored, and another one in %s", b.o.Other)
}

// has reports whether an archive can give an object with this hash, though what is stored under its name is damaged, and whether that was
// repaired such that readers get the same from it.
func (b *band) has(ctx context.Context, s side, name string, sum format.Hash) (has, repaired bool, err error) {
	object, _, copied, err := b.archives[s].Whole(ctx, name, func(object []byte) bool { return format.SumBytes(object) == sum })
	if err != nil && (ctx.Err() != nil || storage.Is(err, storage.KindUnavailable)) {
		return false, false, err
	}
	if err != nil || copied == "" {
		return err == nil, false, nil
	}
	other, err := saysOther(ctx, b.archives[s], name, object)
	return true, !other, err
}

// saysOther reports whether readers would find under the name of a head or tail something else than it should say: one that can be read
// is what they take, whatever copies there are.
func saysOther(ctx context.Context, a *archive.Archive, name string, right []byte) (bool, error) {
	stored, err := a.Storage().Read(ctx, name, 0, format.MaxTextBytes+1)
	if err != nil {
		return false, err
	}
	says, readable := meaning(a, name, stored)
	should, _ := meaning(a, name, right)
	return readable && says != should, nil
}

// meaning is what a head or tail says, in one layout.
func meaning(a *archive.Archive, name string, stored []byte) (says string, readable bool) {
	text, err := a.Opened(name, stored)
	if err != nil {
		return "", false
	}
	band := bandOf(name)
	if name == format.TailName(band) {
		tail, err := format.DecodeTail(band, text)
		return string(format.EncodeTail(tail)), err == nil
	}
	head, err := format.DecodeHead(band, text)
	return string(format.EncodeHead(head)), err == nil
}

// companions compares what stands beside the bands.
func (r *run) companions(ctx context.Context) error {
	names := []string{format.ArchiveName, format.ReadmeName, format.SchemaName, format.RecoverName}
	if r.archives[here].Head().Sealed() {
		names = append(names, format.PublicKeyName)
	}
	for _, name := range names {
		var is [2]bool
		for s, a := range r.archives {
			var err error
			if is[s], err = archive.IsThere(ctx, a.Storage(), name); err != nil {
				return r.failed(ctx, side(s), name, err)
			}
		}
		var err error
		switch {
		case is[here] && !is[there]:
			err = r.differ(alarm.Archive, alarm.Missing, name, "it is missing from %s", r.o.Other)
		case !is[here] && is[there]:
			err = r.differ(alarm.Archive, alarm.Missing, name, "%s has it", r.o.Other)
		case is[here] && name == format.ArchiveName:
			err = r.archiveHeads(ctx)
		case is[here] && name == format.PublicKeyName:
			err = r.publicKeys(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// archiveHeads compares the two DURA-ARCHIVE. Of one that can't be read the archive has told when it was opened.
func (r *run) archiveHeads(ctx context.Context) error {
	var sums [2]format.Hash
	for s, a := range r.archives {
		text, err := a.Storage().Read(ctx, format.ArchiveName, 0, format.MaxTextBytes+1)
		if err != nil {
			return r.failed(ctx, side(s), format.ArchiveName, err)
		}
		head, err := format.DecodeArchiveHead(text)
		if err != nil {
			return nil
		}
		head.Created = time.Time{} // not known to who makes it anew
		sums[s] = format.SumBytes(format.EncodeArchiveHead(head))
	}
	if sums[here] == sums[there] {
		return nil
	}
	return r.differ(alarm.Archive, alarm.Mismatch, format.ArchiveName, "it is another one in %s", r.o.Other)
}

// publicKeys compares the two public keys, by which of them is the one that its DURA-ARCHIVE names.
func (r *run) publicKeys(ctx context.Context) error {
	for s, a := range r.archives {
		armored, err := a.Storage().Read(ctx, format.PublicKeyName, 0, format.MaxTextBytes+1)
		if err != nil {
			return r.failed(ctx, side(s), format.PublicKeyName, err)
		}
		key, err := seal.ParsePublic(armored)
		switch is := err == nil && key.SameKey(a.Head().KeyFingerprint); {
		case is:
		case side(s) == there:
			err = r.differ(alarm.Archive, alarm.Mismatch, format.PublicKeyName, "in %s it is not the key that DURA-ARCHIVE names", r.o.Other)
		default:
			err = r.differ(alarm.Archive, alarm.Mismatch, format.PublicKeyName, "it is not the key that DURA-ARCHIVE names")
		}
		if err != nil {
			return err
		}
	}
	return nil
}
