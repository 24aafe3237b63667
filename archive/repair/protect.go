package repair

import (
	"context"
	"errors"
	"maps"
	"slices"

	"dura/archive"
	"dura/archive/format"
	"dura/archive/parity"
	"dura/archive/seal"
)

// protect makes parity for objects that are in no group, if the band is to have parity.
func (b *bandRun) protect(ctx context.Context, loose []string, taken []uint64) error {
	head, _, err := b.archive.BandHead(ctx, b.id)
	if err != nil {
		return nil //nolint:nilerr // told of already, and without it nobody knows whether there is to be parity
	}
	scheme, err := parity.ParseScheme(head.Settings.Parity)
	if err != nil || !scheme.Is() {
		return nil //nolint:nilerr // settings that mean nothing are none
	}
	for c := range parity.Classes {
		e, err := parity.NewEncoder(scheme)
		if err != nil {
			return err
		}
		next := parity.NextGroup(c, taken)
		for _, name := range loose {
			if _, kind, _, _ := format.ParseObjectName(name); !is(kind, c) {
				continue
			}
			if err := b.add(ctx, e, name); err != nil {
				return err
			}
			if e.Full() {
				if err := b.close(ctx, e, &next); err != nil {
					return err
				}
			}
		}
		if e.Members() > 0 {
			if err := b.close(ctx, e, &next); err != nil {
				return err
			}
		}
	}
	return nil
}

func is(kind format.ObjectKind, c parity.Class) bool {
	class, ok := parity.ClassOf(kind)
	return ok && class == c
}

// close stores the parity objects of the open group.
func (b *bandRun) close(ctx context.Context, e *parity.Encoder, next *uint64) error {
	g, shards := e.Close(b.id, *next)
	*next += uint64(parity.Classes)
	objects, err := g.Objects(shards)
	if err != nil {
		return err
	}
	for _, o := range objects {
		if !b.o.DryRun {
			if err := b.archive.Storage().Create(ctx, o.Name, o.Parts...); err != nil {
				return err
			}
		}
		b.result.Parity++
		b.made(Made{Object: o.Name, Stored: o.Name, From: "made, since its objects had no parity"})
	}
	return nil
}

// sums stores .sha256 again where that is missing, or does not say what the objects are.
func (b *bandRun) sums(ctx context.Context) error {
	said := b.run.sums[b.id]
	agrees := said != nil && said.whole
	for name, sum := range b.whole {
		agrees = agrees && said.lines[name] == sum
	}
	if agrees {
		return nil
	}
	lines := maps.Clone(b.whole)
	for name := range b.sizes {
		if _, kind, _, _ := format.ParseObjectName(name); kind == format.ParityObject {
			object, _, _, err := b.archive.Whole(ctx, name, func([]byte) bool { return true })
			if err != nil {
				return err
			}
			lines[name] = format.SumBytes(object)
		}
	}
	if said != nil {
		for name, sum := range said.lines { // of what is lost
			if _, known := lines[name]; !known && b.lost[name] {
				lines[name] = sum
			}
		}
	}
	var text []byte
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		text = format.AppendSum(text, format.StoredName(name, b.archive.Head().Sealed()), lines[name])
	}
	name := format.SumsName(b.id)
	_, from, _, err := b.archive.Whole(ctx, name, func(object []byte) bool { return string(object) == string(text) })
	if err == nil && from == "" {
		return nil
	}
	if from == "" {
		from = "made of the objects there are"
	}
	b.result.Damaged++
	return b.storeAgain(ctx, name, from, text)
}

// heads checks what stands outside of the bands.
func (r *run) heads(ctx context.Context) error {
	b := &bandRun{run: r, sizes: map[string]int64{}}
	st := r.archive.Storage()
	companions, err := r.companions()
	if err != nil {
		return err
	}
	for _, o := range companions {
		if ok, err := archive.IsThere(ctx, st, o.name); ok || err != nil {
			if err == nil && o.name == format.PublicKeyName {
				err = r.publicKey(ctx)
			}
			if err != nil {
				return err
			}
			continue
		}
		r.result.Damaged++
		if err := b.storeAgain(ctx, o.name, "this version of Dura", o.content); err != nil {
			return err
		}
	}
	return r.archiveHead(ctx, b)
}

// publicKey looks whether the archive's public key is what it should be.
func (r *run) publicKey(ctx context.Context) error {
	armored, err := r.archive.Storage().Read(ctx, format.PublicKeyName, 0, maxKeyBytes)
	if err == nil {
		var key *seal.PublicKey
		if key, err = seal.ParsePublic(armored); err == nil && key.SameKey(r.archive.Head().KeyFingerprint) {
			return nil
		}
	}
	r.result.Damaged++
	return r.found(ctx, format.PublicKeyName, &archive.Error{Op: opRepair, Object: format.PublicKeyName, Kind: archive.KindCorrupt, Err: errPublicKey})
}

const maxKeyBytes = 1 << 20

var errPublicKey = errors.New("it is damaged or another one; take it away, and a repair stores it again")

// companion is an object that explains the archive.
type companion struct {
	name    string
	content []byte
}

// companions are those of an archive as this version would make it.
func (r *run) companions() ([]companion, error) {
	list := []companion{{format.SchemaName, format.Schema}, {format.RecoverName, format.Recover}}
	if !r.archive.Head().Sealed() {
		return append(list, companion{format.ReadmeName, format.Readme}), nil
	}
	list = append(list, companion{format.ReadmeName, format.SealedReadme})
	key := r.archive.Keys().Public()
	if key == nil {
		return list, nil
	}
	armored, err := key.Armored()
	return append(list, companion{format.PublicKeyName, armored}), err
}

var errNoSettings = errors.New("nothing that can be opened tells its settings")

// archiveHead stores DURA-ARCHIVE again, or a repaired copy of it.
func (r *run) archiveHead(ctx context.Context, b *bandRun) error {
	round, state, err := archive.HeadState(ctx, r.archive.Storage())
	if err != nil || state == archive.HeadWhole {
		return err
	}
	if head := r.archive.Head(); head.Sealed() && !head.Settings.AreWhole() {
		r.result.Damaged++
		return r.found(ctx, format.ArchiveName, &archive.Error{Op: opRepair, Object: format.ArchiveName, Kind: archive.KindMissing, Err: errNoSettings})
	}
	name, text := format.ArchiveName, format.EncodeArchiveHead(r.archive.Head())
	stored := name
	if state == archive.HeadDamaged {
		stored = format.RepairedArchiveName(round)
	}
	if !r.o.DryRun {
		if err := r.archive.Storage().Create(ctx, stored, text); err != nil {
			return err
		}
	}
	r.result.Damaged++
	r.result.Repaired++
	r.made(Made{Object: name, Stored: stored, From: "taken from the heads of bands"})
	return nil
}
