package integration

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dura/archive/archivetest"
	"dura/archive/format"
	"dura/archive/storage"
)

// writtenOut writes what is in a storage to a directory.
func writtenOut(t *testing.T, st storage.Storage) string {
	t.Helper()
	dir := filepath.Join(scratch(t), "archive")
	for info, err := range st.List(context.Background(), "", storage.Deep) {
		if err != nil {
			t.Fatal(err)
		}
		data, err := st.Read(context.Background(), info.Name, 0, int(info.SizeBytes))
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, filepath.FromSlash(info.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// item is an entry that no writer makes.
func item(path format.Path, kind format.Kind, change func(*format.Entry)) archivetest.Item {
	it := archivetest.File(path, nil)
	it.Entry.Kind = kind
	if change != nil {
		change(&it.Entry)
	}
	return it
}

func TestRecoverPyWritesNothingElsewhere(t *testing.T) {
	link := func(path format.Path, target string) archivetest.Item {
		return item(path, format.Symlink, func(e *format.Entry) { e.Target = target })
	}
	evil := func(path format.Path) archivetest.Item { return archivetest.File(path, []byte("evil")) }
	st := archivetest.NewArchive(t)
	band := archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0)})
	band.Complete([]archivetest.Item{
		archivetest.Dir(""), link("absolute", "/tmp"), evil("good"), link("file", "../precious/file"), link("up", "../precious"),
		item("linked", format.File, func(e *format.Entry) { e.LinkTo, e.Links = "up/file", 2 }),
		evil("../precious/evil"), evil("/precious"), evil("a/../../precious/evil"), evil("absolute/evil"), evil("file"), evil("up/evil"), evil("up/file"),
		evil("x\x00y"), evil("./y"), evil("good/below"), item("up/fifo", format.FIFO, nil), archivetest.Dir("up/dir"),
	})
	archive := writtenOut(t, st)
	for _, withoutIndex := range []bool{false, true} {
		if withoutIndex {
			loseIndex(t, archive)
		}
		outside := scratch(t)
		dest := outside + "/dest"
		shell(t, outside, "mkdir precious; echo precious > precious/file; touch -d 2001-02-03 precious")
		before := shell(t, outside, "find precious . -maxdepth 1 -printf '%p %i %T@ %m\n' | grep precious; cat precious/file")
		o := recovered(t, 3, archive, "restore", "latest", dest)
		if after := shell(t, outside, "find precious . -maxdepth 1 -printf '%p %i %T@ %m\n' | grep precious; cat precious/file"); after != before {
			t.Errorf("before:\n%safter:\n%s", before, after)
		}
		if got, err := os.ReadFile(dest + "/good"); err != nil || string(got) != "evil" {
			t.Errorf("%q, %v", got, err)
		}
		for _, name := range []string{"up/evil", "absolute/evil", "/precious", "../precious/evil", `x\x00y`} {
			if withoutIndex && (name == "up/evil" || name == "absolute/evil") {
				continue // the links are not in these blocks
			}
			if !strings.Contains(o.stderr, name+": ") {
				t.Errorf("nothing is said of %q:\n%s", name, o.stderr)
			}
		}
		if left := shell(t, outside, "find . -name '.dura-recover*'"); left != "" {
			t.Error(left)
		}
		os.Remove("/tmp/evil")
	}
}

// Values that no writer writes: each is refused in its time.
func TestRecoverPyRefusesWhatCannotBe(t *testing.T) {
	st := archivetest.NewArchive(t)
	band := archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0)})
	good := archivetest.File("good", []byte("good"))
	entries, _, _ := band.Write([]archivetest.Item{archivetest.Dir(""), good})
	frame := *entries[1].Spans[0].Frame
	spans := func(path format.Path, size int64, s ...format.Span) format.Entry {
		e := good.Entry
		e.Path, e.Size, e.Spans, e.SHA256 = path, size, s, format.SumBytes([]byte("good"))
		return e
	}
	far, large, bomb := frame, frame, frame
	far.Offset, large.StoredBytes, bomb.RawBytes = 1<<62, math.MaxUint32, math.MaxUint32
	whole := entries[1].Spans[0]
	in := func(f format.Frame) format.Span { s := whole; s.Frame = &f; return s }
	hole := whole
	hole.HoleBytes = 1 << 50
	behind := whole
	behind.Offset = 1 << 30
	bad := []format.Entry{
		spans("0", 4, in(far)), spans("1", 4, in(large)), spans("2", 4, in(bomb)), spans("3", 1<<50+4, hole), spans("4", 4, behind), spans("5", 2, whole),
		spans("6", 1<<50), spans("7", 4, whole, whole),
	}
	special := good.Entry
	special.Path, special.Kind = "8", 77
	timeless := spans("9", 4, whole)
	timeless.MTime = format.Time{Seconds: math.MaxInt64, Nanos: math.MaxUint32}
	all := append(append([]format.Entry{entries[0]}, bad...), special, timeless, entries[1])
	var hunks []format.HunkRef
	for i := range all {
		hunks = append(hunks, band.Hunk(all[i:i+1])) // a hunk each, or frames that begin at the same place would be one
	}
	band.Tail([]format.FenceRef{band.Fence(hunks)})
	archive := writtenOut(t, st)
	dest := filepath.Join(scratch(t), "dest")
	o := recovered(t, 3, archive, "restore", "latest", dest)
	for i := range 9 {
		if name := string(rune('0' + i)); !strings.Contains(o.stderr, "recover.py: "+name+": ") {
			t.Errorf("nothing is said of %s:\n%s", name, o.stderr)
		}
	}
	if out := shell(t, dest, "ls; cat good 9"); out != "9\ngood\ngoodgood" {
		t.Error(out, o.stderr)
	}
	recovered(t, 0, archive, "ls", "-R", "latest")
}

func TestRecoverPyFollowsSpanListsAndParents(t *testing.T) {
	content := bytes.Repeat([]byte("All that glitters. "), 5000)
	st := archivetest.NewArchive(t)
	first := archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0), SpanBytes: 1000, SpansInline: 10, FrameBytes: 3000})
	sparse := archivetest.File("sparse", nil)
	sparse.Content = []archivetest.Part{{HoleBytes: 5000, Data: content[:20000]}, {HoleBytes: 1 << 20, Data: content[:30000]}}
	first.Complete([]archivetest.Item{archivetest.Dir(""), archivetest.File("large", content), archivetest.File("small", []byte("small")), sparse})
	second := archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(1), Parent: archivetest.BandID(0)})
	asInParent := func(path format.Path) archivetest.Item {
		return item(path, format.File, func(e *format.Entry) { e.AsInParent = true })
	}
	second.Complete([]archivetest.Item{archivetest.Dir(""), asInParent("gone"), asInParent("large"), archivetest.File("new", []byte("new")), asInParent("small")})
	third := archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(2), Parent: archivetest.BandID(1)})
	third.Write([]archivetest.Item{archivetest.Dir(""), archivetest.File("begun", []byte("begun")), asInParent("small")}) // no tail

	archive := writtenOut(t, st)
	dest := scratch(t)
	recovered(t, 0, archive, "restore", string(archivetest.BandID(0)), dest+"/0")
	holed := append(append(make([]byte, 5000), content[:20000]...), append(make([]byte, 1<<20), content[:30000]...)...)
	for name, want := range map[string][]byte{"large": content, "small": []byte("small"), "sparse": holed} {
		if got, err := os.ReadFile(dest + "/0/" + name); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	if o := recovered(t, 3, archive, "restore", "latest", dest+"/1"); strings.Count(o.stderr, "\n") != 2 || !strings.Contains(o.stderr, "gone: lost") {
		t.Error(o.stderr)
	}
	if got, err := os.ReadFile(dest + "/1/large"); err != nil || !bytes.Equal(got, content) {
		t.Errorf("large: %d bytes, %v", len(got), err)
	}
	recovered(t, 0, archive, "restore", string(archivetest.BandID(2)), dest+"/2")
	if out := shell(t, dest+"/2", "cat begun small"); out != "begunsmall" {
		t.Error(out)
	}
	if out := recovered(t, 0, archive, "list").stdout; strings.Count(out, "  complete  ") != 2 || strings.Count(out, "  incomplete  ") != 1 {
		t.Error(out)
	}
}
