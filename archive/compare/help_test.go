package compare_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"dura/archive"
	"dura/archive/alarm/alarmtest"
	"dura/archive/archivetest"
	"dura/archive/compare"
	"dura/archive/format"
	"dura/archive/parity"
	"dura/archive/seal"
	"dura/archive/seal/sealtest"
	"dura/archive/storage"
	"dura/archive/storage/memory"
	"dura/archive/summaries"
)

// noise is data that does not compress, another for each seed.
func noise(seed, n int) []byte {
	out := make([]byte, n)
	state := uint64(seed)
	for i := range out {
		state = state*6364136223846793005 + 1442695040888963407
		out[i] = byte(state >> 56)
	}
	return out
}

// twoBands have every kind of object. The second one has a block of its own, and refers to those of the first, and to its hunk.
func twoBands(t testing.TB, scheme string) *memory.Storage {
	t.Helper()
	return twoBandsIn(t, archivetest.NewArchive(t), nil, scheme)
}

// sealedBands are twoBands of an encrypted archive.
func sealedBands(t testing.TB, scheme string) *memory.Storage {
	t.Helper()
	return twoBandsIn(t, archivetest.NewSealedArchive(t, sealtest.Key()), sealtest.Keys(), scheme)
}

func twoBandsIn(t testing.TB, st *memory.Storage, keys *seal.Keys, scheme string) *memory.Storage {
	t.Helper()
	sizes := archivetest.Band{
		Storage: st, ID: archivetest.BandID(0), HunkEntries: 3, FrameBytes: 1 << 10, BlockFrames: 4, SpanBytes: 1 << 9, SpansInline: 4, Parity: scheme, Keys: keys, Metadata: true,
	}
	first := archivetest.NewBand(t, sizes)
	entries, hunks, fences := first.Write([]archivetest.Item{
		archivetest.Dir(""), archivetest.File("a", noise(1, 3000)), archivetest.File("b", noise(2, 100)), archivetest.File("empty", nil),
		archivetest.File("z", noise(3, 9000)),
	})
	first.Tail(fences)
	sizes.ID, sizes.Parent = archivetest.BandID(1), archivetest.BandID(0)
	second := archivetest.NewBand(t, sizes)
	fresh, _, _ := second.Write([]archivetest.Item{archivetest.File("y", noise(5, 700))})
	own := second.Hunk(append(fresh, entries[4]))
	second.Tail([]format.FenceRef{second.Fence([]format.HunkRef{hunks[0], own})})
	if scheme == "" {
		return st
	}
	s, err := parity.ParseScheme(scheme)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 2 {
		archivetest.Protect(t, st, archivetest.BandID(n), s)
	}
	return st
}

// copyOf is a copy of an archive, with what by makes of each object; nil: nothing.
func copyOf(t testing.TB, st storage.Storage, by func(name string, object []byte) []byte) *memory.Storage {
	t.Helper()
	copied := memory.New()
	for _, name := range names(t, st) {
		object, err := st.Read(t.Context(), name, 0, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		if by != nil {
			object = by(name, slices.Clone(object))
		}
		if object == nil {
			continue
		}
		if err := copied.Create(t.Context(), name, object); err != nil {
			t.Fatal(err)
		}
	}
	return copied
}

// without leaves out objects whose names have one of these parts.
func without(parts ...string) func(string, []byte) []byte {
	return func(name string, object []byte) []byte {
		for _, part := range parts {
			if strings.Contains(name, part) {
				return nil
			}
		}
		return object
	}
}

// with changes one object.
func with(name string, by func([]byte) []byte) func(string, []byte) []byte {
	return func(n string, object []byte) []byte {
		if n != name {
			return object
		}
		return by(object)
	}
}

func names(t testing.TB, st storage.Storage) (all []string) {
	t.Helper()
	for info, err := range st.List(t.Context(), "", storage.Deep) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, info.Name)
	}
	return all
}

// findings are the alarms of a comparison.
type findings struct{ alarmtest.Alarms }

// of are the alarms about one name.
func (f *findings) of(name string) (texts []string) {
	for _, one := range f.Of(name) {
		texts = append(texts, one.String())
	}
	return texts
}

func (f *findings) texts() (texts []string) {
	for _, one := range f.Raised() {
		texts = append(texts, one.String())
	}
	slices.Sort(texts)
	return texts
}

type comparison func(context.Context, *archive.Archive, *archive.Archive, compare.Options) (compare.Result, error)

func kept(l summaries.List) comparison {
	return func(ctx context.Context, a, _ *archive.Archive, o compare.Options) (compare.Result, error) {
		return compare.Kept(ctx, a, l, o)
	}
}

// run compares, and checks that each finding has an alarm.
func run(t testing.TB, how comparison, h, o storage.Storage, options compare.Options) (compare.Result, *findings, error) {
	t.Helper()
	var open [2]*archive.Archive
	for s, st := range []storage.Storage{h, o} {
		var err error
		if open[s], err = archive.Open(t.Context(), st, archive.Options{Unlock: archivetest.Unlock(sealtest.Keys())}); err != nil {
			t.Fatal(err)
		}
		defer open[s].Close()
	}
	raised := &findings{}
	options.Alarms, options.Other = raised, "OTHER"
	r, err := how(t.Context(), open[0], open[1], options)
	if r.Differing != int64(len(raised.Raised())) {
		t.Errorf("%d differing, and the alarms are %q", r.Differing, raised.texts())
	}
	return r, raised, err
}

// mustRun is run where nothing may fail.
func mustRun(t testing.TB, how comparison, h, o storage.Storage, options compare.Options) (compare.Result, *findings) {
	t.Helper()
	r, raised, err := run(t, how, h, o, options)
	if err != nil {
		t.Fatal(err)
	}
	return r, raised
}

func expect(t testing.TB, raised *findings, want ...string) {
	t.Helper()
	if got := raised.texts(); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		t.Errorf("%s", fmt.Sprintf("alarms\n  %s\nnot\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  ")))
	}
}
