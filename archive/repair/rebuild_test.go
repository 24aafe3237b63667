package repair_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"dura/archive"
	"dura/archive/archivetest"
	"dura/archive/format"
	"dura/archive/repair"
	"dura/archive/seal/sealtest"
	"dura/archive/storage"
	"dura/archive/storage/storagetest"
)

// without is an archive of two bands without parity that lost some objects.
func without(t testing.TB, lost func(name string) bool, how string) storage.Storage {
	t.Helper()
	st := made(t, false)
	for name := range objects(t, st) {
		if lost(name) {
			change(t, st, name, damages[how])
		}
	}
	return st
}

func ofKind(of format.BandID, kinds ...format.ObjectKind) func(string) bool {
	return func(name string) bool {
		band, kind, _, err := format.ParseObjectName(name)
		return err == nil && (of == "" || band == of) && slices.Contains(kinds, kind)
	}
}

func either(some ...func(string) bool) func(string) bool {
	return func(name string) bool {
		return slices.ContainsFunc(some, func(is func(string) bool) bool { return is(name) })
	}
}

func is1(want string) func(string) bool { return func(name string) bool { return name == want } }

// openBand opens a band, and its archive, which is to be closed.
func openBand(t testing.TB, st storage.Storage, id format.BandID) *archive.Band {
	t.Helper()
	a, err := archive.Open(t.Context(), st, archive.Options{Unlock: archivetest.Unlock(sealtest.Keys())})
	if err != nil {
		t.Fatal(err)
	}
	state, err := a.FindBand(t.Context(), string(id))
	if err != nil {
		t.Fatal(err)
	}
	b, err := a.OpenBand(t.Context(), state)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// tree is what a band has: content of files, and what else tar keeps of an entry.
func tree(t testing.TB, st storage.Storage, id format.BandID) map[string]string {
	t.Helper()
	b := openBand(t, st, id)
	defer b.Archive().Close()
	got := map[string]string{}
	for e, err := range b.Subtree(t.Context(), format.Root) {
		if err != nil {
			got["error"] = err.Error()
			continue
		}
		var content []byte
		if e.Kind == format.File {
			content = make([]byte, e.Size)
			if _, err := b.Archive().Content(e.Entry).ReadAt(t.Context(), content, 0); err != nil && e.Size > 0 {
				got[string(e.Path)] = err.Error()
				continue
			}
		}
		got[string(e.Path)] = fmt.Sprint(e.Kind, e.Mode, e.Owner, e.MTime.Seconds, e.Target, e.LinkTo, format.SumBytes(content))
	}
	return got
}

// Whatever an index loses is made anew of the blocks, all of it in the end, and nothing that exists is changed.
func TestAnIndexIsRebuilt(t *testing.T) {
	first, second := archivetest.BandID(0), archivetest.BandID(1)
	good := made(t, false)
	want := map[format.BandID]map[string]string{first: tree(t, good, first), second: tree(t, good, second)}
	all := ofKind("", format.HunkObject, format.FenceObject, format.TailObject, format.HeadObject)
	for what, lost := range map[string]func(string) bool{
		"a hunk":                       is1(format.HunkName(first, 1)),
		"the last hunk":                is1(format.HunkName(second, 2)),
		"all hunks of a band":          ofKind(first, format.HunkObject),
		"all hunks":                    ofKind("", format.HunkObject),
		"a fence and a hunk of it":     either(is1(format.FenceName(first, 0)), is1(format.HunkName(first, 0))),
		"a fence and its hunks":        either(is1(format.FenceName(first, 0)), is1(format.HunkName(first, 0)), is1(format.HunkName(first, 1))),
		"the tail":                     is1(format.TailName(first)),
		"the tail and a hunk":          either(is1(format.TailName(first)), is1(format.HunkName(first, 2))),
		"the tail, a fence and a hunk": either(is1(format.TailName(first)), is1(format.FenceName(first, 0)), is1(format.HunkName(first, 0))),
		"the tail and all fences":      ofKind(first, format.TailObject, format.FenceObject),
		"the tail and the sums":        ofKind(first, format.TailObject, format.SumsObject),
		"the head":                     is1(format.HeadName(first)),
		"all heads":                    ofKind("", format.HeadObject),
		"head and tail":                ofKind(second, format.HeadObject, format.TailObject),
		"the index":                    all,
		"the index and DURA-ARCHIVE":   either(all, is1(format.ArchiveName)),
	} {
		for _, how := range []string{"deleted", "flipped", "emptied"} {
			if strings.Contains(what, "sums") && how != "deleted" {
				continue
			}
			t.Run(what+" "+how, func(t *testing.T) {
				st := without(t, lost, how)
				before := objects(t, st)
				dry, _ := fix(t, st, repair.Options{DryRun: true})
				if len(objects(t, st)) != len(before) {
					t.Error("the dry run stored something")
				}
				result, said := fix(t, st, repair.Options{})
				if result.Irreparable > 0 || result.LostRuns > 0 || result.Repaired == 0 || result.Damaged != result.Repaired {
					t.Errorf("%+v %+v", result, said)
				}
				if dry.LostFiles != result.LostFiles || dry.LostRuns != result.LostRuns || dry.Irreparable != result.Irreparable {
					t.Errorf("dry run: %+v, then %+v", dry, result)
				}
				after := objects(t, st)
				for name := range before {
					if !bytes.Equal(after[name], before[name]) {
						t.Errorf("%s was changed", name)
					}
				}
				var lost int64
				for id, entries := range want {
					got := tree(t, st, id)
					for path := range entries {
						if id == second && (path == "a" || path == "d/f") && strings.Contains(got[path], "not stored") {
							lost++ // of a file in chunks in a later band nobody knows whether these are all
							continue
						}
						if got[path] != entries[path] {
							t.Errorf("%s: %q is %s, not %s", id, path, got[path], entries[path])
						}
					}
					if len(got) != len(entries) {
						t.Errorf("%s: %v", id, got)
					}
				}
				if lost != result.LostFiles {
					t.Errorf("%d files are lost, and %d are told of", lost, result.LostFiles)
				}
				if lost == 0 {
					isHealthy(t, st, what)
				}
			})
		}
	}
}

// Footers are read once each, and of frames those alone that hold what is lost.
func TestFootersAreReadOnce(t *testing.T) {
	id := archivetest.BandID(0)
	st := archivetest.NewArchive(t)
	items := []archivetest.Item{archivetest.Dir("")}
	for n := range 300 {
		items = append(items, archivetest.File(format.Path(fmt.Sprintf("%04d", n)), noise(700+n)))
	}
	archivetest.NewBand(t, archivetest.Band{Storage: st, ID: id, HunkEntries: 20, FenceHunks: 4, FrameBytes: 7000, BlockFrames: 16, Metadata: true}).Complete(items)
	change(t, st, format.HunkName(id, 3), damages["deleted"])
	change(t, st, format.HunkName(id, 9), damages["flipped"])
	recorder := storagetest.NewRecorder(st)
	if result, said := fix(t, recorder, repair.Options{DryRun: true}); !result.Healthy() || result.Repaired != 2 {
		t.Fatalf("%+v %+v", result, said)
	}
	footers, frames, whole := map[string]int{}, 0, map[string]int{}
	for _, r := range recorder.Log() {
		_, kind, _, _ := format.ParseObjectName(r.Operation.Name)
		if kind != format.BlockObject || r.Operation.Op != storage.OpRead {
			continue
		}
		info, err := st.Stat(t.Context(), r.Operation.Name)
		if err != nil {
			t.Fatal(err)
		}
		switch op := r.Operation; {
		case op.OffsetBytes == 0 && op.Bytes >= info.SizeBytes:
			whole[op.Name]++
		case op.OffsetBytes+op.Bytes >= info.SizeBytes:
			footers[op.Name]++
		default:
			frames++
		}
	}
	for name, count := range footers {
		if count != 1 || whole[name] != 1 {
			t.Errorf("%s: its footer was read %d times, and all of it %d times", name, count, whole[name])
		}
	}
	if len(footers) < 2 || frames == 0 || frames > 2*(20*1600/7000+2) {
		t.Errorf("%d footers and %d frames were read", len(footers), frames)
	}
}

// Bands that share a lost hunk get the same new one.
func TestASharedHunkIsRebuiltOnce(t *testing.T) {
	first, second, third := archivetest.BandID(0), archivetest.BandID(1), archivetest.BandID(2)
	st := archivetest.NewArchive(t)
	b := archivetest.NewBand(t, archivetest.Band{Storage: st, ID: first, HunkEntries: 3, Metadata: true})
	_, hunks, fences := b.Write(archivetest.Tree(map[string]string{"a": "1", "b": "2", "c": "3", "d": "4", "e": "5"}))
	b.Tail(fences)
	for _, id := range []format.BandID{second, third} {
		b := archivetest.NewBand(t, archivetest.Band{Storage: st, ID: id, Parent: first, Metadata: true})
		_, own, _ := b.Write([]archivetest.Item{archivetest.File("z", []byte(id))})
		b.Tail([]format.FenceRef{b.Fence(append(slices.Clone(hunks), own...))})
	}
	want := tree(t, st, third)
	change(t, st, format.HunkName(first, 1), damages["deleted"])
	result, said := fix(t, st, repair.Options{})
	if !result.Healthy() || result.Repaired != result.Damaged {
		t.Errorf("%+v %+v", result, said)
	}
	made := 0
	for _, m := range said.made {
		if _, kind, _, _ := format.ParseObjectName(m.Stored); kind == format.HunkObject {
			made++
		}
	}
	if got := tree(t, st, third); made != 1 || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%d hunks: %v is not %v", made, got, want)
	}
	if result, said := fix(t, st, repair.Options{}); result.Damaged > 0 || len(said.made) > 0 {
		t.Errorf("a second repair does more: %+v %+v", result, said)
	}
}

// A rebuilt index may be lost again, and its tail.
func TestARebuiltIndexIsRebuiltAgain(t *testing.T) {
	id := archivetest.BandID(0)
	st := made(t, false)
	want := tree(t, st, id)
	change(t, st, format.HunkName(id, 0), damages["deleted"])
	fix(t, st, repair.Options{})
	for _, next := range []struct {
		name, how string
		again     bool // it is of the index that counts
	}{
		{format.HunkName(id, 3), "flipped", true}, {format.HunkName(id, 3), "deleted", false}, {format.RebuiltTailName(id, 1), "zeroed", true},
		{format.FenceName(id, 2), "zeroed", false}, {format.RebuiltTailName(id, 2), "deleted", true},
	} {
		change(t, st, next.name, damages[next.how])
		if result, said := fix(t, st, repair.Options{}); !result.Healthy() || (result.Repaired > 0) != next.again {
			t.Errorf("%s: %+v %+v", next.name, result, said)
		}
		if got := tree(t, st, id); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v", next.name, got)
		}
		isHealthy(t, st, next.name)
	}
}

// What no block tells of is told, and how much it is.
func TestWhatCantBeRebuiltIsSaid(t *testing.T) {
	id := archivetest.BandID(0)
	st := made(t, false)
	change(t, st, format.HunkName(id, 1), damages["deleted"]) // b and d
	change(t, st, format.BlockName(id, 0), damages["zeroed"])
	change(t, st, format.BlockName(id, 1), damages["zeroed"])
	change(t, st, format.BlockName(id, 2), damages["zeroed"])
	result, said := fix(t, st, repair.Options{})
	if result.LostRuns != 1 || result.Irreparable != 3 || result.Healthy() {
		t.Errorf("%+v %+v", result, said)
	}
	for _, l := range said.lost {
		if l.Run && (l.Path != "b" || l.Until != "e" || l.Entries != 2 || l.Object != format.HunkName(id, 1)) {
			t.Errorf("%+v", l)
		}
	}
}

// Where parity is lost as well, what is rebuilt gets parity again.
func TestARebuiltIndexHasParity(t *testing.T) {
	id := archivetest.BandID(0)
	for what, lost := range map[string]func(string) bool{
		"a hunk": is1(format.HunkName(id, 1)), "the tail": is1(format.TailName(id)), "the head": is1(format.HeadName(id)),
		"hunks and tail": ofKind(id, format.HunkObject, format.TailObject),
	} {
		for _, how := range []string{"deleted", "zeroed"} {
			st := made(t, true)
			want := tree(t, st, id)
			for name := range objects(t, st) {
				if lost(name) || ofKind(id, format.ParityObject)(name) {
					change(t, st, name, damages[how])
				}
			}
			if result, said := fix(t, st, repair.Options{}); !result.Healthy() || result.Parity == 0 && what != "the head" { // which said that there is to be parity
				t.Errorf("%s %s: %+v %+v", what, how, result, said)
			}
			if got := tree(t, st, id); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s %s: %v", what, how, got)
			}
			isHealthy(t, st, what+" "+how)
			for name := range objects(t, st) { // which it can be repaired from
				if ofKind(id, format.HunkObject, format.RebuiltTailObject)(name) {
					change(t, st, name, damages["deleted"])
					break
				}
			}
			if result, said := fix(t, st, repair.Options{}); !result.Healthy() {
				t.Errorf("%s %s: again: %+v %+v", what, how, result, said)
			}
			if got := tree(t, st, id); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s %s: again: %v", what, how, got)
			}
		}
	}
}
