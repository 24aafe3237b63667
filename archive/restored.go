package archive

import (
	"context"
	"fmt"
	"math"
	"slices"

	"dura/archive/format"
	"dura/archive/storage"
)

// Whole gives all of an object as it should be, which accept decides: as it is stored, if that is it, else from wherever it can be had. From
// says where; it is "" for what is stored, and copied is the name of the repaired copy if it is one. No alarm is raised.
func (a *Archive) Whole(ctx context.Context, name string, accept func([]byte) bool) (object []byte, from string, copied string, err error) {
	object, damage := readWhole(ctx, a.storage, name, accept)
	damage = objectError(opRead, bandOf(name), name, damage)
	if !mendable(damage) {
		return object, "", "", damage
	}
	return a.Elsewhere(ctx, name, damage, accept)
}

// Elsewhere is Whole for an object that is known not to be stored as it should be, as damage says.
func (a *Archive) Elsewhere(ctx context.Context, name string, damage error, accept func([]byte) bool) (object []byte, from string, copied string, err error) {
	copies, err := a.mender.copiesOf(ctx, name)
	if err != nil {
		return nil, "", "", objectError(opRead, bandOf(name), name, err)
	}
	for _, c := range copies {
		if object, err := readWhole(ctx, a.storage, c.name, accept); err == nil {
			return object, "", c.name, nil
		}
	}
	var reasons []error
	for _, s := range a.mender.substitutes(name) {
		if s.from == "" {
			continue
		}
		object, err := readWhole(ctx, s, name, accept)
		if err == nil {
			return object, s.from, "", nil
		}
		if ctx.Err() != nil {
			return nil, "", "", context.Cause(ctx)
		}
		reasons = append(reasons, err)
	}
	return nil, "", "", withReason(damage, reasons)
}

func readWhole(ctx context.Context, s source, name string, accept func([]byte) bool) ([]byte, error) {
	object, err := s.Read(ctx, name, 0, math.MaxInt32)
	if err == nil && !accept(object) {
		err = &format.MismatchError{What: "object"}
	}
	if err != nil {
		return nil, err
	}
	return object, nil
}

// NextRepaired is the name under which a repaired copy of an object is to be stored.
func (a *Archive) NextRepaired(ctx context.Context, name string) (string, error) {
	copies, err := a.mender.copiesOf(ctx, name)
	if err != nil || len(copies) == 0 {
		return format.RepairedName(name, 0), err
	}
	return format.RepairedName(name, copies[0].round+1), nil
}

// Refresh forgets what was known of the parity and the repaired objects of a band: something was added.
func (a *Archive) Refresh(band format.BandID) {
	b := a.mender.bands.of(band)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.listed = false
	clear(b.read)
}

// Listed tells what a listing of a whole band has found, so that its parity and repaired objects need no listing of their own.
func (a *Archive) Listed(band format.BandID, there []storage.Info) {
	b := a.mender.bands.of(band)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.take(there)
	clear(b.read)
}

// IsForRepair reports whether Listed is to be told of an object.
func IsForRepair(name string) bool {
	_, kind, _, _ := format.ParseObjectName(name)
	_, _, repaired := format.ParseRepairedName(name)
	return kind == format.ParityObject || repaired
}

// GroupState is what there is of a parity group.
type GroupState struct {
	ParityGroup
	Number  uint64
	Objects []ParityObject // that are there, repaired copies aside
}

// ParityGroups describes all parity groups of a band, by number. Where nothing that is left tells of a group, its ParityGroup is empty.
func (a *Archive) ParityGroups(ctx context.Context, band format.BandID, each func(GroupState) error) error {
	b := a.mender.bands.of(band)
	b.mu.Lock()
	if err := b.list(ctx, a.storage); err != nil {
		b.mu.Unlock()
		return objectError(opRead, band, format.BandsPrefix+string(band), err)
	}
	groups := slices.Clone(b.groups)
	b.mu.Unlock()
	for i := range groups {
		b.mu.Lock()
		g, err := a.mender.describe(ctx, b, &groups[i])
		b.mu.Unlock()
		if err != nil {
			return err
		}
		state := GroupState{Number: groups[i].number}
		if g != nil {
			state.ParityGroup = *g
		}
		for _, o := range groups[i].objects {
			if o.Of == "" {
				state.Objects = append(state.Objects, o)
			}
		}
		if err := each(state); err != nil {
			return err
		}
	}
	return nil
}

// HasMended reports whether Mended has an object.
func (a *Archive) HasMended(name string) bool {
	a.mender.mu.Lock()
	defer a.mender.mu.Unlock()
	return a.mender.raised[name]
}

// Mended are the objects that were had from parity or another archive, up to a bound, in the order of their names.
func (a *Archive) Mended() []string {
	a.mender.mu.Lock()
	defer a.mender.mu.Unlock()
	var names []string
	for name := range a.mender.raised {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// ParityIsWhole reads the parity object at a place of a group, or its last repaired copy, and reports whether it is as the group says. SizeBytes and buf
// are those of Stored.
func (a *Archive) ParityIsWhole(ctx context.Context, g ParityGroup, place int, sizeBytes int64, buf *[]byte) (whole bool, readBytes int64, err error) {
	name := g.ObjectName(place)
	accept := func(object []byte) bool {
		readBytes += int64(len(object))
		return g.IsObject(place, object)
	}
	_, err = a.Stored(ctx, name, sizeBytes, buf, accept)
	if IsDamage(err) {
		_, _, _, err = a.Elsewhere(ctx, name, err, accept)
	}
	if err != nil && (ctx.Err() != nil || storage.Is(err, storage.KindUnavailable)) {
		return false, readBytes, err
	}
	return err == nil, readBytes, nil
}

// IsThere reports whether there is an object.
func IsThere(ctx context.Context, st storage.Storage, name string) (bool, error) {
	_, err := st.Stat(ctx, name)
	if storage.Is(err, storage.KindNotFound) {
		return false, nil
	}
	return err == nil, err
}

// HeadHealth is how DURA-ARCHIVE is.
type HeadHealth int

const (
	HeadWhole HeadHealth = iota // it can be read, or a repaired copy of it
	HeadMissing
	HeadDamaged
)

// HeadState says how DURA-ARCHIVE is, and which round the next repair of it is.
func HeadState(ctx context.Context, st storage.Storage) (round int, health HeadHealth, err error) {
	text, err := readText(ctx, st, format.ArchiveName)
	if err == nil {
		var head format.ArchiveHead
		if head, err = format.DecodeArchiveHead(text); err == nil && !head.Settings.AreWhole() {
			err = errSettings
		}
	}
	switch {
	case err == nil:
		return 0, HeadWhole, nil
	case storage.Is(err, storage.KindNotFound):
		return 0, HeadMissing, nil
	case !mendable(err):
		return 0, HeadWhole, err
	}
	for info, err := range st.List(ctx, format.RepairedArchivePrefix, storage.Deep) {
		if err != nil {
			return 0, HeadWhole, err
		}
		var there int
		if _, err := fmt.Sscanf(info.Name, format.RepairedArchivePrefix+"%d/dura-archive", &there); err == nil {
			round = max(round, there+1)
		}
	}
	if _, ok, err := repairedArchiveHead(ctx, st); ok || err != nil {
		return round, HeadWhole, err
	}
	return round, HeadDamaged, nil
}

// LastRepaired is the name of the last repaired copy of an object, if there is one.
func (a *Archive) LastRepaired(ctx context.Context, name string) (string, bool, error) {
	copies, err := a.mender.copiesOf(ctx, name)
	if err != nil || len(copies) == 0 {
		return "", false, objectError(opRead, bandOf(name), name, err)
	}
	return copies[0].name, true, nil
}
